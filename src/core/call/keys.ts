import type { Refusal } from '../dialects/index.ts';
import type { ProviderPolicy } from '../policy/index.ts';
import { err, ok } from '../units/index.ts';
import type { Result } from '../units/index.ts';
import type { CallPorts } from './ports.ts';
import { refusal } from './refusals.ts';

/** A provider's key as it is now; `undefined`: it takes none. */
export function keyOf(provider: ProviderPolicy, ports: CallPorts): Result<string | undefined, Refusal> {
  if (provider.key === undefined) return ok(undefined);
  const key = ports.keys.get(provider.key);
  return key === undefined
    ? err(refusal('provider_key_missing', `There is no usable key for the provider ${provider.id}. Its operator finds the reason in the readiness report.`))
    : ok(key);
}

/** Tells the key store what the provider thought of its key. */
export function noteKey({ key }: ProviderPolicy, status: number, ports: CallPorts): void {
  if (key === undefined) return;
  if (status === 401 || status === 403) ports.keys.rejected(key);
  else if (status < 400) ports.keys.accepted(key);
}
