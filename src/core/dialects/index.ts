/**
 * Dialects: the languages that callers and providers speak, one room for each, all of the same shape.
 *
 * Owns wire formats. Must never know of budgets, policies, or how bytes travel.
 */
export type * from './types.ts';
