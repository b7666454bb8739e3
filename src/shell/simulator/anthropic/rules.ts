import { isSealed } from '../seal.ts';
import type { Block, CountRequest, Message, MessageRequest } from './schema.ts';

/** What thinking is sealed for. */
export const THINKING_SEAL = 'anthropic thinking';
export const REDACTED_SEAL = 'anthropic redacted';

/** What the fields are each allowed and together are not: a sentence, or `undefined`. */
export function impossible(request: MessageRequest): string | undefined {
  return wrongThinking(request) ?? impossibleInput(request);
}

export function impossibleInput(request: CountRequest): string | undefined {
  const { messages, tools = [], tool_choice: choice } = request;
  if (messages[0]?.role !== 'user') return 'messages.0: the first message must use the user role';
  if (choice !== undefined && tools.length === 0) return 'tool_choice: tool_choice may only be specified while providing tools';
  if (choice?.type === 'tool' && !tools.some(({ name }) => name === choice.name)) return `tool_choice: Tool '${choice.name}' not found in provided tools`;
  const names = tools.map(({ name }) => name);
  if (new Set(names).size < names.length) return 'tools: Tool names must be unique.';
  return messages.map((message, index) => wrongMessage(message, messages[index - 1], messages[index + 1], index)).find((problem) => problem !== undefined) ?? wrongEnd(messages.at(-1));
}

function wrongThinking({ thinking, max_tokens: cap, temperature, top_k: topK, tool_choice: choice }: MessageRequest): string | undefined {
  if (thinking === undefined || thinking.type === 'disabled') return undefined;
  if (thinking.type === 'enabled' && thinking.budget_tokens >= cap) return '`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size';
  if (temperature !== undefined && temperature !== 1) return '`temperature` may only be set to 1 when thinking is enabled.';
  if (topK !== undefined) return '`top_k` must be unset when thinking is enabled.';
  return choice?.type === 'any' || choice?.type === 'tool' ? 'Thinking may not be enabled when tool_choice forces tool use.' : undefined;
}

const blocksOf = (message: Message | undefined): readonly Block[] => (message === undefined || typeof message.content === 'string' ? [] : message.content);

function wrongMessage(message: Message, before: Message | undefined, after: Message | undefined, index: number): string | undefined {
  if (message.content === '' && (message.role === 'user' || after !== undefined)) return `messages.${index}: ${message.role} messages must have non-empty content`;
  for (const [place, block] of blocksOf(message).entries()) {
    const at = `messages.${index}.content.${place}`;
    if (block.type === 'text' && block.text === '') return `messages: text content blocks must be non-empty`;
    if (block.type === 'thinking' && !isSealed(THINKING_SEAL, block.thinking, block.signature)) return `${at}: Invalid \`signature\` in \`thinking\` block`;
    if (block.type === 'redacted_thinking' && !isSealed(REDACTED_SEAL, '', block.data)) return `${at}: Invalid \`data\` in \`redacted_thinking\` block`;
  }
  return wrongResults(message, before, index) ?? unanswered(message, after, index);
}

function wrongResults(message: Message, before: Message | undefined, index: number): string | undefined {
  const used = new Set(blocksOf(before).flatMap((block) => (block.type === 'tool_use' ? [block.id] : [])));
  const blocks = blocksOf(message);
  for (const [place, block] of blocks.entries()) {
    if (block.type !== 'tool_result') continue;
    const at = `messages.${index}.content.${place}`;
    if (!used.has(block.tool_use_id)) return `${at}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${block.tool_use_id}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`;
    if (blocks.slice(0, place).some(({ type }) => type !== 'tool_result')) return `messages.${index}: \`tool_result\` blocks must come first in the content of a user message.`;
  }
  return undefined;
}

function unanswered(message: Message, after: Message | undefined, index: number): string | undefined {
  const answered = new Set(blocksOf(after).flatMap((block) => (block.type === 'tool_result' ? [block.tool_use_id] : [])));
  const open = blocksOf(message).flatMap((block) => (block.type === 'tool_use' && !answered.has(block.id) ? [block.id] : []));
  if (open.length === 0) return undefined;
  return `messages.${index}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ${open.join(', ')}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`;
}

function wrongEnd(last: Message | undefined): string | undefined {
  if (last?.role !== 'assistant') return undefined;
  const end = typeof last.content === 'string' ? last.content : last.content.at(-1);
  const text = typeof end === 'string' ? end : end?.type === 'text' ? end.text : '';
  return /\s$/.test(text) ? 'messages: final assistant content cannot end with trailing whitespace' : undefined;
}
