import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';

/**
 * Belief in a provider's own authorities (PEM), or where it has none, in those of the file, read when it is first needed. Where
 * there is no such file, in those of the runtime.
 */
export function trustIn(caFile: string): (caCertificates: string | undefined) => SecureContext | undefined {
  let shared: { readonly context: SecureContext | undefined } | undefined;
  return (caCertificates) => (caCertificates === undefined ? (shared ??= { context: contextOf(caFile) }).context : createSecureContext({ ca: caCertificates }));
}

function contextOf(caFile: string): SecureContext | undefined {
  try {
    return createSecureContext({ ca: readFileSync(caFile) });
  } catch {
    return undefined;
  }
}
