import type { ProviderAuth } from '../types.ts';

/** The version of the API that this room was written for; a caller's own choice of another stays. */
const DEFAULT_VERSION: readonly [string, string] = ['anthropic-version', '2023-06-01'];

/**
 * What a caller may send to say who it is, in any dialect's form. A workspace or a user profile chooses who is billed.
 * Cookies go too: they belong to the caller's own site or proxy, and a provider must not learn them.
 */
const CALLER_CREDENTIALS: readonly string[] = [
  'authorization',
  'api-key',
  'x-api-key',
  'x-goog-api-key',
  'anthropic-user-profile-id',
  'anthropic-workspace-id',
  'openai-organization',
  'openai-project',
  'proxy-authorization',
  'cookie',
];

/** An API key. An empty one sets nothing, for providers that take none. Source: Claude API reference, "Authentication" and "Versions". */
export function auth(key: string): ProviderAuth {
  return { set: key === '' ? [] : [['x-api-key', key]], remove: CALLER_CREDENTIALS, defaults: [DEFAULT_VERSION] };
}
