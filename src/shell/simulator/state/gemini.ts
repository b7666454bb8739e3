import { jsonAnswer, urlOf } from './answers.ts';
import type { KeptAnswer, KeptBatch, KeptRequest, KeptRoute, KeptThings } from './kept.ts';

/** Tokens of any content that is cached. */
const CACHED_TOKENS = 4096;

const HOUR_MS = 3_600_000;

const notFound = (): KeptAnswer => jsonAnswer(404, { error: { code: 404, message: 'Requested entity was not found.', status: 'NOT_FOUND' } });

const STATES = { open: 'RUNNING', cancelling: 'RUNNING', ended: 'SUCCEEDED', cancelled: 'CANCELLED', failed: 'FAILED' } as const;

const operation = ({ id, state, results, requests }: KeptBatch): object => ({
  name: `batches/${id}`,
  metadata: {
    '@type': 'type.googleapis.com/google.ai.generativelanguage.v1main.GenerateContentBatch',
    name: `batches/${id}`,
    state: `BATCH_STATE_${STATES[state]}`,
    batchStats: { requestCount: String(requests), successfulRequestCount: String(results.length) },
    ...(results.length === 0 ? {} : { output: { inlinedResponses: { inlinedResponses: results.map((result) => JSON.parse(result) as object) } } }),
  },
  ...(state === 'open' || state === 'cancelling' ? {} : { done: true }),
});

/** Source: Gemini API reference, "Caching" and "Batch API". */
export const geminiRoutes: readonly KeptRoute[] = [cachedContents, batches];

function cachedContents(request: KeptRequest, things: KeptThings): KeptAnswer | undefined {
  const [, id] = /^\/v1beta\/cachedContents(?:\/([^/:]+))?$/.exec(urlOf(request).pathname) ?? [undefined, undefined];
  if (!urlOf(request).pathname.startsWith('/v1beta/cachedContents')) return undefined;
  if (id === undefined) {
    if (request.method !== 'POST') return jsonAnswer(200, things.caches.size === 0 ? {} : { cachedContents: [...things.caches.values()] });
    const { model, displayName } = JSON.parse(request.body.toString('utf8')) as { model: string; displayName?: string };
    const name = things.newId('');
    const cached = {
      name: `cachedContents/${name}`,
      model,
      displayName,
      expireTime: new Date(Date.now() + HOUR_MS).toISOString(),
      usageMetadata: { totalTokenCount: CACHED_TOKENS },
    };
    things.caches.set(name, cached);
    return jsonAnswer(200, cached);
  }
  const cached = things.caches.get(id);
  if (cached === undefined) return notFound();
  if (request.method === 'DELETE') things.caches.delete(id);
  if (request.method === 'PATCH') things.caches.set(id, { ...cached, expireTime: new Date(Date.now() + 2 * HOUR_MS).toISOString() });
  return jsonAnswer(200, request.method === 'DELETE' ? {} : things.caches.get(id));
}

function batches(request: KeptRequest, things: KeptThings): KeptAnswer | undefined {
  const { pathname } = urlOf(request);
  const [, model] = /^\/v1beta\/models\/([^:]+):batchGenerateContent$/.exec(pathname) ?? [];
  if (model !== undefined) return createBatch(request, model, things);
  if (!/^\/v1beta\/batches(?:\/|$)/.test(pathname)) return undefined;
  const [, id, cancel] = /^\/v1beta\/batches\/([^/:]+)(:cancel)?$/.exec(pathname) ?? [];
  if (id === undefined) return jsonAnswer(200, { operations: [...things.batches.values()].map(operation) });
  const batch = things.batches.get(id);
  if (batch === undefined) return notFound();
  if (cancel !== undefined && batch.state === 'open') batch.state = 'cancelling';
  if (request.method === 'DELETE') things.batches.delete(id);
  return jsonAnswer(200, cancel !== undefined || request.method === 'DELETE' ? {} : operation(batch));
}

function createBatch(request: KeptRequest, model: string, things: KeptThings): KeptAnswer {
  const { batch: asked } = JSON.parse(request.body.toString('utf8')) as {
    batch: { inputConfig: { requests: { requests: { request: unknown; metadata?: unknown }[] } } };
  };
  const { requests } = asked.inputConfig.requests;
  const batch: KeptBatch = {
    id: things.newId(''),
    createdS: Math.floor(Date.now() / 1000),
    endpoint: model,
    inputFile: '',
    requests: requests.length,
    state: 'open',
    results: [],
    outputFile: undefined,
  };
  things.start(
    batch,
    requests.map(({ request: body, metadata }) => ({
      path: `/v1beta/models/${model}:generateContent`,
      body,
      lineOf: (served) => JSON.stringify({ response: served.body, metadata }),
    })),
    () => undefined,
  );
  return jsonAnswer(200, operation(batch));
}
