import type { ProviderAuth } from '../types.ts';

/**
 * What a caller may send to say who it is, in any dialect's form. `openai-organization` and `openai-project` choose who
 * is billed. Cookies go too: they belong to the caller's own site or proxy, and a provider must not learn them.
 */
const CALLER_CREDENTIALS: readonly string[] = [
  'authorization',
  'api-key',
  'x-api-key',
  'x-goog-api-key',
  'openai-organization',
  'openai-project',
  'proxy-authorization',
  'cookie',
];

/** Bearer authentication. An empty key sets nothing, for providers that take none. Source: OpenAI API reference, "Authentication". */
export function auth(key: string): ProviderAuth {
  return { set: key === '' ? [] : [['authorization', `Bearer ${key}`]], remove: CALLER_CREDENTIALS };
}
