import type { Format, Part, Prompt, ToolChoice, Turn } from '../prompt.ts';
import { isReasoning } from './rules.ts';
import type { ChatRequest } from './schema.ts';

type Message = ChatRequest['messages'][number];

/** What a chat completion asks, in words that all dialects share. */
export function promptOf(request: ChatRequest): Prompt {
  const { model, tools = [], tool_choice: choice, response_format: format, stop } = request;
  return {
    model,
    turns: request.messages.map(turnOf),
    tools: tools.map(({ function: { name, description, parameters = {} } }) => ({ name, description, schema: parameters })),
    choice: choiceOf(choice),
    parallel: request.parallel_tool_calls !== false,
    format: formatOf(format),
    cap: request.max_completion_tokens ?? request.max_tokens ?? Number.POSITIVE_INFINITY,
    stops: stop == null ? [] : [stop].flat(),
    thinking: isReasoning(model) && request.reasoning_effort !== 'none' ? Number.POSITIVE_INFINITY : 0,
    answers: request.n ?? 1,
  };
}

function turnOf(message: Message): Turn {
  const name = 'name' in message ? message.name : undefined;
  const calls = message.role === 'assistant' ? (message.tool_calls ?? []) : [];
  const refusal = message.role === 'assistant' && message.refusal != null ? [{ kind: 'text', text: message.refusal } as const] : [];
  return {
    role: message.role === 'developer' ? 'system' : message.role,
    name,
    parts: [
      ...partsOf(message.content),
      ...refusal,
      ...calls.map((call) => ({ kind: 'call' as const, name: call.function.name, arguments: call.function.arguments })),
    ],
  };
}

function partsOf(content: Message['content']): readonly Part[] {
  if (content == null) return [];
  if (typeof content === 'string') return [{ kind: 'text', text: content }];
  return content.map((part): Part => {
    switch (part.type) {
      case 'text':
        return { kind: 'text', text: part.text };
      case 'refusal':
        return { kind: 'text', text: part.refusal };
      case 'image_url':
        return { kind: 'media', data: part.image_url.url };
      case 'input_audio':
        return { kind: 'media', data: part.input_audio.data };
      case 'file':
        return { kind: 'media', data: part.file.file_data ?? part.file.file_id ?? '' };
    }
  });
}

function choiceOf(choice: ChatRequest['tool_choice']): ToolChoice {
  if (choice === undefined) return { kind: 'auto' };
  if (choice === 'required') return { kind: 'required' };
  if (typeof choice === 'string') return { kind: choice };
  if (choice.type === 'function') return { kind: 'required', names: [choice.function.name] };
  const { mode, tools } = choice.allowed_tools;
  return mode === 'required' ? { kind: 'required', names: tools.map((tool) => tool.function.name) } : { kind: 'auto' };
}

function formatOf(format: ChatRequest['response_format']): Format | undefined {
  switch (format?.type) {
    case 'json_object':
      return { kind: 'object' };
    case 'json_schema':
      return { kind: 'schema', schema: format.json_schema.schema ?? {} };
    default:
      return undefined;
  }
}
