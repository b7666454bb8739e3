import type { CallObserver } from '../../core/call/index.ts';
import { formatNanoUsd } from '../../core/units/index.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';
import { NO_TRACING } from './traces.ts';
import type { Tracing } from './traces.ts';

/** Writes each call to the metrics, to the log and to its trace. No prompt and no key is in what it is told. */
export function createCallObserver(metrics: Metrics, logger: Logger, tracing: Tracing = NO_TRACING): CallObserver {
  return {
    reused: (reused) => {
      metrics.answerReused(reused);
      const { savedNanoUsd, ...rest } = reused;
      logger.info('call.reused', { ...rest, savedUsd: savedNanoUsd === undefined ? 'unknown' : formatNanoUsd(savedNanoUsd) });
    },
    merged: (merged) => {
      metrics.callsMerged(merged);
      logger.info('calls.merged', { ...merged });
    },
    refused: ({ workload, code }) => {
      metrics.callRefused(workload, code);
      logger.info('call.refused', { workload, code });
    },
    settled: (record, timings) => {
      metrics.callSettled(record, timings);
      tracing.settled(record, timings);
      const { usage, costNanoUsd, chargedNanoUsd } = record;
      logger.info('call.settled', {
        call: record.id,
        workload: `${record.namespace}/${record.workload}`,
        model: record.model,
        provider: record.provider,
        rule: record.rule,
        operation: record.operation,
        stream: record.stream,
        ending: record.ending,
        status: record.status,
        inputTokens: usage.inputTokens,
        outputTokens: usage.outputTokens,
        cachedInputTokens: usage.cachedInputTokens,
        reasoningTokens: usage.reasoningTokens,
        estimated: record.estimated,
        costUsd: costNanoUsd === undefined ? 'unknown' : formatNanoUsd(costNanoUsd),
        // Only where a budget was charged more than the usage costs.
        chargedUsd: chargedNanoUsd === costNanoUsd ? undefined : formatNanoUsd(chargedNanoUsd),
        durationMs: Math.round(timings.durationMs),
        firstByteMs: timings.firstByteMs === undefined ? undefined : Math.round(timings.firstByteMs),
      });
    },
  };
}
