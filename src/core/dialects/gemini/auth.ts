import type { ProviderAuth } from '../types.ts';

/**
 * What a caller may send to say who it is, in any dialect's form. `x-goog-user-project` chooses who is billed,
 * `x-goog-fieldmask` could take the usage out of an answer, and `x-http-method-override` could make another request of
 * this one. Cookies belong to the caller's own site or proxy. A key in the query is taken out by `cleanQuery`.
 */
const CALLER_CREDENTIALS: readonly string[] = [
  'authorization',
  'api-key',
  'x-api-key',
  'x-goog-api-key',
  'x-goog-fieldmask',
  'x-goog-iam-authorization-token',
  'x-goog-user-project',
  'x-http-method-override',
  'proxy-authorization',
  'cookie',
];

/** The key in a header of its own. An empty key sets nothing, for providers that take none. Source: Gemini API reference, "Authentication". */
export function auth(key: string): ProviderAuth {
  return { set: key === '' ? [] : [['x-goog-api-key', key]], remove: CALLER_CREDENTIALS };
}
