import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../core/call/index.ts';
import type { MonotonicMs } from '../../core/units/index.ts';
import type { LedgerStore, Pulse } from './store.ts';

/** The pulse is felt so often. */
const FEEL_MS: MonotonicMs = 1_000;
/** Who leads is gone when the pulse has not changed for so long; it should, each second. */
const GONE_MS: MonotonicMs = 5_000;

/**
 * Resolves when nobody leads: nobody has ever, or the pulse stands still by this process's own clock. Rejects where the store
 * does, or with the signal's reason. `ownTerm`: a lead that was this process's own, and lost for other reasons than a
 * successor; where nobody has followed, it is free.
 */
export async function untilVacant(store: LedgerStore, clock: Clock, signal: AbortSignal, ownTerm?: number): Promise<void> {
  let latest: Pulse | undefined;
  let heardAt: MonotonicMs = 0;
  for (;;) {
    const askedAt = clock.monotonicMs();
    const pulse = await store.pulse();
    signal.throwIfAborted();
    if (pulse.term === 0 || pulse.term === ownTerm) return;
    if (latest?.term !== pulse.term || latest.beat !== pulse.beat) {
      latest = pulse;
      heardAt = clock.monotonicMs();
    } else if (askedAt - heardAt >= GONE_MS) return;
    await delay(FEEL_MS, undefined, { signal });
  }
}
