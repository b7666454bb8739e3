/**
 * What Gemini keeps: cached contents and batches. Files are not let through, as their uploads go to addresses of their own.
 *
 * Owns how these are named, listed and read. Must never know whose they are.
 */
import type { StateKind, StateLanguage } from '../../state.ts';
import { filterPage } from '../../statelist.ts';
import { NOTHING_WATCHED, ObjectWatcher, secondsOfTime } from '../../statewatch.ts';
import { readBatch, readResults } from './batch.ts';
import { readCreation } from './creation.ts';
import { idIn } from './paths.ts';

const NO_RELATED: ReadonlyMap<string, StateKind> = new Map();

const countOf = (value: unknown): number | undefined => (typeof value === 'number' && value >= 0 ? value : undefined);

export const state: StateLanguage = {
  absent: () => 'Requested entity was not found.',
  readCreation,
  watch: (endpoint, answer, found) => {
    const kind = endpoint.state?.kind;
    if (answer === 'sse' || (kind !== 'batch' && kind !== 'cached_content')) return NOTHING_WATCHED;
    const more =
      kind === 'cached_content'
        ? { expires: { path: 'expireTime', read: secondsOfTime }, tokens: { path: 'usageMetadata.totalTokenCount', read: countOf } }
        : {};
    return new ObjectWatcher({ kind, id: 'name', idOf: (name) => idIn(kind, name), ...more, related: NO_RELATED }, found);
  },
  // A page goes on by a token of the provider's, behind all that it held: what is cut off would be lost.
  widenList: (_endpoint, query) => ({ query, limit: Infinity }),
  filterList: (endpoint, body, owns, limit) => {
    const kind = endpoint.state?.kind === 'batch' ? 'batch' : 'cached_content';
    return filterPage(
      body,
      { items: kind === 'batch' ? 'operations' : 'cachedContents', kind, id: 'name', idOf: (name) => idIn(kind, name), related: NO_RELATED, namesEnds: false },
      owns,
      limit,
    );
  },
  batchPath: (id) => `/batches/${id}`,
  readBatch,
  readResults,
};
