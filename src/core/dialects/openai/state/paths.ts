import { matchStatePath } from '../../statepath.ts';
import type { StatePath } from '../../statepath.ts';
import type { EndpointMatch } from '../../types.ts';

/** Source: the paths in the `openai` package's `files`, `batches` and `responses`. */
const PATHS: readonly StatePath[] = [
  { method: 'GET', path: '/files', kind: 'file', action: 'list', body: 'none' },
  { method: 'POST', path: '/files', kind: 'file', action: 'create', body: 'multipart' },
  { method: 'GET', path: '/files/{id}', kind: 'file', action: 'get', body: 'none' },
  { method: 'DELETE', path: '/files/{id}', kind: 'file', action: 'delete', body: 'none' },
  { method: 'GET', path: '/files/{id}/content', kind: 'file', action: 'content', body: 'none' },
  { method: 'GET', path: '/batches', kind: 'batch', action: 'list', body: 'none' },
  { method: 'POST', path: '/batches', kind: 'batch', action: 'create', body: 'json' },
  { method: 'GET', path: '/batches/{id}', kind: 'batch', action: 'get', body: 'none' },
  { method: 'POST', path: '/batches/{id}/cancel', kind: 'batch', action: 'cancel', body: 'none' },
  { method: 'GET', path: '/responses/{id}', kind: 'response', action: 'get', body: 'none' },
  { method: 'DELETE', path: '/responses/{id}', kind: 'response', action: 'delete', body: 'none' },
  { method: 'GET', path: '/responses/{id}/input_items', kind: 'response', action: 'content', body: 'none' },
  { method: 'POST', path: '/responses/{id}/cancel', kind: 'response', action: 'cancel', body: 'none' },
];

/** Below `/responses/`, names of operations, which are no ids. */
const NO_IDS: ReadonlySet<string> = new Set(['compact', 'input_tokens']);

/** What a path does with files, batches and stored responses; `undefined` where it is none of theirs. */
export function stateMatch(method: string, below: string): EndpointMatch | undefined {
  const [, first = '', second = ''] = below.split('/', 3);
  return first === 'responses' && NO_IDS.has(second) ? undefined : matchStatePath(PATHS, method, below);
}
