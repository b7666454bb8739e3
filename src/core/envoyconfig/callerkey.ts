import { CALLER_KEY_HEADER, OWN_KEY } from './settings.ts';
import type { Json } from './settings.ts';

/** Where SDKs put keys. A `Bearer` before it is part of no key. */
const KEY_HEADERS = ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key'] as const;

/**
 * Has Envoy say in a header whether a caller sends a key of its own, in a word, so that nobody else need read the key. Written
 * over what a caller sends by that name.
 * Source: Envoy, "Substitution formatter", CEL; "Attributes", request.
 */
export function callerKey(placeholder: string): Json {
  return {
    append: {
      header: { key: CALLER_KEY_HEADER, value: `%CEL(${sendsOwn(placeholder)} ? '${OWN_KEY}' : 'none')%` },
      append_action: 'OVERWRITE_IF_EXISTS_OR_ADD',
    },
  };
}

/** In a query a key goes by `key`, as Google's API takes it. Without regular expressions, which Envoy would compile anew for each call. */
function sendsOwn(placeholder: string): string {
  const inHeader = KEY_HEADERS.map((name) => `('${name}' in request.headers && !request.headers['${name}'].endsWith('${placeholder}'))`);
  const inQuery = `((request.path.contains('?key=') || request.path.contains('&key=')) && !request.path.contains('key=${placeholder}'))`;
  return [...inHeader, inQuery].join(' || ');
}
