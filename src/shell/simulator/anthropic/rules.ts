import { isSealed } from '../seal.ts';
import { mostTokens, versionOf } from './models.ts';
import type { Block, CountRequest, Message, MessageRequest } from './schema.ts';

type Marked = { readonly cache_control?: { readonly ttl?: '5m' | '1h' | undefined } | null | undefined };

/** What thinking is sealed for. */
export const THINKING_SEAL = 'anthropic thinking';
export const REDACTED_SEAL = 'anthropic redacted';

/** The newest version of the API. Source: Claude API docs, "Versions". */
export const NEWEST = '2026-10-21';

/** What the fields are each allowed and together are not: a sentence, or `undefined`. */
export function impossible(request: MessageRequest, version: string): string | undefined {
  return wrongCap(request) ?? wrongSampling(request) ?? wrongThinking(request) ?? impossibleInput(request, version);
}

function wrongCap({ model, max_tokens: cap }: MessageRequest): string | undefined {
  const most = mostTokens(model);
  return cap > most ? `max_tokens: ${cap} > ${most}, which is the maximum allowed number of output tokens for ${model}` : undefined;
}

/** From 4.1 on a model takes one of them only. */
function wrongSampling({ model, temperature, top_p: topP }: MessageRequest): string | undefined {
  return versionOf(model) >= 401 && temperature !== undefined && topP !== undefined
    ? '`temperature` and `top_p` cannot both be specified for this model. Please use only one.'
    : undefined;
}

export function impossibleInput(request: CountRequest, version: string): string | undefined {
  const { messages, tools = [], tool_choice: choice } = request;
  if (messages[0]?.role !== 'user') return 'messages.0: the first message must use the user role';
  if (choice !== undefined && tools.length === 0) return 'tool_choice: tool_choice may only be specified while providing tools';
  if (choice?.type === 'tool' && !tools.some(({ name }) => name === choice.name)) return `tool_choice: Tool '${choice.name}' not found in provided tools`;
  const names = tools.map(({ name }) => name);
  if (new Set(names).size < names.length) return 'tools: Tool names must be unique.';
  const marks = wrongMarks(request);
  if (marks !== undefined) return marks;
  const wrong = messages
    .map((message, index) => wrongMessage(message, messages[index - 1], messages[index + 1], index) ?? wrongCitations(message, version, index))
    .find((problem) => problem !== undefined);
  return wrong ?? repeatedUse(messages) ?? lostThinking(request) ?? wrongEnd(messages.at(-1));
}

/** Marks for the cache, in the order in which it reads: at most so many, and those that last longer first. Source: Claude docs, "Prompt caching". */
const MOST_MARKS = 4;

function wrongMarks(request: CountRequest): string | undefined {
  const { system = [], tools = [], messages } = request;
  const inside = (block: Block): readonly Marked[] => {
    if (block.type === 'thinking' || block.type === 'redacted_thinking') return [];
    return block.type === 'tool_result' && Array.isArray(block.content) ? [...block.content, block] : [block];
  };
  const places: readonly Marked[] = [
    ...tools,
    ...(typeof system === 'string' ? [] : system),
    ...messages.flatMap((message) => blocksOf(message).flatMap(inside)),
    request,
  ];
  const marks = places.flatMap(({ cache_control: mark }) => (mark == null ? [] : [mark.ttl ?? '5m']));
  if (marks.length > MOST_MARKS) return `A maximum of ${MOST_MARKS} blocks with cache_control may be provided. Found ${marks.length}.`;
  return marks.some((ttl, index) => ttl === '1h' && marks.slice(0, index).includes('5m'))
    ? "a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block."
    : undefined;
}

/** The newest version takes citations from its own model only. */
function wrongCitations({ role, content }: Message, version: string, index: number): string | undefined {
  if (version !== NEWEST || role !== 'user' || typeof content === 'string') return undefined;
  const place = content.findIndex((block) => block.type === 'text' && (block.citations?.length ?? 0) > 0);
  return place < 0 ? undefined : `messages.${index}.content.${place}.text.citations: Extra inputs are not permitted`;
}

function repeatedUse(messages: readonly Message[]): string | undefined {
  const seen = new Set<string>();
  for (const [index, message] of messages.entries()) {
    for (const [place, block] of blocksOf(message).entries()) {
      if (block.type !== 'tool_use') continue;
      if (seen.has(block.id)) return `messages.${index}.content.${place}: \`tool_use\` ids must be unique`;
      seen.add(block.id);
    }
  }
  return undefined;
}

/** While its tools run, a model that thinks wants back what it thought. */
function lostThinking({ messages, thinking }: CountRequest): string | undefined {
  if (thinking?.type !== 'enabled') return undefined;
  const index = messages.findLastIndex(({ role }) => role === 'assistant');
  const [first, ...rest] = blocksOf(messages[index]);
  const usesTools = [first, ...rest].some((block) => block?.type === 'tool_use');
  if (first === undefined || !usesTools || first.type === 'thinking' || first.type === 'redacted_thinking') return undefined;
  return `messages.${index}.content.0.type: Expected \`thinking\` or \`redacted_thinking\`, but found \`${first.type}\`. When \`thinking\` is enabled, a final \`assistant\` message must start with a thinking block (preceeding the lastmost set of \`tool_use\` and \`tool_result\` blocks). To avoid this requirement, disable \`thinking\`.`;
}

function wrongThinking({ thinking, max_tokens: cap, temperature, top_k: topK, tool_choice: choice }: MessageRequest): string | undefined {
  if (thinking === undefined || thinking.type === 'disabled') return undefined;
  if (thinking.type === 'enabled' && thinking.budget_tokens >= cap)
    return '`max_tokens` must be greater than `thinking.budget_tokens`. Please consult our documentation at https://docs.claude.com/en/docs/build-with-claude/extended-thinking#max-tokens-and-context-window-size';
  if (temperature !== undefined && temperature !== 1) return '`temperature` may only be set to 1 when thinking is enabled.';
  if (topK !== undefined) return '`top_k` must be unset when thinking is enabled.';
  return choice?.type === 'any' || choice?.type === 'tool' ? 'Thinking may not be enabled when tool_choice forces tool use.' : undefined;
}

const blocksOf = (message: Message | undefined): readonly Block[] => (message === undefined || typeof message.content === 'string' ? [] : message.content);

function wrongMessage(message: Message, before: Message | undefined, after: Message | undefined, index: number): string | undefined {
  if (message.content === '' && (message.role === 'user' || after !== undefined))
    return `messages.${index}: ${message.role} messages must have non-empty content`;
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
  const answered = new Set<string>();
  for (const [place, block] of blocks.entries()) {
    if (block.type !== 'tool_result') continue;
    const at = `messages.${index}.content.${place}`;
    if (!used.has(block.tool_use_id))
      return `${at}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${block.tool_use_id}. Each \`tool_result\` block must have a corresponding \`tool_use\` block in the previous message.`;
    if (answered.has(block.tool_use_id))
      return `${at}: each tool_use must have a single result. Found multiple \`tool_result\` blocks with id: ${block.tool_use_id}`;
    answered.add(block.tool_use_id);
    if (blocks.slice(0, place).some(({ type }) => type !== 'tool_result'))
      return `messages.${index}: \`tool_result\` blocks must come first in the content of a user message.`;
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
