import { formatNanoUsd } from '../../core/units/index.ts';
import type { ServiceEvent } from '../../shell/ledger/index.ts';
import type { LedgerMetrics, Logger } from '../../shell/telemetry/index.ts';

/** What the ledger service tells, for logs and metrics. */
export function tellOfLedger(event: ServiceEvent, logger: Logger, metrics: LedgerMetrics): void {
  metrics.happened(event.kind);
  switch (event.kind) {
    case 'threshold': {
      const { percent, posted, limitAmount } = event;
      const account = accountOf(event);
      metrics.thresholdCrossed(account.budget, percent);
      return logger.warn('budget.threshold', { ...account, percent, posted: amount(event, posted), limit: amount(event, limitAmount) });
    }
    case 'lost':
      return logger.warn('lease.lost', {
        ...accountOf(event),
        lease: event.lease,
        processor: event.processor,
        charged: amount(event, event.charged),
        released: amount(event, event.released),
      });
    case 'found':
      return logger.info('lease.found', {
        ...accountOf(event),
        lease: event.lease,
        processor: event.processor,
        spent: amount(event, event.spent),
        returned: amount(event, event.returned),
      });
    case 'leading':
      return logger.info('ledger.leading', { term: event.term });
    case 'resigned':
      return logger.warn('ledger.resigned', { term: event.term, reason: event.reason });
    case 'store_unavailable':
      return logger.error('ledger.store_unavailable', { attempt: event.attempt, error: event.error.message });
    case 'records_failed':
      return logger.error('records.failed', { processor: event.processor, error: event.error.message });
    case 'replaced':
      return logger.info('processor.replaced', { processor: event.processor });
    case 'violation':
      return logger.error('processor.refused', { processor: event.processor, code: event.code, reason: event.message });
  }
}

/** A limit's identity begins with its id and unit. */
function accountOf({ limit, subject }: { readonly limit: string; readonly subject: string }): { readonly budget: string; readonly subject: string } {
  return { budget: limit.split('|', 1)[0] ?? limit, subject };
}

const amount = ({ limit }: { readonly limit: string }, value: bigint): string => (limit.split('|', 2)[1] === 'usd' ? formatNanoUsd(value) : String(value));
