import type { AccountView } from '../../core/ledger/index.ts';
import { NANO_PER_USD } from '../../core/units/index.ts';
import type { Instruments } from './instruments.ts';
import { MAX_BUDGET_SERIES, OTHER, labelValue } from './series.ts';

type AccountLabels = Record<'budget' | 'subject' | 'unit', string>;

/**
 * Shows the accounts as they stand now. Those that are gone since the last scrape disappear; beyond the bound, a
 * budget's further accounts are summed under one subject.
 */
export function publishAccounts(instruments: Instruments, accounts: readonly AccountView[]): void {
  const { budgetLimit, budgetPosted, budgetPending, budgetFree, budgetWindowEnd } = instruments;
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
