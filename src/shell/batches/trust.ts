import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';

/** Belief in the authorities of a file, read when it is first needed. Where there is no such file, in those of the runtime. */
export function trustIn(caFile: string): () => SecureContext | undefined {
  let trust: { readonly context: SecureContext | undefined } | undefined;
  return () => (trust ??= { context: contextOf(caFile) }).context;
}

function contextOf(caFile: string): SecureContext | undefined {
  try {
    return createSecureContext({ ca: readFileSync(caFile) });
  } catch {
    return undefined;
  }
}
