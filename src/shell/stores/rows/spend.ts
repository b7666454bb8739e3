import type { SpendGrouping, SpendRow } from '../../../core/call/index.ts';
import { NO_FIGURES, addFigures } from './tally.ts';
import type { Figures, SubjectSum, TotalSum } from './tally.ts';

const DAY_MS = 86_400_000;
/** The last day that has a date. Source: ECMA-262, "Time Values and Time Range". */
const LAST_DAY = 100_000_000;

/** Sums with as much of their key as a grouping needs. */
export type KeyedFigures = Partial<Omit<TotalSum, 'figures'> & Omit<SubjectSum, 'figures'>> & { readonly figures: Figures };

/** Rows of a grouping: where most was spent first, and in the order of their keys where it is the same. */
export function spendRows(by: SpendGrouping, sums: Iterable<KeyedFigures>): SpendRow[] {
  const byKey = new Map<string, Figures>();
  for (const sum of sums) {
    const key = keyBy(by, sum);
    byKey.set(key, addFigures(byKey.get(key) ?? NO_FIGURES, sum.figures));
  }
  const rows = [...byKey].toSorted(([leftKey, left], [rightKey, right]) => compare(right.costNanoUsd, left.costNanoUsd) || compare(leftKey, rightKey));
  return rows.map(([key, figures]) => ({
    key,
    requests: Number(figures.requests),
    estimated: Number(figures.estimated),
    inputTokens: Number(figures.inputTokens),
    cachedInputTokens: Number(figures.cachedInputTokens),
    outputTokens: Number(figures.outputTokens),
    reasoningTokens: Number(figures.reasoningTokens),
    costNanoUsd: String(figures.costNanoUsd),
    chargedNanoUsd: String(figures.chargedNanoUsd),
  }));
}

/** No id holds a space: what is behind the first is the subject, where a budget keeps several accounts. */
function keyBy(by: SpendGrouping, { day = 0, namespace = '', workload = '', model = '', provider = '', budget = '', subject = '' }: KeyedFigures): string {
  switch (by) {
    case 'workload':
      return `${namespace}/${workload}`;
    case 'namespace':
      return namespace;
    case 'model':
      return model;
    case 'provider':
      return provider;
    case 'day':
      return dateOf(day);
    case 'budget':
      return budget;
    case 'subject':
      return subject === '' ? budget : `${budget} ${subject}`;
  }
}

function dateOf(day: number): string {
  const [date = ''] = new Date(Math.min(day, LAST_DAY) * DAY_MS).toISOString().split('T');
  return date;
}

function compare<T extends bigint | string>(left: T, right: T): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}
