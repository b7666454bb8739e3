import { isObjectId } from './state.ts';
import type { StateAction, StateKind } from './state.ts';
import type { EndpointMatch, Endpoint, StateOperation } from './types.ts';

/** One path of a dialect's that deals with what is kept. `{id}` stands for an object's id. */
export interface StatePath {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly kind: StateKind;
  readonly action: StateAction;
  readonly body: Endpoint['body'];
}

const OPERATIONS: Readonly<Record<StateKind, StateOperation>> = {
  file: 'files',
  batch: 'batches',
  response: 'stored_responses',
  item: 'stored_responses',
  cached_content: 'cached_contents',
};

/** Finds a path below the API's root in a table; `undefined` where the table has nothing for it. */
export function matchStatePath(table: readonly StatePath[], method: string, below: string): EndpointMatch | undefined {
  const rows = table.flatMap((row) => {
    const id = idIn(row.path, below);
    return id === undefined ? [] : [{ row, id }];
  });
  if (rows.length === 0) return undefined;
  const found = rows.find(({ row }) => row.method === method);
  if (found === undefined) return { kind: 'method_not_allowed', allow: [...new Set(rows.map(({ row }) => row.method))].join(', ') };
  const { row, id } = found;
  const state = { kind: row.kind, action: row.action, ...(id === '' ? {} : { id }) };
  return { kind: 'endpoint', endpoint: { operation: OPERATIONS[row.kind], path: below, body: row.body, state } };
}

/** The id where `{id}` stands; empty for a path that has none; `undefined` where the paths differ. */
function idIn(pattern: string, path: string): string | undefined {
  const place = pattern.indexOf('{id}');
  if (place < 0) return pattern === path ? '' : undefined;
  const [before, after] = [pattern.slice(0, place), pattern.slice(place + '{id}'.length)];
  if (!path.startsWith(before) || !path.endsWith(after) || path.length <= before.length + after.length) return undefined;
  const id = path.slice(before.length, path.length - after.length);
  return isObjectId(id) ? id : undefined;
}
