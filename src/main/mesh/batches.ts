import { usdLimits } from '../../core/call/index.ts';
import type { CallObserver, KeySource } from '../../core/call/index.ts';
import { BatchWatch, trustIn } from '../../shell/batches/index.ts';
import type { OpenedBudgets } from '../../shell/budgets/index.ts';
import type { Logger } from '../../shell/telemetry/index.ts';
import { systemClock } from './clock.ts';
import type { Policies } from './feed.ts';

export interface BatchParts {
  /** The same as Envoy believes. */
  readonly trustedCaFile: string;
  readonly policies: () => Policies | undefined;
  readonly keys: KeySource;
  readonly observer: CallObserver;
  readonly logger: Logger;
}

/** Looks after batches that are open at providers, those of a former run as well. */
export function watchBatches({ budgets, objects, openBatches }: OpenedBudgets, { trustedCaFile, policies, keys, observer, logger }: BatchParts): BatchWatch {
  const watch = new BatchWatch({
    trust: trustIn(trustedCaFile),
    budgets,
    objects,
    provider: (id) => policies()?.providers.get(id)?.policy,
    isUsd: (workload, limit) => {
      const snapshot = policies()?.snapshots.get(workload);
      return snapshot !== undefined && usdLimits(snapshot)(limit);
    },
    keys,
    clock: systemClock,
    random: Math.random,
    events: {
      settled: (record) => observer.settled(record, { durationMs: record.endedAt - record.at, firstByteMs: undefined }),
      failed: ({ provider, id }, reason) => logger.warn('batch.unreachable', { provider, batch: id, reason }),
      lost: ({ provider, id }, reason) => logger.error('batch.lost', { provider, batch: id, reason }),
    },
  });
  objects.listener = watch;
  for (const batch of openBatches) watch.opened(batch);
  return watch;
}
