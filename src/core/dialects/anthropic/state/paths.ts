import { matchStatePath } from '../../statepath.ts';
import type { StatePath } from '../../statepath.ts';
import type { EndpointMatch } from '../../types.ts';

/** Source: the paths of `messages.batches` and `beta.files` in `@anthropic-ai/sdk`. */
const PATHS: readonly StatePath[] = [
  { method: 'GET', path: '/messages/batches', kind: 'batch', action: 'list', body: 'none' },
  { method: 'POST', path: '/messages/batches', kind: 'batch', action: 'create', body: 'json' },
  { method: 'GET', path: '/messages/batches/{id}', kind: 'batch', action: 'get', body: 'none' },
  { method: 'DELETE', path: '/messages/batches/{id}', kind: 'batch', action: 'delete', body: 'none' },
  { method: 'GET', path: '/messages/batches/{id}/results', kind: 'batch', action: 'content', body: 'none' },
  { method: 'POST', path: '/messages/batches/{id}/cancel', kind: 'batch', action: 'cancel', body: 'none' },
  { method: 'GET', path: '/files', kind: 'file', action: 'list', body: 'none' },
  { method: 'POST', path: '/files', kind: 'file', action: 'create', body: 'multipart' },
  { method: 'GET', path: '/files/{id}', kind: 'file', action: 'get', body: 'none' },
  { method: 'DELETE', path: '/files/{id}', kind: 'file', action: 'delete', body: 'none' },
  { method: 'GET', path: '/files/{id}/content', kind: 'file', action: 'content', body: 'none' },
];

/** What a path does with message batches and files; `undefined` where it is none of theirs. */
export function stateMatch(method: string, below: string): EndpointMatch | undefined {
  return matchStatePath(PATHS, method, below);
}
