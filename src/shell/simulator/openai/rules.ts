import type { Failure } from '../api.ts';
import { errorBody, invalid } from './errors.ts';
import type { ChatRequest } from './schema.ts';
import { strictProblem } from './strict.ts';

/** Models that think before they answer, and take fewer parameters for it. */
export const isReasoning = (model: string): boolean => /^(?:o\d|gpt-5)/.test(model);

/** Models known not to think. Others are some relay's own, about which nothing is known. */
const isPlain = (model: string): boolean => /^(?:gpt-4|gpt-3|chatgpt-4)/.test(model);

/** Names that OpenAI or some relay has; a relay puts the maker's name before a slash. */
const KNOWN =
  /^(?:gpt-|chatgpt-|o\d|text-embedding-|omni-moderation|text-moderation|whisper-|tts-|dall-e|claude-|gemini-|gemma|deepseek-|llama|mistral|qwen|kimi|glm|grok|davinci|babbage|[\w.-]+\/[\w.-]+)/i;

export function unknownModel(model: string): Failure | undefined {
  if (KNOWN.test(model)) return undefined;
  return {
    status: 404,
    body: errorBody(`The model \`${model.slice(0, 100)}\` does not exist or you do not have access to it.`, 'invalid_request_error', 'model_not_found'),
  };
}

/** What the fields are each allowed and together are not. */
export function impossible(request: ChatRequest): Failure | undefined {
  return impossibleTogether(request) ?? unsupported(request) ?? wrongCalls(request) ?? wrongSchema(request);
}

function impossibleTogether(request: ChatRequest): Failure | undefined {
  const { tools, tool_choice: choice } = request;
  if (request.stream_options != null && request.stream !== true)
    return invalid("The 'stream_options' parameter is only allowed when 'stream' is enabled.", null, 'stream_options');
  if (request.max_tokens != null && request.max_completion_tokens != null)
    return invalid('Setting max_tokens and max_completion_tokens at the same time is not supported.');
  if (choice !== undefined && tools === undefined) return invalid("'tool_choice' is only allowed when 'tools' are specified.", null, 'tool_choice');
  if (request.parallel_tool_calls !== undefined && tools === undefined)
    return invalid("'parallel_tool_calls' is only allowed when 'tools' are specified.", null, 'parallel_tool_calls');
  if (request.top_logprobs != null && request.logprobs !== true)
    return invalid("The 'top_logprobs' parameter is only allowed when 'logprobs' is enabled.", null, 'top_logprobs');
  const named = typeof choice === 'object' ? (choice.type === 'function' ? [choice] : choice.allowed_tools.tools) : [];
  const unknown = named.find(({ function: { name } }) => tools?.some((tool) => tool.function.name === name) !== true);
  if (unknown !== undefined) return invalid(`Tool choice '${unknown.function.name}' not found in 'tools' parameter.`, null, 'tool_choice');
  if (request.response_format?.type === 'json_object' && !/json/i.test(JSON.stringify(request.messages))) {
    return invalid("'messages' must contain the word 'json' in some form, to use 'response_format' of type 'json_object'.", null, 'messages');
  }
  return undefined;
}

function unsupported(request: ChatRequest): Failure | undefined {
  const { model, reasoning_effort: effort, max_tokens: cap } = request;
  if (isPlain(model) && effort != null) return invalid('Unrecognized request argument supplied: reasoning_effort');
  if (!isReasoning(model)) return undefined;
  if (cap != null)
    return invalid(
      "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
      'unsupported_parameter',
      'max_tokens',
    );
  if (effort === 'none') return undefined;
  const defaults = [
    ['temperature', 1],
    ['top_p', 1],
    ['presence_penalty', 0],
    ['frequency_penalty', 0],
  ] as const;
  const changed = defaults.find(([name, value]) => request[name] != null && request[name] !== value);
  if (changed === undefined) return undefined;
  return invalid(
    `Unsupported value: '${changed[0]}' does not support ${request[changed[0]]} with this model. Only the default (${changed[1]}) value is supported.`,
    'unsupported_value',
    changed[0],
  );
}

/** Every call is answered right after it, and nothing else is. */
function wrongCalls({ messages }: ChatRequest): Failure | undefined {
  let open = new Set<string>();
  for (const [index, message] of messages.entries()) {
    if (message.role === 'tool') {
      if (!open.delete(message.tool_call_id))
        return invalid(
          "Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.",
          null,
          `messages.[${index}].role`,
        );
      continue;
    }
    if (open.size > 0) return unanswered(open, index);
    open = new Set(message.role === 'assistant' ? message.tool_calls?.map(({ id }) => id) : []);
  }
  return open.size > 0 ? unanswered(open, messages.length) : undefined;
}

function unanswered(open: ReadonlySet<string>, index: number): Failure {
  const ids = [...open].join(', ');
  return invalid(
    `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${ids}`,
    null,
    `messages.[${index}].role`,
  );
}

function wrongSchema({ response_format: format, tools = [] }: ChatRequest): Failure | undefined {
  if (format?.type === 'json_schema' && format.json_schema.strict === true) {
    const problem = strictProblem(format.json_schema.schema);
    if (problem !== undefined) return invalid(`Invalid schema for response_format '${format.json_schema.name}': ${problem}`, null, 'response_format');
  }
  for (const [index, { function: tool }] of tools.entries()) {
    const problem = tool.strict === true ? strictProblem(tool.parameters) : undefined;
    if (problem !== undefined)
      return invalid(`Invalid schema for function '${tool.name}': ${problem}`, 'invalid_function_parameters', `tools[${index}].function.parameters`);
  }
  return undefined;
}
