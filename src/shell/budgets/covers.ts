import type { CallHold, Clock } from '../../core/call/index.ts';
import type { AccountRef, Granted, Hold, Ledger } from '../../core/ledger/index.ts';
import type { LeaseNumber } from '../../core/leases/index.ts';
import type { Cover } from '../stores/sqlite/index.ts';

/** A cover is worth so many of the holds that asked for it, at first; it doubles while it is too small. */
const FIRST_COVER_HOLDS = 8n;

/** All covers of an account together take at most this share of what is free in it. */
const LARGEST_SHARE = 32n;

/** A cover that no call leaned on for so long is given back. */
const IDLE_MS = 10_000;

interface AccountCovers {
  readonly ref: AccountRef;
  readonly windowStart: number;
  /** Where the limit is shared: whose money it is. */
  readonly lease: LeaseNumber | undefined;
  /** Durable covers by id. */
  readonly active: Map<string, bigint>;
  total: bigint;
  /** The sum of the holds that were written and not flushed. */
  unsynced: bigint;
  usedAt: number;
  isGrowing: boolean;
}

interface Leaning {
  readonly sequence: number;
  readonly covers: readonly { readonly account: AccountCovers; readonly amount: bigint }[];
}

export interface CoverPorts {
  readonly ledger: Pick<Ledger, 'view' | 'setAside' | 'settle'>;
  readonly clock: Clock;
  readonly isStrict: (limit: string) => boolean;
  /** Keeps a cover on the disk. */
  readonly keep: (cover: Cover, done: (error: Error | undefined) => void) => void;
  readonly forget: (id: string) => void;
}

/**
 * Money set aside durably, so that calls need not wait for the disk one by one. A hold of a strict budget may be
 * forwarded as soon as the operating system has it, as long as all that a power cut could take back is worth no more than
 * the covers of its account: after a power cut the covers are charged in its stead. A cover is a reservation like any
 * other while it lasts, so the limit holds; it is given back at once when its account gets scarce or nobody calls.
 * docs/decisions/0003-covers.md
 */
export class Covers {
  readonly #ports: CoverPorts;
  readonly #accounts = new Map<string, AccountCovers>();
  readonly #leaning: Leaning[] = [];
  #count = 0;
  #idleTimer: NodeJS.Timeout | undefined;

  constructor(ports: CoverPorts) {
    this.#ports = ports;
  }

