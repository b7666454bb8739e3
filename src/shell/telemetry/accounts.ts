import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import type { AccountView } from '../../core/ledger/index.ts';
import { NANO_PER_USD } from '../../core/units/index.ts';
import { MAX_BUDGET_SERIES, OTHER, labelValue } from './series.ts';

const LABELS = ['budget', 'subject', 'unit'] as const;

export type AccountGauges = ReturnType<typeof accountGauges>;

/** How accounts of budgets stand. */
export function accountGauges(registry: Registry) {
  const registers = [registry];
  return {
    budgetLimit: new Gauge({
      name: 'airmesh_budget_limit',
      help: 'Limit of an account in its present window, in its unit (usd, tokens or requests).',
      labelNames: LABELS,
      registers,
    }),
    budgetPosted: new Gauge({
      name: 'airmesh_budget_posted',
      help: "Spent in the present window, in the account's unit.",
      labelNames: LABELS,
      registers,
    }),
    budgetPending: new Gauge({
      name: 'airmesh_budget_pending',
      help: "Held for calls in flight, in the account's unit.",
      labelNames: LABELS,
      registers,
    }),
    budgetFree: new Gauge({
      name: 'airmesh_budget_free',
      help: "Left for new calls, in the account's unit. Negative after a limit was lowered below what was spent.",
      labelNames: LABELS,
      registers,
    }),
    budgetWindowEnd: new Gauge({
      name: 'airmesh_budget_window_end_timestamp_seconds',
      help: "When the account's present window ends, in seconds since 1970. Absent for lifetime budgets.",
      labelNames: LABELS,
      registers,
    }),
  };
}

type AccountLabels = Record<'budget' | 'subject' | 'unit', string>;

/**
 * Shows the accounts as they stand now. Those that are gone since the last scrape disappear; beyond the bound, a
 * budget's further accounts are summed under one subject.
 */
export function publishAccounts(gauges: AccountGauges, accounts: readonly AccountView[]): void {
  const { budgetLimit, budgetPosted, budgetPending, budgetFree, budgetWindowEnd } = gauges;
  for (const gauge of [budgetLimit, budgetPosted, budgetPending, budgetFree, budgetWindowEnd]) gauge.reset();
  accounts.forEach((account, index) => {
    const labels: AccountLabels = {
      budget: account.limit,
      subject: index < MAX_BUDGET_SERIES ? labelValue(account.subject) : OTHER,
      unit: account.unit,
    };
    budgetLimit.inc(labels, inUnit(account, account.limitAmount));
    budgetPosted.inc(labels, inUnit(account, account.posted));
    budgetPending.inc(labels, inUnit(account, account.pending));
    budgetFree.inc(labels, inUnit(account, account.free));
    if (account.windowEnd !== undefined) budgetWindowEnd.set(labels, account.windowEnd / 1_000);
  });
}

function inUnit(account: AccountView, amount: bigint): number {
  return account.unit === 'usd' ? Number(amount) / Number(NANO_PER_USD) : Number(amount);
}
