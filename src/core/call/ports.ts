import type { KeyRef, WorkloadSnapshot } from '../policy/index.ts';
import type { Granted, Refused, ReserveCommand, Settled, Settlement } from '../ledger/index.ts';
import type { RefusalCode } from '../dialects/index.ts';
import type { CallHold, CallRecord } from './record.ts';

/** What a call needs from outside. The shell implements these; tests use small ones of their own. */
export interface CallPorts {
  readonly snapshots: SnapshotSource;
  readonly keys: KeySource;
  readonly budgets: BudgetGate;
  readonly clock: Clock;
  readonly observer: CallObserver;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly newId: () => string;
}

export interface Clock {
  /** Wall clock, milliseconds since the epoch. */
  epochMs(): number;
  /** Never jumps. */
  monotonicMs(): number;
}

export interface SnapshotSource {
  /** `undefined`: this workload has no policies (yet). */
  current(workload: string): WorkloadSnapshot | undefined;
}

export interface KeySource {
  /** The key as it is now; rotation takes effect on the next call. */
  get(ref: KeyRef): string | undefined;
  /** The provider answered 401 or 403 to it. */
  rejected(ref: KeyRef): void;
  accepted(ref: KeyRef): void;
}

/** Nothing can be promised now: the journal cannot be written, or the books were damaged and nobody has decided yet. */
export interface Unavailable {
  readonly kind: 'unavailable';
  readonly reason: string;
}

/**
 * Admission and settlement, durable: `admit` resolves after the hold would survive a crash and a power cut, so that a
 * call is forwarded only then.
 */
export interface BudgetGate {
  admit(command: ReserveCommand, describe: (granted: Granted) => CallHold): Promise<Granted | Refused | Unavailable>;
  /** The caller left while its call waited: it takes no more place in the queue, and a hold that was granted meanwhile is voided. */
  cancel(id: string): void;
  /** Exactly once; a second settlement of the same id changes nothing and returns the first. `record` makes the record from what was posted. */
  settle(id: string, settlement: Settlement, record: (settled: Settled) => CallRecord): void;
}

/** Told of what happens, synchronously and on the call's path: it must be cheap and must not throw. */
export interface CallObserver {
  refused(refused: { readonly workload: string; readonly code: RefusalCode }): void;
  /** Milliseconds since the call was forwarded. */
  settled(record: CallRecord, timings: { readonly durationMs: number; readonly firstByteMs: number | undefined }): void;
}
