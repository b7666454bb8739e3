/**
 * What Anthropic keeps: message batches and files.
 *
 * Owns how these are named, listed and read. Must never know whose they are.
 */
import { ok } from '../../../units/index.ts';
import { bodyForm } from '../../content.ts';
import type { StateKind, StateLanguage } from '../../state.ts';
import { filterPage, widenQuery } from '../../statelist.ts';
import { NOTHING_WATCHED, ObjectWatcher, secondsOfTime } from '../../statewatch.ts';
import { readBatch, readBatchCreation, readResults } from './batches.ts';
import { localResults } from './results-url.ts';

const NO_RELATED: ReadonlyMap<string, StateKind> = new Map();

const MULTIPART: ReadonlySet<'multipart'> = new Set(['multipart']);

/** Batches of a page where the caller does not say, and at most. Source: API reference, "List Message Batches". */
const USUAL_PAGE = 20;
const LARGEST_PAGE = 1000;

const NAMES: Readonly<Record<StateKind, string>> = {
  file: 'File',
  batch: 'Message batch',
  response: 'Response',
  item: 'Item',
  cached_content: 'Cached content',
};

export const state: StateLanguage = {
  absent: ({ kind, id }) => `${NAMES[kind]} ${id} was not found.`,
  readCreation: (endpoint, body, headers) => {
    if (endpoint.state?.kind === 'batch') return readBatchCreation(body, headers);
    const form = bodyForm(headers, MULTIPART);
    return form.ok ? ok({ kind: 'plain' }) : form;
  },
  watch: (endpoint, answer, found) => {
    const kind = endpoint.state?.kind;
    if (answer === 'sse' || kind === undefined) return NOTHING_WATCHED;
    // A batch stays for 29 days, and its `expires_at` is the end of its work.
    const expires = { path: 'expires_at', read: kind === 'file' ? secondsOfTime : () => undefined };
    return new ObjectWatcher({ kind, id: 'id', expires, related: NO_RELATED }, found);
  },
  widenList: (endpoint, query) => {
    // Files go on by a token, behind all that a page held; and a page backwards is the one just before an id: neither may be cut.
    const isFixed = endpoint.state?.kind === 'file' || /[?&]before_id=/.test(query);
    return isFixed ? { query, limit: Infinity } : widenQuery(query, 'limit', USUAL_PAGE, LARGEST_PAGE);
  },
  filterList: (endpoint, body, owns, limit) =>
    filterPage(body, { items: 'data', kind: endpoint.state?.kind ?? 'file', id: 'id', related: NO_RELATED, namesEnds: true }, owns, limit),
  rewrite: { concerns: ({ state: target }) => target?.kind === 'batch' && target.action !== 'content' && target.action !== 'delete', edit: localResults },
  batchPath: (id) => `/messages/batches/${id}`,
  readBatch,
  readResults,
};
