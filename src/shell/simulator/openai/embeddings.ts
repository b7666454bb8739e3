import { spoiltUsage } from '../answer.ts';
import type { Exchange } from '../api.ts';
import { NOTHING } from '../books.ts';
import { deliver, refuse } from '../deliver.ts';
import { countTokens } from '../text.ts';
import { vectorOf } from '../vector.ts';
import { invalid, parsed } from './errors.ts';
import { unknownModel } from './rules.ts';
import { embeddingRequest, moderationRequest } from './schema.ts';
import type { EmbeddingRequest } from './schema.ts';

const DEFAULT_DIMENSIONS = 1536;

/** Of one input. Source: `EmbeddingCreateParams.input` of the `openai` package. */
const MAX_INPUT_TOKENS = 8192;

export async function embeddings(body: unknown, exchange: Exchange): Promise<void> {
  const request = parsed(embeddingRequest, body, exchange);
  if (request === undefined) return;
  const unknown = unknownModel(request.model);
  if (unknown !== undefined) return refuse(exchange, unknown);
  const inputs = inputsOf(request);
  const counts = inputs.map((one) => (typeof one === 'string' ? countTokens(one) : one.length));
  const longest = Math.max(...counts);
  if (longest > MAX_INPUT_TOKENS) {
    const problem = `This model's maximum context length is ${MAX_INPUT_TOKENS} tokens, and an input has ${longest}.`;
    return refuse(exchange, invalid(problem, 'context_length_exceeded', 'input'));
  }
  const input = counts.reduce((sum, count) => sum + count, 0);
  const data = inputs.map((one, index) => {
    const vector = vectorOf(typeof one === 'string' ? one : JSON.stringify(one), request.dimensions ?? DEFAULT_DIMENSIONS);
    return { object: 'embedding', index, embedding: request.encoding_format === 'base64' ? Buffer.from(vector.buffer).toString('base64') : [...vector] };
  });
  const usage = spoiltUsage({ prompt_tokens: input, total_tokens: input }, exchange.faults.usage);
  await deliver(exchange, {
    model: request.model,
    counted: { ...NOTHING, input },
    stream: undefined,
    body: () => ({ object: 'list', data, model: request.model, usage }),
  });
}

function inputsOf({ input }: EmbeddingRequest): readonly (string | readonly number[])[] {
  if (typeof input === 'string') return [input];
  return typeof input[0] === 'number' ? [input as number[]] : (input as (string | number[])[]);
}

export function moderations(body: unknown, exchange: Exchange): void {
  const request = parsed(moderationRequest, body, exchange);
  if (request === undefined) return;
  const results = [request.input].flat().map(() => ({ flagged: false, categories: {}, category_scores: {}, category_applied_input_types: {} }));
  exchange.answer.json(200, { id: 'modr-simulated', model: request.model ?? 'omni-moderation-latest', results });
}
