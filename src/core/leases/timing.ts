import type { MonotonicMs } from '../units/index.ts';

/** A holder makes holds for so long after it sent the latest message that was answered. */
export const LIFETIME_MS: MonotonicMs = 30_000;
/** The authority waits longer, from when it received that message: clocks may differ in rate by a tenth, far more than any does. */
export const MARGIN_MS: MonotonicMs = 3_000;
/** A holder with nothing to say renews its lease this long after it last spoke: when half of it is over. What is lost of that is said again each second. */
export const RENEW_MS: MonotonicMs = 15_000;
/** What was not answered, or is waited for, is said again after this. */
export const RETRY_MS: MonotonicMs = 1_000;
/** After this long without any answer the authority counts as out of reach: who would have to wait for it is refused. */
export const SILENCE_MS: MonotonicMs = 3_000;
/** Who does something so much later than it was due did not run meanwhile. */
export const STALL_MS: MonotonicMs = 500;
/** What the authority said about an empty account is believed for so long; after that a call waits for one more answer. */
export const KNOWLEDGE_MS: MonotonicMs = 1_000;
/** The authority hopes for so long that a holder gives back what it was asked for. */
export const RECALL_MS: MonotonicMs = 500;
/** A slice is to last so long at the present rate of spending: as long as its lease. More is asked for when half of it is spent, so about when the lease is renewed. */
export const HORIZON_MS: MonotonicMs = 30_000;
/** A slice that nothing was taken from for so long is given back, but for a reserve where there is plenty. */
export const IDLE_MS: MonotonicMs = 10_000;
/** Nothing of it stays after this. */
export const RESERVE_MS: MonotonicMs = 300_000;
/** Calendar windows that are open within this of the authority's own time may be granted from. */
export const CLOCK_TOLERANCE_MS = 300_000;
/** What is known of a lost lease is kept so long after its window, or for windows that never end after the loss: until then late reports are booked. */
export const RETENTION_MS = 30 * 86_400_000;
