/** Milliseconds since 1970-01-01T00:00:00Z by the wall clock: for windows, records and anything a person reads. */
export type EpochMs = number;

/** Milliseconds of a clock that never jumps: for waits, lifetimes and rates. Meaningless outside the process. */
export type MonotonicMs = number;
