/**
 * Rows: what the stores have in common. How entries and records are written in rows, what they add up to, and what leases
 * owe records for.
 *
 * Owns the meaning of rows and sums. Must never know where they are kept.
 */
export { fromText, recordFromText, recordsIn, toText } from './text.ts';
export { NO_FIGURES, addFigures, budgetsOf, dayOf, daysOf, tallyOf } from './tally.ts';
export type { Figures, PostedSum, SubjectSum, Tally, TotalSum } from './tally.ts';
export { FIGURE_COLUMNS, GROUPING_COLUMNS, accountIn, keyedFiguresIn, leaseIn, owedIn, postedIn, shareIn, sumsTable } from './columns.ts';
export type { Row } from './columns.ts';
export { spendRows } from './spend.ts';
export type { KeyedFigures } from './spend.ts';
export { owedBy, unaccountedOf } from './unaccounted.ts';
export type { OwedShare, PostedUnder } from './unaccounted.ts';
