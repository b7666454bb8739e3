import type { AIProviderStatus, CompiledProvider } from '../policy/index.ts';
import type { EpochMs } from '../units/index.ts';
import { timeText } from './conditions.ts';
import type { KeyEntry } from './keybook.ts';
import type { SidecarView } from './sidecar.ts';

type KeyStatus = NonNullable<AIProviderStatus['key']>;

/** How a provider's key fares, as sidecars tell. */
export function keyStatusOf(provider: CompiledProvider, entry: KeyEntry | undefined, views: readonly SidecarView[], before: unknown): KeyStatus {
  if (provider.key === undefined) return { state: 'None' };
  const { refusedCalls, lastRefusedAt, isRefused, isUsed } = tally(provider.policy.id, entry, views);
  const changed = entry?.changedAt === undefined ? formerChange(before) : timeText(entry.changedAt);
  return {
    state: entry?.fault?.state ?? (isRefused ? 'Refused' : isUsed ? 'Good' : 'Untried'),
    ...(refusedCalls === 0 ? {} : { refusedCalls }),
    ...(lastRefusedAt === undefined ? {} : { lastRefusedTime: timeText(lastRefusedAt) }),
    ...(changed === undefined ? {} : { changedTime: changed }),
  };
}

interface Tally {
  readonly refusedCalls: number;
  readonly lastRefusedAt: EpochMs | undefined;
  readonly isRefused: boolean;
  readonly isUsed: boolean;
}

/** What a sidecar heard of an older key, before this one has come to it, counts no more. */
function tally(id: string, entry: KeyEntry | undefined, views: readonly SidecarView[]): Tally {
  const since = entry?.changedAt ?? 0;
  let [refusedCalls, isRefused, isUsed] = [0, false, false];
  let lastRefusedAt: EpochMs | undefined;
  for (const { keys, isConnected } of views) {
    const key = keys.find(({ ref }) => ref === id);
    if (key === undefined || (key.lastRejectedAt !== undefined && key.lastRejectedAt <= since)) continue;
    refusedCalls += key.totalRejections;
    if (key.lastRejectedAt !== undefined) lastRefusedAt = Math.max(lastRefusedAt ?? 0, key.lastRejectedAt);
    isRefused ||= isConnected && key.isRefused === true;
    isUsed ||= isConnected && key.used;
  }
  return { refusedCalls, lastRefusedAt, isRefused, isUsed };
}

function formerChange(status: unknown): string | undefined {
  const changed = (status as { readonly key?: { readonly changedTime?: unknown } } | null | undefined)?.key?.changedTime;
  return typeof changed === 'string' ? changed : undefined;
}
