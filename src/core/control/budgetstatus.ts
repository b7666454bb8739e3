import type { AccountView } from '../ledger/index.ts';
import type { AIBudgetStatus, BudgetPolicy, BudgetUnit, BudgetWindow } from '../policy/index.ts';
import { formatNanoUsd } from '../units/index.ts';
import { bounded, timeText } from './conditions.ts';

type Amounts = Omit<AIBudgetStatus, 'conditions' | 'findings' | 'observedGeneration'>;

const MAX_ACCOUNTS = 10;
const MAX_SUBJECT = 512;

const UNITS: Readonly<Record<BudgetUnit, NonNullable<AIBudgetStatus['unit']>>> = { usd: 'USD', tokens: 'Tokens', requests: 'Requests' };

/** Where a budget stands, by its accounts in their present windows. `undefined`: nobody here knows, and what was said before is kept. */
export function amountsOf(policy: BudgetPolicy, accounts: readonly AccountView[] | undefined, before: unknown): Amounts {
  const told = { unit: UNITS[policy.unit], limit: amountText(policy.unit, policy.limit), window: { name: windowName(policy.window) } };
  if (accounts === undefined) return { ...formerAmounts(before, told), ...told, window: formerWindow(before, told.window.name) };
  const fullest = accounts.toSorted((a, b) => compareAmounts(a.free, b.free) || compareAmounts(b.posted, a.posted) || (a.subject < b.subject ? -1 : 1));
  const [first] = fullest;
  const amounts = (account: Pick<AccountView, 'posted' | 'pending' | 'free'>): { posted: string; pending: string; free: string } => ({
    posted: amountText(policy.unit, account.posted),
    pending: amountText(policy.unit, account.pending),
    free: amountText(policy.unit, account.free),
  });
  return {
    ...told,
    ...amounts(first ?? { posted: 0n, pending: 0n, free: policy.limit }),
    window: { ...told.window, ...spanOf(first) },
    ...(policy.per.length === 0
      ? {}
      : {
          accounts: {
            total: accounts.length,
            exhausted: accounts.filter(({ free }) => free <= 0n).length,
            fullest: fullest.slice(0, MAX_ACCOUNTS).map((account) => ({ subject: bounded(account.subject, MAX_SUBJECT), ...amounts(account) })),
          },
        }),
  };
}

/** Lifetimes begin with nothing, and what rolls has no end. */
function spanOf(account: AccountView | undefined): { start?: string; end?: string } {
  if (account === undefined || account.windowStart === 0) return {};
  return { start: timeText(account.windowStart), ...(account.windowEnd === undefined ? {} : { end: timeText(account.windowEnd) }) };
}

/** What a Bounded budget was overdrawn by shows as more posted than the limit, with nothing free. */
const amountText = (unit: BudgetUnit, amount: bigint): string => {
  const shown = amount < 0n ? 0n : amount;
  return unit === 'usd' ? formatNanoUsd(shown) : String(shown);
};

const compareAmounts = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

const UNIT_MS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const;

/** `Day`, `24h`, `Lifetime`: as people wrote it, or would have. */
function windowName(window: BudgetWindow): string {
  if (window.kind === 'lifetime') return 'Lifetime';
  if (window.kind === 'calendar') return `${window.unit[0]?.toUpperCase() ?? ''}${window.unit.slice(1)}`;
  const [unit, ms] = UNIT_MS.find(([, ms]) => window.durationMs % ms === 0 && window.durationMs > ms) ??
    UNIT_MS.find(([, ms]) => window.durationMs % ms === 0) ?? ['ms', 1];
  return `${window.durationMs / ms}${unit}`;
}

/** Amounts that were written before, as long as they are in the same unit and of the same limit. */
function formerAmounts(status: unknown, told: Pick<AIBudgetStatus, 'unit' | 'limit'>): Amounts {
  const former = (status ?? {}) as Partial<AIBudgetStatus>;
  if (former.unit !== told.unit || former.limit !== told.limit) return {};
  const { posted, pending, free, accounts } = former;
  return {
    ...(posted === undefined ? {} : { posted }),
    ...(pending === undefined ? {} : { pending }),
    ...(free === undefined ? {} : { free }),
    ...(accounts === undefined ? {} : { accounts }),
  };
}

function formerWindow(status: unknown, name: string): NonNullable<AIBudgetStatus['window']> {
  const former = (status as Partial<AIBudgetStatus> | null | undefined)?.window;
  return former?.name === name ? former : { name };
}
