import { spoiltUsage } from '../answer.ts';
import type { Exchange } from '../api.ts';
import type { Counted } from '../books.ts';
import { refuse } from '../deliver.ts';
import type { Faults } from '../faults.ts';
import { chat as openaiChat, OPENAI_STYLE } from '../openai/chat.ts';
import type { ChatQuestion, ChatStyle } from '../openai/chat.ts';
import { promptOf } from '../openai/prompt.ts';
import { parsed } from './errors.ts';
import { impossible, thinks } from './rules.ts';
import { deepseekRequest } from './schema.ts';

/** Beginnings are kept in pieces of this many tokens. Source: DeepSeek API docs, "Context Caching". */
const CACHE = { least: 64, step: 64 };

const STYLE: ChatStyle = {
  ...OPENAI_STYLE,
  read,
  cache: CACHE,
  usage,
  thoughts: 'reasoning_content',
  alwaysUsage: true,
  more: { system_fingerprint: 'fp_simulated_ds' },
};

/** DeepSeek's chat completions. Source: DeepSeek API docs, "Create Chat Completion". */
export async function chat(body: unknown, exchange: Exchange): Promise<void> {
  await openaiChat(body, exchange, STYLE);
}

function read(body: unknown, exchange: Exchange): ChatQuestion | undefined {
  const request = parsed(deepseekRequest, body, exchange);
  if (request === undefined) return undefined;
  const problem = impossible(request);
  if (problem === undefined) return { form: request, prompt: { ...promptOf(request), thinking: thinks(request) ? Number.POSITIVE_INFINITY : 0 } };
  refuse(exchange, problem);
  return undefined;
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
