import type { CacheTtl, Part, Prompt, ToolChoice, Turn } from '../prompt.ts';
import type { Block, CountRequest, Message, MessageRequest } from './schema.ts';

type Marked = { readonly cache_control?: { readonly ttl?: CacheTtl | undefined } | null | undefined };

const cacheOf = ({ cache_control: mark }: Marked): CacheTtl | undefined => (mark == null ? undefined : (mark.ttl ?? '5m'));

/** What a message asks, in words that all dialects share. */
export function promptOf(request: CountRequest & Partial<Pick<MessageRequest, 'max_tokens' | 'stop_sequences'>>): Prompt {
  const { model, system, tools = [], tool_choice: choice, thinking, output_config: output } = request;
  return {
    model,
    turns: [...systemOf(system), ...marked(merged(request.messages).flatMap(turnsOf), cacheOf(request))],
    tools: tools.map((tool) => ({ name: tool.name, description: tool.description, schema: tool.input_schema, cache: cacheOf(tool) })),
    choice: choiceOf(choice),
    parallel: !(choice !== undefined && 'disable_parallel_tool_use' in choice && choice.disable_parallel_tool_use === true),
    format: output?.format == null ? undefined : { kind: 'schema', schema: output.format.schema },
    cap: request.max_tokens ?? Number.POSITIVE_INFINITY,
    stops: request.stop_sequences ?? [],
    thinking: thinking?.type === 'enabled' ? thinking.budget_tokens : thinking?.type === 'adaptive' ? Number.POSITIVE_INFINITY : 0,
    answers: 1,
  };
}

function systemOf(system: CountRequest['system']): readonly Turn[] {
  if (system === undefined || system.length === 0) return [];
  return [
    {
      role: 'system',
      parts: typeof system === 'string' ? [{ kind: 'text', text: system }] : system.map((block) => ({ kind: 'text', text: block.text, cache: cacheOf(block) })),
    },
  ];
}

/** Messages of one role that follow each other are one. Source: Claude API reference, "messages". */
function merged(messages: readonly Message[]): readonly { readonly role: Message['role']; readonly blocks: readonly Block[] }[] {
  const whole: { role: Message['role']; blocks: readonly Block[] }[] = [];
  for (const { role, content } of messages) {
    const blocks: readonly Block[] = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
    const last = whole.at(-1);
    if (last?.role === role) last.blocks = [...last.blocks, ...blocks];
    else whole.push({ role, blocks });
  }
  return whole;
}

/** A mark on the whole request is one on its last piece. */
function marked(turns: readonly Turn[], cache: CacheTtl | undefined): readonly Turn[] {
  const last = turns.at(-1);
  const end = last?.parts.at(-1);
  if (cache === undefined || last === undefined || end === undefined) return turns;
  return [...turns.slice(0, -1), { ...last, parts: [...last.parts.slice(0, -1), { ...end, cache }] }];
}

/** Each result of a tool is a turn of its own. */
function turnsOf({ role, blocks }: { readonly role: Message['role']; readonly blocks: readonly Block[] }): readonly Turn[] {
  const results = blocks.flatMap((block): Turn[] => (block.type === 'tool_result' ? [{ role: 'tool', parts: resultParts(block) }] : []));
  const parts = blocks.flatMap(partsOf);
  return parts.length === 0 ? results : [...results, { role, parts }];
}

function resultParts(block: Extract<Block, { readonly type: 'tool_result' }>): readonly Part[] {
  const { content = '' } = block;
  if (typeof content === 'string') return [{ kind: 'text', text: content, cache: cacheOf(block) }];
  return content.flatMap(partsOf);
}

function partsOf(block: Block): readonly Part[] {
  switch (block.type) {
    case 'text':
      return [{ kind: 'text', text: block.text, cache: cacheOf(block) }];
    case 'image':
    case 'document':
      return [{ kind: 'media', data: 'data' in block.source ? block.source.data : block.source.url, cache: cacheOf(block) }];
    case 'tool_use':
      return [{ kind: 'call', name: block.name, arguments: JSON.stringify(block.input), cache: cacheOf(block) }];
    case 'tool_result':
    case 'thinking':
    case 'redacted_thinking':
      return [];
  }
}

function choiceOf(choice: CountRequest['tool_choice']): ToolChoice {
  switch (choice?.type) {
    case 'any':
      return { kind: 'required' };
    case 'tool':
      return { kind: 'required', names: [choice.name] };
    case 'none':
      return { kind: 'none' };
    case 'auto':
    case undefined:
      return { kind: 'auto' };
  }
}
