/**
 * Rows: what the stores have in common. How records are written as text, what they add up to, and what leases owe records for.
 *
 * Owns the meaning of sums. Must never know where they are kept.
 */
export { fromText, recordFromText, toText } from './text.ts';
export { NO_FIGURES, addFigures, dayOf, tallyOf } from './tally.ts';
export type { Figures, PostedSum, SubjectSum, Tally, TotalSum } from './tally.ts';
export { spendRows } from './spend.ts';
export type { KeyedFigures } from './spend.ts';
export { owedBy, unaccountedOf } from './unaccounted.ts';
export type { OwedShare, PostedUnder } from './unaccounted.ts';
