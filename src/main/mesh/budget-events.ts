import { formatNanoUsd } from '../../core/units/index.ts';
import type { BudgetEvents } from '../../shell/budgets/index.ts';
import type { Logger, Metrics } from '../../shell/telemetry/index.ts';

/** What budgets tell, for logs and metrics. `isUsd`: whether a limit counts dollars. */
export function tellOfBudgets(logger: Logger, metrics: Metrics, isUsd: (limit: string) => boolean): BudgetEvents {
  const amount = (value: bigint, inDollars: boolean): string => (inDollars ? formatNanoUsd(value) : String(value));
  return {
    failed: (what, error) => logger.error(`${what}.failed`, { error: error.message }),
    recovered: (record) =>
      logger.warn('call.recovered', { call: record.id, workload: `${record.namespace}/${record.workload}`, charged: String(record.chargedNanoUsd) }),
    reached: ({ limit: budget, subject, unit, percent, posted, limitAmount }) => {
      metrics.thresholdReached(budget, percent);
      logger.warn('budget.threshold', { budget, subject, percent, posted: amount(posted, unit === 'usd'), limit: amount(limitAmount, unit === 'usd') });
    },
    wouldHaveRefused: ({ id: call, namespace, workload }, accounts) => {
      for (const { limit: budget, subject } of accounts) {
        metrics.wouldHaveRefused(budget, `${namespace}/${workload}`);
        logger.info('budget.would_refuse', { call, workload: `${namespace}/${workload}`, budget, subject });
      }
    },
    overdrawn: ({ id: call, namespace, workload }, beyond) => {
      for (const { limit: budget, subject, amount: value } of beyond) {
        metrics.overdrawn(budget);
        logger.warn('budget.overdrawn', { call, workload: `${namespace}/${workload}`, budget, subject, beyond: amount(value, isUsd(budget)) });
      }
    },
  };
}
