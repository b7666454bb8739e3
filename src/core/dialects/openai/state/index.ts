/**
 * What OpenAI keeps: files, batches and stored responses.
 *
 * Owns how these are named, listed and read. Must never know whose they are.
 */
import { EventReader } from '../../sse.ts';
import { isObjectId, membersOf, textAt } from '../../state.ts';
import type { FoundObject, StateKind, StateLanguage, StateWatcher } from '../../state.ts';
import { filterPage, widenQuery } from '../../statelist.ts';
import { NOTHING_WATCHED, ObjectWatcher, secondsOf } from '../../statewatch.ts';
import { parseJson } from '../../../json/index.ts';
import type { Endpoint } from '../../types.ts';
import { readBatchCreation, readUpload } from './files.ts';
import { OUTPUT_FIELDS, readBatch, readResults } from './results.ts';

const NO_RELATED: ReadonlyMap<string, StateKind> = new Map();

const RELATED: Readonly<Partial<Record<StateKind, ReadonlyMap<string, StateKind>>>> = { batch: OUTPUT_FIELDS, response: new Map([['output[].id', 'item']]) };

/** Items of a page where the caller does not say, and at most. Source: API reference, "List files" and "List batches". */
const PAGES: Readonly<Partial<Record<StateKind, { readonly usual: number; readonly largest: number }>>> = {
  file: { usual: 10_000, largest: 10_000 },
  batch: { usual: 20, largest: 100 },
};

const ABSENT: Readonly<Record<StateKind, (id: string) => string>> = {
  file: (id) => `No such File object: ${id}`,
  batch: (id) => `No batch found with id '${id}'.`,
  response: (id) => `Response with id '${id}' not found.`,
  item: (id) => `Item with id '${id}' not found.`,
  cached_content: (id) => `No such object: ${id}`,
};

export const state: StateLanguage = {
  absent: ({ kind, id }) => ABSENT[kind](id),
  readCreation: (endpoint, body, headers) => (endpoint.state?.kind === 'file' ? readUpload(body, headers) : readBatchCreation(body, headers)),
  watch: (endpoint, answer, found) => {
    const kind = endpoint.state?.kind ?? 'response';
    if (answer === 'sse') return kind === 'response' ? new ResponseIdReader(found) : NOTHING_WATCHED;
    return new ObjectWatcher(
      { kind, id: 'id', expires: { path: 'expires_at', read: kind === 'file' ? secondsOf : () => undefined }, related: RELATED[kind] ?? NO_RELATED },
      found,
    );
  },
  widenList: (endpoint, query) => {
    const page = PAGES[endpoint.state?.kind ?? 'file'];
    return page === undefined ? { query, limit: Infinity } : widenQuery(query, 'limit', page.usual, page.largest);
  },
  filterList: (endpoint, body, owns, limit) => filterPage(body, shapeOf(endpoint), owns, limit),
  batchPath: (id) => `/batches/${id}`,
  readBatch,
  readResults,
};

function shapeOf({ state: target }: Endpoint): Parameters<typeof filterPage>[1] {
  const kind = target?.kind ?? 'file';
  return { items: 'data', kind, id: 'id', related: RELATED[kind] ?? NO_RELATED, namesEnds: true };
}

/** The event that begins an item of a response's output. Source: `ResponseOutputItemAddedEvent` of the `openai` package. */
const ITEM_ADDED = 'response.output_item.added';

/** Finds the id of a response that comes as a stream, which its first event has, and those of its items. */
class ResponseIdReader implements StateWatcher {
  readonly #found: (object: FoundObject) => void;
  readonly #reader = new EventReader(
    {
      event: (name, { bytes, start, end }) => {
        this.#read(name, bytes.subarray(start, end));
        return 'keep';
      },
      unreadable: () => undefined,
    },
    false,
  );
  #isNamed = false;

  constructor(found: (object: FoundObject) => void) {
    this.#found = found;
  }

  push(chunk: Uint8Array, endOfStream: boolean): void {
    this.#reader.push(chunk, endOfStream);
  }

  #read(name: string, data: Uint8Array): void {
    // Other events hold texts, and the last one the whole answer: they are not parsed again.
    if (this.#isNamed && name !== ITEM_ADDED) return;
    const parsed = parseJson(data);
    if (!parsed.ok) return;
    const members = membersOf(parsed.value, parsed.value.root);
    const idOf = (member: string): string | undefined => textAt(parsed.value, membersOf(parsed.value, members.get(member)), 'id');
    const [response, item] = [idOf('response'), idOf('item')];
    if (item !== undefined && isObjectId(item)) this.#found({ kind: 'item', id: item });
    if (this.#isNamed || response === undefined || !isObjectId(response)) return;
    this.#isNamed = true;
    this.#found({ kind: 'response', id: response });
  }
}
