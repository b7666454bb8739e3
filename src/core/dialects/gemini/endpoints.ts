import type { Endpoint, EndpointMatch } from '../types.ts';
import { asksForEvents } from './query.ts';
import { BATCH_METHOD, stateMatch } from './state/paths.ts';

/** Longest model id in a path, as it is written there. */
const MAX_MODEL_SEGMENT_CHARS = 512;

/** The versions of the API, which differ in what they know and not in how it is said. */
const VERSION = /^\/v1(?:alpha|beta)?(?=\/)/;

const MODELS = '/models/';

/** What follows the model's name, after a colon. */
const METHODS: ReadonlyMap<string, Pick<Endpoint, 'operation' | 'stream'>> = new Map([
  ['generateContent', { operation: 'chat', stream: false }],
  ['streamGenerateContent', { operation: 'chat', stream: true }],
  ['embedContent', { operation: 'embeddings' }],
  ['batchEmbedContents', { operation: 'embeddings' }],
  ['countTokens', { operation: 'count_tokens' }],
]);

/** Methods of a model whose outcome the provider keeps. */
const STATEFUL_METHODS: ReadonlyMap<string, string> = new Map([
  ['asyncBatchEmbedContent', 'batches'],
  ['predictLongRunning', 'operations'],
]);

/** First segments under which the provider keeps things for whoever holds the key, and which are not let through (`state/paths.ts` has those that are). */
const STATEFUL: ReadonlyMap<string, string> = new Map([
  ['agents', 'agents'],
  ['auth_tokens', 'ephemeral tokens'],
  ['batches', 'batches'],
  ['batchPredictionJobs', 'batches'],
  ['cachedContents', 'cached contents'],
  ['corpora', 'corpora'],
  ['credentials', 'credentials'],
  ['download', 'files'],
  ['environments', 'environments'],
  ['fileSearchStores', 'file search stores'],
  ['files', 'files'],
  ['generatedFiles', 'generated files'],
  ['interactions', 'interactions'],
  ['media', 'files'],
  ['operations', 'operations'],
  ['ragStores', 'file search stores'],
  ['triggers', 'triggers'],
  ['tunedModels', 'tuned models'],
  ['tuningJobs', 'tuning jobs'],
  ['upload', 'files'],
  ['voices', 'voices'],
  ['webhooks', 'webhooks'],
]);

/**
 * Finds what a request asks for. The root is taken with and without the API's version. `path` should still have its query:
 * it says whether a stream comes as events or as an array. Model ids of other providers hold slashes, as they are or
 * percent-encoded.
 * Source: the paths in `@google/genai`; Gemini API reference, "All methods".
 */
export function match(method: string, path: string): EndpointMatch {
  const end = path.search(/[?#]/);
  const whole = end === -1 ? path : path.slice(0, end);
  const query = end === -1 ? '' : path.slice(end);
  const below = whole.replace(VERSION, '');
  const kept = stateMatch(method, below) ?? batchCreation(method, below);
  if (kept !== undefined) return kept;
  const what = statefulName(below);
  if (what !== undefined) return { kind: 'stateful', what };
  const endpoint = endpointAt(below, query);
  const isForeignMethod = endpoint?.operation === 'models' && method === 'POST' && below.includes(':');
  if (endpoint === undefined || isForeignMethod) return { kind: 'unknown' };
  const allow = endpoint.body === 'none' ? 'GET' : 'POST';
  return method === allow ? { kind: 'endpoint', endpoint } : { kind: 'method_not_allowed', allow };
}

/**
 * The path below the API's root for another model, with the query that it needs: `?alt=sse` where the stream is to come
 * as events. The whole model id is one segment; a slash in it is encoded.
 */
export function pathAt(endpoint: Endpoint, model: string): string {
  if (endpoint.state !== undefined) return endpoint.model === undefined ? endpoint.path : modelPath(model, BATCH_METHOD);
  const method = methodOf(endpoint.path);
  if (method === undefined) return endpoint.path;
  return `${modelPath(model, method)}${endpoint.streamForm === 'sse' ? '?alt=sse' : ''}`;
}

/** An endpoint of a model by the name of its method, which must be one of this API's. */
export function endpointOf(model: string, method: string, streamForm: 'sse' | 'json_array'): Endpoint {
  const known = METHODS.get(method);
  if (known === undefined) throw new TypeError(`${method} is no method that is spoken here.`);
  return { ...known, path: modelPath(model, method), body: 'json', model, ...(known.stream === true ? { streamForm } : {}) };
}

/** The method in an endpoint's path: `generateContent`. `undefined` for the list of models and its items. */
export function methodOf(path: string): string | undefined {
  const colon = path.lastIndexOf(':');
  const method = colon === -1 ? '' : path.slice(colon + 1);
  return METHODS.has(method) ? method : undefined;
}

/** A model's name without the collection that Google writes before it. */
export function bareModel(model: string): string {
  return model.startsWith('models/') ? model.slice('models/'.length) : model;
}

function modelPath(model: string, method: string): string {
  return `${MODELS}${segmentOf(bareModel(model))}:${method}`;
}

function segmentOf(model: string): string {
  return encodeURIComponent(model.toWellFormed());
}

function endpointAt(below: string, query: string): Endpoint | undefined {
  if (below === '/models') return { operation: 'models', path: below, body: 'none' };
  const rest = below.startsWith(MODELS) ? below.slice(MODELS.length) : '';
  const method = methodOf(rest);
  const model = modelIn(method === undefined ? rest : rest.slice(0, -method.length - 1));
  if (model === undefined) return undefined;
  if (method === undefined) return { operation: 'models', path: `${MODELS}${segmentOf(model)}`, body: 'none', model };
  return endpointOf(model, method, asksForEvents(query) ? 'sse' : 'json_array');
}

/** A batch is made at its model's own path. */
function batchCreation(method: string, below: string): EndpointMatch | undefined {
  const suffix = `:${BATCH_METHOD}`;
  const model = below.startsWith(MODELS) && below.endsWith(suffix) ? modelIn(below.slice(MODELS.length, -suffix.length)) : undefined;
  if (model === undefined) return undefined;
  if (method !== 'POST') return { kind: 'method_not_allowed', allow: 'POST' };
  return {
    kind: 'endpoint',
    endpoint: { operation: 'batches', path: modelPath(model, BATCH_METHOD), body: 'json', model, state: { kind: 'batch', action: 'create' } },
  };
}

/** The model that a segment names; `undefined` where it names none. */
function modelIn(segment: string): string | undefined {
  if (segment === '' || segment.length > MAX_MODEL_SEGMENT_CHARS) return undefined;
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

function statefulName(below: string): string | undefined {
  const [, first = ''] = below.split('/', 2);
  const method = below.startsWith(MODELS) ? below.slice(below.lastIndexOf(':') + 1) : '';
  return STATEFUL.get(first.split(':', 1)[0] ?? '') ?? STATEFUL_METHODS.get(method);
}
