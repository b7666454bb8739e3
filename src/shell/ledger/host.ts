import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../core/call/index.ts';
import type { Figures, PeriodRef, ToAuthority, ToHolder } from '../../core/leases/index.ts';
import { checkLimits } from '../../core/ledger/index.ts';
import type { AccountView, LimitError, LimitSpec } from '../../core/ledger/index.ts';
import { err, ok } from '../../core/units/index.ts';
import type { MonotonicMs, Result } from '../../core/units/index.ts';
import { backoffMs } from '../wire/index.ts';
import type { Dismissal, Identity } from '../wire/index.ts';
import type { Permissions, ServiceEvent } from './ports.ts';
import { Reign } from './reign.ts';
import type { Lead, LedgerStore } from './store.ts';
import { untilVacant } from './vacancy.ts';

/** Between attempts to lead while the store fails. */
const STORE_BACKOFF = { leastMs: 100, mostMs: 5_000 };
/** A lead that lasted so long was no failure. */
const STEADY_MS: MonotonicMs = 10_000;

export interface LedgerHostParts {
  readonly store: LedgerStore;
  readonly clock: Clock;
  readonly permissions: Permissions;
  /** Nobody else can use the store, so there is nobody to wait for at the start. */
  readonly isAlone: boolean;
  readonly tell: (event: ServiceEvent) => void;
}

/** Where a processor's messages go: the newest stream of it. */
export interface Peer {
  send(message: ToHolder): void;
  /** Nothing is sent any more. */
  end(why: Dismissal): void;
}

/** A processor's way in, until it leaves or its peer is ended. */
export interface Seat {
  /** On an error the peer is to be ended. `whenStored` is called when all that this led to is stored, and its answers were sent. */
  hear(message: ToAuthority, whenStored: () => void): Result<void, Dismissal>;
  leave(): void;
}

/**
 * The ledger service without its transport: an authority on a store, while this process leads, and all processors that are
 * connected to it. Takes the lead where nobody has it; loses it as soon as the store says so, or nothing at all.
 */
export class LedgerHost {
  readonly #parts: LedgerHostParts;
  readonly #peers = new Map<string, Peer>();
  readonly #closing = new AbortController();
  #limits: readonly LimitSpec[] = [];
  #reign: Reign | undefined;
  /** Why nobody leads from here. */
  #absence = 'the ledger service is starting';

  constructor(parts: LedgerHostParts) {
    this.#parts = parts;
  }

  /** Begins to lead as soon as it can. With all limits: of those that it does not know, processors would hear that there are none. */
  start(limits: readonly LimitSpec[]): Result<void, readonly LimitError[]> {
    const configured = this.configure(limits);
    if (configured.ok) void this.#live();
    return configured;
  }

  /** Replaces all limits, at once. On an error nothing changes. */
  configure(limits: readonly LimitSpec[]): Result<void, readonly LimitError[]> {
    const checked = checkLimits(limits);
    if (!checked.ok) return checked;
    this.#limits = limits;
    return this.#reign?.configure(limits) ?? ok(undefined);
  }

  /** The term in which this process leads; `undefined` where it does not. */
  get term(): number | undefined {
    return this.#reign?.term;
  }

  /** Those that are connected here. */
  get processors(): readonly string[] {
    return [...this.#peers.keys()];
  }

  /** Of every account's window that is known; none where this process does not lead. */
  figures(): readonly (PeriodRef & Figures)[] {
    return this.#reign?.figures() ?? [];
  }

  /** Where accounts stand in the windows that are open now; none where this process does not lead. */
  views(): readonly AccountView[] {
    return this.#reign?.views() ?? [];
  }

  /** A newer peer of the same processor takes the place of the older one. An error where this process does not lead. */
  seat(identity: Identity, peer: Peer): Result<Seat, Dismissal> {
    const reign = this.#reign;
    if (reign === undefined) return err({ code: 'unavailable', message: this.#absence });
    const { processor } = identity;
    const older = this.#peers.get(processor);
    this.#peers.set(processor, peer);
    if (older !== undefined) {
      older.end({ code: 'replaced', message: `a newer stream of ${processor} has taken the place of this one` });
      this.#parts.tell({ kind: 'replaced', processor });
    }
    return ok({
      hear: (message, whenStored) => {
        const heard = reign.hear(identity, message, whenStored);
        if (!heard.ok) this.#parts.tell({ kind: 'violation', processor, ...heard.error });
        return heard;
      },
      leave: () => {
        if (this.#peers.get(processor) === peer) this.#peers.delete(processor);
      },
    });
  }

  /** Leads no more, and ends all streams. The store is its owner's to close. */
  close(): void {
    this.#closing.abort();
    this.#resign('closed', 'this controller is stopping');
  }

  async #live(): Promise<void> {
    const { signal } = this.#closing;
    // The term that was this process's own when the store failed; 'any' at the start where nobody else can lead.
    let own: number | 'any' | undefined = this.#parts.isAlone ? 'any' : undefined;
    for (let attempt = 0; !signal.aborted;) {
      try {
        this.#absence = 'this controller does not lead';
        if (own !== 'any') await untilVacant(this.#parts.store, this.#parts.clock, signal, own);
        const lead = await this.#parts.store.lead();
        if (signal.aborted) return;
        const ledSince = this.#parts.clock.monotonicMs();
        const why = await this.#lead(lead);
        if (this.#parts.clock.monotonicMs() - ledSince >= STEADY_MS) attempt = 0;
        own = why === 'deposed' ? undefined : lead.term;
        if (why !== 'deposed') throw why;
      } catch (error) {
        if (signal.aborted) return;
        attempt += 1;
        this.#absence = 'the store of the ledger service is out of reach';
        this.#parts.tell({ kind: 'store_unavailable', attempt, error: error instanceof Error ? error : new Error(String(error)) });
        await delay(backoffMs(STORE_BACKOFF, attempt), undefined, { signal }).catch(() => undefined);
      }
    }
  }

  /** Resolves when it is over by itself. */
  async #lead(lead: Lead): Promise<'deposed' | Error> {
    const { store, clock, permissions, tell } = this.#parts;
    const why = await new Promise<'deposed' | Error>((onOver) => {
      const deliver = (processor: string, message: ToHolder): void => this.#peers.get(processor)?.send(message);
      const reign = new Reign({ store, clock, permissions, deliver, tell, onOver }, lead);
      const configured = reign.configure(this.#limits);
      if (!configured.ok) throw new Error(configured.error[0]?.message);
      this.#reign = reign;
      tell({ kind: 'leading', term: lead.term });
    });
    if (why === 'deposed') this.#resign('deposed', 'another controller leads');
    else this.#resign('store', 'the store of the ledger service is out of reach');
    return why;
  }

  #resign(reason: 'deposed' | 'store' | 'closed', message: string): void {
    const reign = this.#reign;
    this.#absence = message;
    if (reign === undefined) return;
    reign.end();
    this.#reign = undefined;
    for (const peer of this.#peers.values()) peer.end({ code: 'unavailable', message });
    this.#peers.clear();
    this.#parts.tell({ kind: 'resigned', term: reign.term, reason });
  }
}
