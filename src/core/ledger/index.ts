/**
 * Ledger: holds and postings in windows, for many limits at once, all or nothing.
 *
 * Owns (state, command) → outcome: reserve, settle, void, wait, shrink. Must never know what a model is, and has no clock: times are given.
 */
export { Ledger } from './ledger.ts';
export { Thresholds } from './alerts.ts';
export { timeZoneError } from './calendar.ts';
export { checkLimits } from './limits.ts';
export { countsSince, spansOf } from './windows.ts';
export type { CountedSpan } from './windows.ts';
export { MAX_SUBJECTS, MAX_WAITING, OTHER_SUBJECTS } from './limits.ts';
export type { Outlook, Purse, PurseSource, SharedAccount } from './purse.ts';
export type * from './types.ts';
