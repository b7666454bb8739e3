import { headerOf, jsonOf } from '../api.ts';
import type { Call, Exchange, Failure, Keys, SimulatedApi } from '../api.ts';
import { refuse } from '../deliver.ts';
import { count, generate } from './chat.ts';
import { embed, embedMany } from './embeddings.ts';
import { failure } from './errors.ts';
import { MODELS, methodsOf, supports } from './rules.ts';

const PATH = /^\/v1(?:beta|alpha)?\/models(?:\/([^:]+)(?::([A-Za-z]+))?)?$/;

/** Google's API of `generativelanguage`. */
export const gemini: SimulatedApi = {
  name: 'gemini',
  speaks,
  headers: () => ({ server: 'scaffolding on HTTPServer2', vary: 'Origin, X-Origin, Referer' }),
  keyFault,
  failure: (status, message) => failure(status, message, status === 429 ? [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '7s' }] : []),
  serve,
};

/** OpenAI's API has lists of models at `/v1` too: who brings a key as Google wants it means Google. */
function speaks(call: Call): boolean {
  const { path } = call;
  return (
    /^\/v1(?:beta|alpha)\//.test(path) || /^\/v1\/models\/[^:]+:[A-Za-z]+$/.test(path) || (/^\/v1\/models(?:\/|$)/.test(path) && keyOf(call) !== undefined)
  );
}

const keyOf = (call: Call): string | undefined => headerOf(call, 'x-goog-api-key') ?? call.query.get('key') ?? undefined;

function keyFault(call: Call, keys: Keys): Failure | undefined {
  const key = keyOf(call);
  if (keys === 'any' || keys.includes(key ?? '')) return undefined;
  if (key === undefined)
    return failure(
      403,
      "Method doesn't allow unregistered callers (callers without established identity). Please use API Key or other form of API consumer identity to call this API.",
    );
  return failure(400, 'API key not valid. Please pass a valid API key.', [
    {
      '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
      reason: 'API_KEY_INVALID',
      domain: 'googleapis.com',
      metadata: { service: 'generativelanguage.googleapis.com' },
    },
  ]);
}

async function serve(call: Call, exchange: Exchange): Promise<void> {
  const [, segment, method] = PATH.exec(call.path) ?? [];
  if (call.path.endsWith('/models')) return exchange.answer.json(200, { models: MODELS.map(modelObject) });
  const model = segment === undefined ? '' : decodeURIComponent(segment);
  if (segment === undefined) return refuse(exchange, failure(404, 'Requested entity was not found.'));
  if (!supports(model, method))
    return refuse(
      exchange,
      failure(
        404,
        `models/${model.slice(0, 100)} is not found for API version v1beta, or is not supported for ${method ?? 'get'}. Call ListModels to see the list of available models and their supported methods.`,
      ),
    );
  if (method === undefined) return exchange.answer.json(200, modelObject(model));
  if (call.method !== 'POST') return refuse(exchange, failure(404, 'Requested entity was not found.'));
  const body = jsonOf(call);
  switch (method) {
    case 'generateContent':
      return generate(model, body, exchange, 'whole');
    case 'streamGenerateContent':
      return generate(model, body, exchange, call.query.get('alt') === 'sse' ? 'events' : 'array');
    case 'countTokens':
      return count(model, body, exchange);
    case 'embedContent':
      return embed(model, body, exchange);
    case 'batchEmbedContents':
      return embedMany(model, body, exchange);
  }
}

const modelObject = (name: string): object => ({
  name: `models/${name}`,
  version: '001',
  displayName: name,
  inputTokenLimit: 1_048_576,
  outputTokenLimit: 65_536,
  supportedGenerationMethods: [...methodsOf(name)],
});
