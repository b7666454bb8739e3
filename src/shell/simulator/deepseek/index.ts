import { bearerOf, isObject, jsonOf } from '../api.ts';
import type { Call, Exchange, Failure, Keys, SimulatedApi } from '../api.ts';
import { spoiltUsage } from '../answer.ts';
import type { Counted } from '../books.ts';
import type { Faults } from '../faults.ts';
import { chat, OPENAI_STYLE } from '../openai/chat.ts';
import type { ChatStyle } from '../openai/chat.ts';
import { errorBody, failure, invalid } from '../openai/errors.ts';
import type { ChatRequest } from '../openai/schema.ts';

/** Its own names of its models; relays have others for them. */
const MODELS = new Set(['deepseek-chat', 'deepseek-reasoner']);

/** DeepSeek's chat completions. Source: DeepSeek API docs, "Create Chat Completion", "Reasoning Model", "Context Caching". */
export const deepseek: SimulatedApi = {
  name: 'deepseek',
  speaks: (call) => {
    if (!/^(?:\/v1|\/beta)?\/chat\/completions$/.test(call.path)) return false;
    const body = jsonOf(call);
    return isObject(body) && MODELS.has(String(body['model']));
  },
  headers: (requestId) => ({ 'x-ds-trace-id': requestId }),
  keyFault,
  failure: (status, message) => failure(status, message),
  serve,
};

function keyFault(call: Call, keys: Keys): Failure | undefined {
  if (keys === 'any' || keys.includes(bearerOf(call) ?? '')) return undefined;
  return { status: 401, body: errorBody('Authentication Fails, Your api key is invalid', 'authentication_error', 'invalid_request_error') };
}

async function serve(call: Call, exchange: Exchange): Promise<void> {
  await chat(jsonOf(call), exchange, STYLE);
}

const STYLE: ChatStyle = { ...OPENAI_STYLE, refuses, usage, thoughts: 'reasoning_content', alwaysUsage: true, more: { system_fingerprint: 'fp_simulated_ds' } };

/** What OpenAI takes and DeepSeek does not. */
function refuses({ messages, response_format: format }: ChatRequest): Failure | undefined {
  for (const [index, { role, content }] of messages.entries()) {
    if (role === 'developer') return invalid(`Failed to deserialize the JSON body into the target type: messages[${index}].role: unknown variant \`developer\`, expected one of \`system\`, \`user\`, \`assistant\`, \`tool\``);
    const other = Array.isArray(content) ? content.find(({ type }) => type !== 'text') : undefined;
    if (other !== undefined) return invalid(`Failed to deserialize the JSON body into the target type: messages[${index}]: unknown variant \`${other.type}\`, expected \`text\``);
  }
  return format?.type === 'json_schema' ? invalid('This response_format type is unavailable now') : undefined;
}

function usage({ input, cached, output, reasoning }: Counted, faults: Faults): unknown {
  const counts = {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: cached },
    ...(reasoning === 0 ? {} : { completion_tokens_details: { reasoning_tokens: reasoning } }),
    prompt_cache_hit_tokens: cached,
    prompt_cache_miss_tokens: input - cached,
  };
  return spoiltUsage(counts, faults.usage);
}
