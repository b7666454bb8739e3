import { Registry, collectDefaultMetrics } from 'prom-client';
import type { AccountView } from '../../core/ledger/index.ts';
import type { CallRecord, CallTimings, MergedCalls, ReusedAnswer } from '../../core/call/index.ts';
import type { RefusalCode } from '../../core/dialects/index.ts';
import type { ProviderType } from '../../core/policy/index.ts';
import type { EpochMs } from '../../core/units/index.ts';
import { publishAccounts } from './accounts.ts';
import { CallMetrics } from './call-metrics.ts';
import { createInstruments } from './instruments.ts';

/** What is asked for when somebody scrapes, rather than told when it happens. */
export interface MetricSources {
  /** Accounts of budgets (not of rate limits) in their present windows. */
  accounts(): readonly AccountView[];
  /** Type of the AIProvider `namespace/name`, for `gen_ai_provider_name`. */
  providerType(provider: string): ProviderType | undefined;
  ready(): boolean;
  /** What books and journal take of their disk, in bytes, and what is free there; absent where nothing is kept. */
  stateFolder?(): { readonly used: number; readonly free: number };
  /** Messages to and from the ledger service so far, by stream; absent where there is none. */
  ledgerMessages?(): Readonly<Record<string, { readonly sent: number; readonly received: number }>>;
}

/** The text that a scraper gets. */
export interface Exposition {
  readonly contentType: string;
  readonly body: string;
}

/** Everything that is counted. Each method is cheap and never throws; none is called for each chunk of a stream. */
export interface Metrics {
  answerReused(reused: ReusedAnswer): void;
  callsMerged(merged: MergedCalls): void;
  callRefused(workload: string, code: RefusalCode): void;
  callSettled(record: CallRecord, timings: CallTimings): void;
  keyRejected(provider: string): void;
  providerOut(provider: string, model: string, isOut: boolean): void;
  thresholdReached(budget: string, percent: number): void;
  /** A budget in mode Observe; `workload` is `namespace/name`. */
  wouldHaveRefused(budget: string, workload: string): void;
  overdrawn(budget: string): void;
  snapshotApplied(at: EpochMs): void;
  snapshotRejected(): void;
  envoyRestarted(): void;
  render(): Promise<Exposition>;
  /** Names, types, labels and meaning of every metric: for the reference documentation. */
  readonly registry: Registry;
}

export function createMetrics(sources: MetricSources, version: string): Metrics {
  const registry = new Registry();
  const instruments = createInstruments(registry);
  const calls = new CallMetrics(instruments, sources);
  collectDefaultMetrics({ register: registry });
  instruments.build.set({ version, node: process.version }, 1);
  return {
    answerReused: (reused) => calls.reused(reused),
    callsMerged: (merged) => calls.merged(merged),
    callRefused: (workload, code) => calls.refused(workload, code),
    callSettled: (record, timings) => calls.settled(record, timings),
    providerOut: (provider, model, isOut) => calls.providerOut(provider, model, isOut),
    thresholdReached: (budget, percent) => instruments.budgetThresholds.inc({ budget, percent: String(percent) }),
    wouldHaveRefused: (budget, workload) => instruments.budgetWouldRefuse.inc({ budget, workload }),
    overdrawn: (budget) => instruments.budgetOverdrawn.inc({ budget }),
    keyRejected: (provider) => instruments.keyRejections.inc({ provider }),
    snapshotApplied: (at) => {
      instruments.snapshotsApplied.inc();
      instruments.snapshotAppliedAt.set(at / 1_000);
    },
    snapshotRejected: () => instruments.snapshotsRejected.inc(),
    envoyRestarted: () => instruments.envoyRestarts.inc(),
    render: async () => {
      publishAccounts(instruments, sources.accounts());
      instruments.ledgerMessages.reset();
      for (const [stream, { sent, received }] of Object.entries(sources.ledgerMessages?.() ?? {})) {
        instruments.ledgerMessages.inc({ stream, direction: 'sent' }, sent);
        instruments.ledgerMessages.inc({ stream, direction: 'received' }, received);
      }
      const { used, free } = sources.stateFolder?.() ?? {};
      if (used !== undefined && free !== undefined) {
        instruments.stateFolder.set({ what: 'used' }, used);
        instruments.stateFolder.set({ what: 'free' }, free);
      }
      instruments.ready.set(sources.ready() ? 1 : 0);
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
    registry,
  };
}
