import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import type { AccountView } from '../../core/ledger/index.ts';
import { accountGauges, publishAccounts } from './accounts.ts';
import type { Exposition } from './metrics.ts';

/** What is asked for when somebody scrapes. */
export interface LedgerMetricSources {
  /** Accounts of budgets (not of rate limits) in their present windows; none where this controller does not lead. */
  accounts(): readonly AccountView[];
  /** How many processors are connected. */
  processors(): number;
  /** `undefined` where this controller does not lead. */
  term(): number | undefined;
}

/** What the ledger service counts. */
export interface LedgerMetrics {
  happened(kind: string): void;
  thresholdCrossed(budget: string, percent: number): void;
  render(): Promise<Exposition>;
  /** Names, types, labels and meaning of every metric: for the reference documentation. */
  readonly registry: Registry;
}

export function createLedgerMetrics(sources: LedgerMetricSources, version: string): LedgerMetrics {
  const registry = new Registry();
  const registers = [registry];
  const events = new Counter({
    name: 'airmesh_ledger_events_total',
    help: 'What happened in the ledger service: lost and found leases, changes of the lead, failures of the store, processors that were refused.',
    labelNames: ['kind'],
    registers,
  });
  const thresholds = new Counter({
    name: 'airmesh_budget_threshold_total',
    help: 'Budgets that crossed a threshold of their limit, in percent, once in each window and account.',
    labelNames: ['budget', 'percent'],
    registers,
  });
  const processors = new Gauge({ name: 'airmesh_ledger_processors', help: 'Processors that are connected to this controller.', registers });
  const leading = new Gauge({ name: 'airmesh_ledger_leading', help: '1 where this controller leads the ledger service, else 0.', registers });
  const build = new Gauge({ name: 'airmesh_build_info', help: 'Always 1; the labels say which version runs.', labelNames: ['version', 'node'], registers });
  const gauges = accountGauges(registry);
  collectDefaultMetrics({ register: registry });
  build.set({ version, node: process.version }, 1);
  return {
    happened: (kind) => events.inc({ kind }),
    thresholdCrossed: (budget, percent) => thresholds.inc({ budget, percent: String(percent) }),
    render: async () => {
      publishAccounts(gauges, sources.accounts());
      processors.set(sources.processors());
      leading.set(sources.term() === undefined ? 0 : 1);
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
    registry,
  };
}
