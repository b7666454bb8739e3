import type { KeyRef, WorkloadSnapshot } from '../policy/index.ts';
import type { Granted, Refused, ReserveCommand, Settled, Settlement } from '../ledger/index.ts';
import type { RefusalCode, StateKind } from '../dialects/index.ts';
import type { KeptObject } from './kept.ts';
import type { ProviderHealth } from './health.ts';
import type { Merging } from './merge/merging.ts';
import type { CallHold, CallRecord } from './record.ts';
import type { AnswerCache } from './reuse.ts';
import type { NanoUsd } from '../units/index.ts';

/** What a call needs from outside. The shell implements these; tests use small ones of their own. */
export interface CallPorts {
  readonly snapshots: SnapshotSource;
  readonly keys: KeySource;
  readonly budgets: BudgetGate;
  readonly state: StateBook;
  readonly answers: AnswerCache;
  readonly health: ProviderHealth;
  readonly merging: Merging;
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
  /**
   * Holds more for a call that is under way, in the accounts of a command of its own. `told` once, at once where it is
   * known; never after the call is settled. What is granted is released with the call. It is in no journal: a call that is
   * found lost posts what was expected of it.
   */
  extend(id: string, more: ReserveCommand, told: (decision: Granted | Refused | Unavailable) => void): void;
  /** The caller left while its call waited: it takes no more place in the queue, and a hold that was granted meanwhile is voided. */
  cancel(id: string): void;
  /** Exactly once; a second settlement of the same id changes nothing and returns the first. `record` makes the record from what was posted. */
  settle(id: string, settlement: Settlement, record: (settled: Settled) => CallRecord): void;
}

/**
 * Who owns what providers keep. What `keep` was told is beyond a kill of this process when it returns, so that a caller
 * never learns of an id that could be forgotten.
 */
export interface StateBook {
  /** What this workload has of that kind under that id, at whatever provider. */
  find(workload: string, kind: StateKind, id: string): Promise<KeptObject | undefined>;
  /** All ids of that kind that this workload has at a provider. */
  idsOf(workload: string, kind: StateKind, provider: string): Promise<ReadonlySet<string>>;
  /** New, or more is known of it. A batch that is open is looked after from now on. */
  keep(object: KeptObject): void;
  /** It is gone at its provider. A batch that is still open is settled by what is expected of it. */
  forget(object: KeptObject): void;
  /** Settles an open batch now if it is over, as its result is about to go. */
  settle(batch: KeptObject): Promise<void>;
  /** Lets others have a turn, in the middle of long work. */
  nextTurn(): Promise<void>;
}

/** How long a call took since it was forwarded, and which of its caller's spans it belongs to. */
export interface CallTimings {
  readonly durationMs: number;
  /** Until the first bytes of its answer; `undefined`: there was none. */
  readonly firstByteMs: number | undefined;
  /** The caller's, as W3C Trace Context has it; not yet checked. */
  readonly traceparent?: string | undefined;
}

export interface ReusedAnswer {
  /** `namespace/name` */
  readonly workload: string;
  /** `namespace/name` of the AIProvider that gave it the first time. */
  readonly provider: string;
  readonly model: string;
  readonly how: 'kept' | 'coalesced';
  /** What it cost the first time. */
  readonly savedNanoUsd: NanoUsd | undefined;
}

export interface MergedCalls {
  /** `namespace/name` */
  readonly workload: string;
  /** `namespace/name` of the AIProvider. */
  readonly provider: string;
  readonly model: string;
  /** `merged`: they go to the provider as one. `sent_alone`: after one that failed, each goes by itself. */
  readonly how: 'merged' | 'sent_alone';
  readonly calls: number;
}

/** Told of what happens, synchronously and on the call's path: it must be cheap and must not throw. */
export interface CallObserver {
  /** An earlier answer was given again, or that of another call in flight; nothing was sent on. */
  reused(reused: ReusedAnswer): void;
  /** Calls for embeddings became one, or were taken apart again. */
  merged(merged: MergedCalls): void;
  refused(refused: { readonly workload: string; readonly code: RefusalCode }): void;
  settled(record: CallRecord, timings: CallTimings): void;
}
