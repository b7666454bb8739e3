/**
 * Dialects: the languages that callers and providers speak, one room for each, all of the same shape.
 *
 * Owns wire formats. Must never know of budgets, policies, or how bytes travel.
 */
export type * from './types.ts';
export { dialectOf } from './registry.ts';
export type { DialectName } from './registry.ts';
export { openai } from './openai/index.ts';
