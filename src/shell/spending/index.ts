/**
 * Spending: what calls have cost, for people and for their spreadsheets.
 *
 * Owns the reports of `/spend` and `/records`, and what one may ask of them. Must never know where books are kept.
 */
export { answerRecords, answerSpend } from './ask.ts';
export type { RecordPage } from './ask.ts';
export { spendReport, spendTable } from './report.ts';
export type { BudgetReport, LostLease, Period, SpendEntry, SpendReport, SpendSource, SpendTable } from './report.ts';