  /** Whether the call can go on before its hold is on the disk. Where it cannot, a larger cover is made for those to come. */
  covers(granted: Granted, hold: CallHold): boolean {
    let isCovered = true;
    for (const part of granted.holds) {
      if (!this.#ports.isStrict(part.limit)) continue;
      const account = this.#accounts.get(keyOf(part));
      if (account !== undefined && isFor(account, part) && account.unsynced + part.amount <= account.total) continue;
      isCovered = false;
      this.#grow(part, hold);
    }
    return isCovered;
  }

  /** Every hold counts until it is on the disk, whether it leaned on a cover or not. */
  written(granted: Granted, sequence: number): void {
    const covers: Leaning['covers'][number][] = [];
    for (const part of granted.holds) {
      const account = this.#accounts.get(keyOf(part));
      if (account === undefined) continue;
      account.unsynced += part.amount;
      account.usedAt = this.#ports.clock.monotonicMs();
      covers.push({ account, amount: part.amount });
    }
    if (covers.length > 0) this.#leaning.push({ sequence, covers });
  }

  synced(sequence: number): void {
    let done = 0;
    for (; done < this.#leaning.length; done++) {
      const leaning = this.#leaning[done] as Leaning;
      if (leaning.sequence > sequence) break;
      for (const { account, amount } of leaning.covers) account.unsynced -= amount;
    }
    if (done > 0) this.#leaning.splice(0, done);
  }

  /** Gives back what covers some accounts; true where there was any. */
  release(refs: Iterable<AccountRef>): boolean {
    let released = false;
    for (const ref of refs) {
      const account = this.#accounts.get(keyOf(ref));
      if (account === undefined || account.total === 0n) continue;
      this.#giveBack(account);
      released = true;
    }
    return released;
  }

  releaseAll(): boolean {
    clearTimeout(this.#idleTimer);
    this.#idleTimer = undefined;
    return this.release([...this.#accounts.values()].map(({ ref }) => ref));
  }

  /** What of an account's pending amount is covers and no call. */
  setAside(ref: AccountRef): bigint {
    return this.#accounts.get(keyOf(ref))?.total ?? 0n;
  }

  /** Of all accounts, whatever their units. */
  get total(): bigint {
    let total = 0n;
    for (const account of this.#accounts.values()) total += account.total;
    return total;
  }

  #grow(part: Hold, hold: CallHold): void {
    const { ledger, clock, keep } = this.#ports;
    const account = this.#accountOf(part);
    if (account.isGrowing || part.amount === 0n) return;
    const free = ledger.view(part, clock.epochMs())?.free ?? 0n;
    const room = free / LARGEST_SHARE - account.total;
    const wanted = account.total > part.amount * FIRST_COVER_HOLDS ? account.total : part.amount * FIRST_COVER_HOLDS;
    const amount = wanted < room ? wanted : room;
    if (amount < part.amount) return;
    const id = `cover-${hold.id}-${this.#count++}`;
    const held = ledger.setAside(id, part, amount, clock.epochMs(), clock.monotonicMs());
    if (held === undefined) return;
    account.isGrowing = true;
    const { at, namespace, workload, rule, provider, model, operation } = hold;
    keep({ id, at, hold: held, of: { namespace, workload, rule, provider, model, operation } }, (error) => {
      account.isGrowing = false;
      // The account may have been given up meanwhile, or its window be over.
      if (error !== undefined || this.#accounts.get(keyOf(part)) !== account || !isFor(account, held)) return this.#end(id);
      account.active.set(id, amount);
      account.total += amount;
      account.usedAt = clock.monotonicMs();
      this.#idleTimer ??= setTimeout(() => this.#releaseIdle(), IDLE_MS).unref();
    });
  }

  #accountOf(part: Hold): AccountCovers {
    const key = keyOf(part);
    const known = this.#accounts.get(key);
    if (known !== undefined && isFor(known, part)) return known;
    if (known !== undefined) this.#giveBack(known);
    const { limit, subject, windowStart, lease } = part;
    const fresh = {
      ref: { limit, subject },
      windowStart,
      lease,
      active: new Map<string, bigint>(),
      total: 0n,
      unsynced: 0n,
      usedAt: this.#ports.clock.monotonicMs(),
      isGrowing: false,
    };
    this.#accounts.set(key, fresh);
    return fresh;
  }

  #giveBack(account: AccountCovers): void {
    this.#accounts.delete(keyOf(account.ref));
    for (const id of account.active.keys()) this.#end(id);
    account.active.clear();
    account.total = 0n;
  }

  #end(id: string): void {
    const { ledger, clock, forget } = this.#ports;
    ledger.settle(id, { kind: 'void' }, clock.epochMs(), clock.monotonicMs());
    forget(id);
  }

  #releaseIdle(): void {
    this.#idleTimer = undefined;
    const now = this.#ports.clock.monotonicMs();
    for (const account of this.#accounts.values()) if (now - account.usedAt >= IDLE_MS) this.#giveBack(account);
    if (this.#accounts.size > 0) this.#idleTimer = setTimeout(() => this.#releaseIdle(), IDLE_MS).unref();
  }
}

const isFor = (account: AccountCovers, { windowStart, lease }: Hold): boolean => account.windowStart === windowStart && account.lease === lease;

const keyOf = ({ limit, subject }: AccountRef): string => `${limit}|${subject}`;
