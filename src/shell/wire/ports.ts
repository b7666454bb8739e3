import type { EpochMs } from '../../core/units/index.ts';

/** Who a processor is, as its credentials prove. */
export interface Identity {
  /** Of one processor, and of no other that runs at the same time. */
  readonly processor: string;
  /** When its credentials end, and its streams with them; absent where they do not. */
  readonly validUntil?: EpochMs;
  /** Where it runs, and whose calls it governs; absent where its credentials do not say, as certificates do not. */
  readonly pod?: Pod;
}

/** A pod, as the API server knows it. */
export interface Pod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** What owns it: `namespace/name`. */
  readonly workload: string;
  readonly serviceAccount: string;
}

/**
 * Why a stream ends, or is not taken. `unavailable`: somebody else leads, or nobody. `replaced`: by a newer one of the same
 * processor. `unauthenticated`: it does not prove who it is. `not_permitted`: it speaks for somebody else. `invalid`: it
 * makes no sense. `too_much`: beyond a limit. `protocol`: of another major version.
 */
export interface Dismissal {
  readonly code: 'unavailable' | 'replaced' | 'unauthenticated' | 'not_permitted' | 'invalid' | 'too_much' | 'protocol';
  readonly message: string;
}

/** A processor was refused something that no honest one does; `processor` is absent where it did not prove who it is. */
export interface Violation extends Dismissal {
  readonly kind: 'violation';
  readonly processor?: string;
}
