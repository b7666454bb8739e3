import type { Format, Part, Prompt, ToolChoice, Turn } from '../../prompt.ts';
import { isReasoning } from '../rules.ts';
import type { CountRequest, ResponsesRequest } from './schema.ts';

type Item = Exclude<ResponsesRequest['input'], string>[number];
type Content = Extract<Item, { readonly role: 'user' | 'system' | 'developer' }>['content'];

/** What a response is asked to say, in words that all dialects share. */
export function promptOf(request: CountRequest & Partial<Pick<ResponsesRequest, 'max_output_tokens'>>): Prompt {
  const { model, input, instructions, tools = [], reasoning } = request;
  const items = typeof input === 'string' ? [{ role: 'user' as const, content: input }] : input;
  return {
    model,
    turns: [
      ...(instructions == null ? [] : [{ role: 'system' as const, parts: [{ kind: 'text' as const, text: instructions }] }]),
      ...merged(items.flatMap((item) => turnOf(item))),
    ],
    tools: tools.map(({ name, description, parameters }) => ({ name, description: description ?? undefined, schema: parameters ?? {} })),
    choice: choiceOf(request.tool_choice),
    parallel: request.parallel_tool_calls !== false,
    format: formatOf(request.text?.format),
    cap: request.max_output_tokens ?? Number.POSITIVE_INFINITY,
    stops: [],
    thinking: isReasoning(model) && reasoning?.effort !== 'none' ? Number.POSITIVE_INFINITY : 0,
    answers: 1,
  };
}

function turnOf(item: Item): Turn[] {
  if ('role' in item) {
    if (item.role === 'assistant')
      return [
        {
          role: 'assistant',
          parts:
            typeof item.content === 'string'
              ? [{ kind: 'text', text: item.content }]
              : item.content.map((part) => ({ kind: 'text', text: part.type === 'refusal' ? part.refusal : part.text })),
        },
      ];
    return [{ role: item.role === 'developer' ? 'system' : item.role, parts: partsOf(item.content) }];
  }
  switch (item.type) {
    case 'function_call':
      return [{ role: 'assistant', parts: [{ kind: 'call', name: item.name, arguments: item.arguments }] }];
    case 'function_call_output':
      return [{ role: 'tool', parts: partsOf(item.output) }];
    case 'reasoning':
    // What they refer to stands in their place already.
    case 'item_reference':
    case undefined:
    case null:
      return [];
  }
}

/** Calls stand in items of their own here, and in one message with what was said before them elsewhere. */
function merged(turns: readonly Turn[]): readonly Turn[] {
  const whole: Turn[] = [];
  for (const turn of turns) {
    const last = whole.at(-1);
    if (last?.role === 'assistant' && turn.role === 'assistant') whole[whole.length - 1] = { ...last, parts: [...last.parts, ...turn.parts] };
    else whole.push(turn);
  }
  return whole;
}

function partsOf(content: Content): readonly Part[] {
  if (typeof content === 'string') return [{ kind: 'text', text: content }];
  return content.map((part): Part => {
    switch (part.type) {
      case 'input_text':
        return { kind: 'text', text: part.text };
      case 'input_image':
        return { kind: 'media', data: part.image_url ?? part.file_id ?? '' };
      case 'input_file':
        return { kind: 'media', data: part.file_data ?? part.file_url ?? part.file_id ?? '' };
    }
  });
}

function choiceOf(choice: ResponsesRequest['tool_choice']): ToolChoice {
  if (choice === undefined) return { kind: 'auto' };
  if (choice === 'required') return { kind: 'required' };
  if (typeof choice === 'string') return { kind: choice };
  if (choice.type === 'function') return { kind: 'required', names: [choice.name] };
  return choice.mode === 'required' ? { kind: 'required', names: choice.tools.map(({ name }) => name) } : { kind: 'auto' };
}

function formatOf(format: NonNullable<ResponsesRequest['text']>['format']): Format | undefined {
  switch (format?.type) {
    case 'json_object':
      return { kind: 'object' };
    case 'json_schema':
      return { kind: 'schema', schema: format.schema };
    default:
      return undefined;
  }
}
