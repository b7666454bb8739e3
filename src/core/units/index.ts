/**
 * Units: money, tokens and identifiers. The only place where money is made, rounded or written.
 *
 * Owns the number formats that cross rooms. Must never know what is being paid for.
 */
export { NANO_PER_USD, ceilDiv, formatNanoUsd, parseUsd, usdToNano, convertNanoUsd } from './money.ts';
export type { NanoUsd, ParsedUsd } from './money.ts';
export { apportion } from './apportion.ts';
export type { EpochMs, MonotonicMs } from './time.ts';
export type { Result } from './result.ts';
export { err, ok } from './result.ts';
export { isRateLimit, limitIdOf, limitIdentity, requestRateId, tokenRateId } from './limit-ids.ts';
