import { encodeJson, JsonEditor, listOf, parseJson } from '../json/index.ts';
import { membersOf, textAt } from './state.ts';
import type { FilteredList, FoundObject, StateKind } from './state.ts';

/** Where a list's page keeps its items, and how they are named. */
export interface ListShape {
  readonly items: string;
  readonly kind: StateKind;
  readonly id: string;
  readonly idOf?: (text: string) => string;
  /** Fields of an item that name other objects of its owner. */
  readonly related: ReadonlyMap<string, StateKind>;
  /** Whether `first_id` and `last_id` name the page's ends, where they are there. */
  readonly namesEnds: boolean;
}

/**
 * A page of a list with only the items that are owned, byte for byte as they came, at most `limit` of them. Nothing of the
 * others stays: the names of the page's ends are those of what is left.
 */
export function filterPage(body: Uint8Array, shape: ListShape, owns: (kind: StateKind, id: string) => boolean, limit: number): FilteredList | undefined {
  const parsed = parseJson(body);
  if (!parsed.ok) return undefined;
  const document = parsed.value;
  const read = document.kind(document.root) === 'object' ? document.members(document.root) : undefined;
  // Of a key that comes twice, readers differ in which they take; so does which items would be seen.
  if (read?.ok !== true) return undefined;
  const members = read.value;
  const list = members.get(shape.items);
  // An empty collection is left out by Google's servers.
  if (list === undefined) return members.size === 0 ? { body, found: [] } : undefined;
  if (document.kind(list) !== 'array') return undefined;
  const own = document.items(list).flatMap((item) => {
    const fields = membersOf(document, item);
    const text = textAt(document, fields, shape.id);
    const id = text === undefined ? '' : (shape.idOf?.(text) ?? text);
    return owns(shape.kind, id) ? [{ item, name: text, fields }] : [];
  });
  const kept = own.slice(0, limit);
  const found = kept.flatMap(({ fields }): FoundObject[] =>
    [...shape.related].flatMap(([name, kind]) => {
      const id = textAt(document, fields, name);
      return id === undefined ? [] : [{ kind, id }];
    }),
  );
  const set = new Map<string, Uint8Array>([[shape.items, listOf(kept.map(({ item }) => document.bytes.subarray(document.start(item), document.end(item))))]]);
  if (shape.namesEnds && members.has('first_id')) set.set('first_id', encodeJson(kept[0]?.name ?? null));
  if (shape.namesEnds && members.has('last_id')) set.set('last_id', encodeJson(kept.at(-1)?.name ?? null));
  if (own.length > kept.length && members.has('has_more')) set.set('has_more', encodeJson(true));
  const editor = new JsonEditor(document);
  editor.editObject(document.root, members, { set, remove: new Set() });
  return { body: editor.finish(), found };
}

/** A list's query that asks for a page of `largest`, so that one's own are among it, and how many the caller asked for. */
export function widenQuery(query: string, name: string, usual: number, largest: number): { readonly query: string; readonly limit: number } {
  const parameters = query
    .replace(/^\?/, '')
    .split('&')
    .filter((parameter) => parameter !== '');
  const asked = parameters.findLast((parameter) => parameter.startsWith(`${name}=`))?.slice(name.length + 1);
  const number = asked === undefined ? usual : Number(asked);
  // What is no number of a page is for the provider to refuse.
  if (!Number.isInteger(number) || number < 1 || number > largest) return { query, limit: largest };
  const rest = parameters.filter((parameter) => !parameter.startsWith(`${name}=`));
  return { query: `?${[...rest, `${name}=${largest}`].join('&')}`, limit: number };
}
