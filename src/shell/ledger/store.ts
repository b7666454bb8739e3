import type { CallRecord, RecordQuery, SpendQuery, SpendRow } from '../../core/call/index.ts';
import type { Entry, LeaseNumber, PeriodRef } from '../../core/leases/index.ts';
import type { EpochMs } from '../../core/units/index.ts';

/**
 * Where the ledger service keeps what must never be forgotten: leases, accounts and shares, and a record of each call.
 * What a promise has resolved is durable, and a failover of the store must not take it back: a store that can forget an
 * acknowledged write cannot keep a strict promise. Rejects with StoreUnavailable where it cannot be reached or written, and
 * then nobody knows whether the write happened: `commit` may be repeated, as entries replace their forerunners.
 */
export interface LedgerStore {
  /** Takes a term later than all before it, from which moment their `commit` is refused, and reads all that is stored. */
  lead(): Promise<Lead>;
  /**
   * Stores all entries or none, each in the place of its forerunner; only if no later term was taken. A lease that is
   * `gone` takes its shares with it, but stays in `unaccounted`; an account that is gone goes altogether. No two entries
   * have the same key. Without entries it tells whether the term still is the latest, and is seen by `pulse` all the same,
   * which alone need not be durable.
   */
  commit(term: number, entries: readonly Entry[]): Promise<'stored' | 'deposed'>;
  /**
   * For who would lead if nobody did: what changes with each `commit`, also with one of no entries. Who leads commits at
   * least once a second; who does not asks once a second. Costs little, and never waits for commits.
   */
  pulse(): Promise<Pulse>;
  /** Adds records of ended calls; one that this processor has told already, by its id, counts once. An id tells nothing about other processors' records. */
  addRecords(processor: string, records: readonly CallRecord[]): Promise<void>;
  /** Where most was spent first. Rate limits are no budgets. The key of a `subject` is its budget and, behind a space, the subject. */
  spend(query: SpendQuery): Promise<SpendRow[]>;
  records(query: RecordQuery): Promise<CallRecord[]>;
  /**
   * What leases have spent, or are charged with since they were lost, and no record tells: calls whose records died with
   * their processor's disk. For a lease that lives it may be what is on its way.
   */
  unaccounted(): Promise<readonly Unaccounted[]>;
  /**
   * Deletes a step of what is older: records by their ending; what is unaccounted of leases and accounts since they are
   * gone. True while there is more. Sums by `spend` stay, and so do accounts, and the highest number of a lease.
   */
  forget(beforeMs: EpochMs): Promise<boolean>;
  close(): Promise<void>;
}

export interface Lead {
  readonly term: number;
  readonly entries: readonly Entry[];
}

export interface Pulse {
  /** The latest term; 0 where nobody has ever led. */
  readonly term: number;
  /** Rises with each `commit` of the latest term, and with each new term. */
  readonly beat: number;
}

export interface Unaccounted extends PeriodRef {
  readonly lease: LeaseNumber;
  readonly processor: string;
  readonly state: 'live' | 'closing' | 'expired' | 'gone';
  readonly amount: bigint;
}

/** The store is out of reach, full, read-only or of a newer version; the message says which, and what to do. */
export class StoreUnavailable extends Error {
  /** `unreachable`: it may be back by itself. `unusable`: somebody has to look after it. */
  readonly fault: 'unreachable' | 'unusable';

  constructor(message: string, fault: StoreUnavailable['fault'], options?: ErrorOptions) {
    super(message, options);
    this.fault = fault;
  }
}
