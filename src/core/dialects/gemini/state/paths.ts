import { isObjectId } from '../../state.ts';
import { matchStatePath } from '../../statepath.ts';
import type { StatePath } from '../../statepath.ts';
import type { EndpointMatch } from '../../types.ts';

/** Source: the paths of `caches` and `batches` in `@google/genai`; Gemini API reference, "Caching" and "Batch API". */
const PATHS: readonly StatePath[] = [
  { method: 'GET', path: '/cachedContents', kind: 'cached_content', action: 'list', body: 'none' },
  { method: 'POST', path: '/cachedContents', kind: 'cached_content', action: 'create', body: 'json' },
  { method: 'GET', path: '/cachedContents/{id}', kind: 'cached_content', action: 'get', body: 'none' },
  { method: 'PATCH', path: '/cachedContents/{id}', kind: 'cached_content', action: 'update', body: 'json' },
  { method: 'DELETE', path: '/cachedContents/{id}', kind: 'cached_content', action: 'delete', body: 'none' },
  { method: 'GET', path: '/batches', kind: 'batch', action: 'list', body: 'none' },
  { method: 'GET', path: '/batches/{id}', kind: 'batch', action: 'get', body: 'none' },
  { method: 'POST', path: '/batches/{id}:cancel', kind: 'batch', action: 'cancel', body: 'none' },
  { method: 'DELETE', path: '/batches/{id}', kind: 'batch', action: 'delete', body: 'none' },
];

/** The method of a model by which a batch is made. */
export const BATCH_METHOD = 'batchGenerateContent';

const COLLECTIONS = { cached_content: 'cachedContents/', batch: 'batches/' } as const;

/** What a path does with cached contents and batches; `undefined` where it is none of theirs. A batch is made at its model. */
export function stateMatch(method: string, below: string): EndpointMatch | undefined {
  return matchStatePath(PATHS, method, below);
}

/** The id in a name: `abc` of `cachedContents/abc`. Empty where it is no such name. */
export function idIn(kind: keyof typeof COLLECTIONS, name: string): string {
  const collection = COLLECTIONS[kind];
  const id = name.startsWith(collection) ? name.slice(collection.length) : '';
  return isObjectId(id) ? id : '';
}

/** Parameters of a query that go on to the provider: which page, and what is changed. */
const PARAMETERS: ReadonlySet<string> = new Set(['pageSize', 'pageToken', 'updateMask']);

export function stateQuery(query: string): string {
  const kept = query
    .replace(/^\?/, '')
    .split('&')
    .filter((parameter) => PARAMETERS.has(parameter.split('=', 1)[0] ?? ''));
  return kept.length === 0 ? '' : `?${kept.join('&')}`;
}
