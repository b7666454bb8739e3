import type { EpochMs } from '../units/index.ts';
import { Account } from './account.ts';
import type { LimitInForce } from './account.ts';
import { MAX_SUBJECTS, OTHER_SUBJECTS } from './limits.ts';
import type { PurseSource } from './purse.ts';
import type { AccountRef, LimitSpec } from './types.ts';
import { isSameWindow, spansOf } from './windows.ts';

/** Limits that were taken away and are remembered with what was spent, in case they come back. */
const MAX_RETIRED = 1_000;
/** From this many accounts on, unused ones of a limit are looked for when new ones come. */
const SWEEP_FROM = 1_024;
/** A limit whose accounts are all in use is not searched again before this. */
const SWEEP_PAUSE_MS = 60_000;

interface Kept extends LimitInForce {
  readonly accounts: Map<string, Account>;
  sweepFrom: number;
  sweepAfter: EpochMs;
}

/** The limits and their accounts, by subject. Accounts are made when first used, and dropped when nothing is in them. */
export class LimitBook {
  readonly #purses: PurseSource | undefined;
  #inForce = new Map<string, Kept>();
  readonly #retired = new Map<string, Kept>();

  constructor(purses?: PurseSource) {
    this.#purses = purses;
  }

  /** A limit that keeps its id, unit and window keeps its accounts. */
  replace(specs: readonly LimitSpec[], at: EpochMs): void {
    const before = this.#inForce;
    this.#inForce = new Map();
    for (const spec of specs) {
      const known = before.get(spec.id) ?? this.#retired.get(spec.id);
      before.delete(spec.id);
      this.#retired.delete(spec.id);
      if (known && known.spec.unit === spec.unit && isSameWindow(known.spec.window, spec.window)) {
        known.spec = spec;
        this.#inForce.set(spec.id, known);
      } else this.#inForce.set(spec.id, { spec, spanAt: spansOf(spec.window), accounts: new Map(), sweepFrom: SWEEP_FROM, sweepAfter: 0 });
    }
    this.#retire(before, at);
  }

  /** The account, made if need be. Throws on an unknown limit: whoever asks goes by limits that are not in force. */
  account({ limit, subject }: AccountRef, at: EpochMs): Account {
    const kept = this.#inForce.get(limit);
    if (!kept) throw new RangeError(`no limit ${JSON.stringify(limit)} is in force; configure the ledger before calls go by new policies`);
    const known = kept.accounts.get(subject);
    if (known) return known;
    this.#sweep(kept, at);
    const name = kept.accounts.size < MAX_SUBJECTS ? subject : OTHER_SUBJECTS;
    const account = kept.accounts.get(name) ?? new Account(kept, name, this.#purses);
    kept.accounts.set(name, account);
    return account;
  }

  /** The account as it would be, without making it; `undefined` where there is no such limit. */
  peek({ limit, subject }: AccountRef): Account | undefined {
    const kept = this.#inForce.get(limit);
    return kept && (kept.accounts.get(subject) ?? new Account(kept, subject, this.#purses));
  }

  has(limit: string): boolean {
    return this.#inForce.has(limit);
  }

  *accounts(): Generator<Account> {
    for (const { accounts } of this.#inForce.values()) yield* accounts.values();
  }

  /** With those of limits that were taken away. */
  *allAccounts(): Generator<Account> {
    yield* this.accounts();
    for (const { accounts } of this.#retired.values()) yield* accounts.values();
  }

  #retire(gone: Map<string, Kept>, at: EpochMs): void {
    for (const [id, kept] of gone) this.#retired.set(id, kept);
    for (const [id, kept] of this.#retired) {
      dropIdle(kept, at);
      if (kept.accounts.size === 0) this.#retired.delete(id);
    }
    for (const id of this.#retired.keys()) {
      if (this.#retired.size <= MAX_RETIRED) break;
      this.#retired.delete(id);
    }
  }

  #sweep(kept: Kept, at: EpochMs): void {
    if (kept.accounts.size < kept.sweepFrom || at < kept.sweepAfter) return;
    dropIdle(kept, at);
    kept.sweepFrom = Math.max(SWEEP_FROM, Math.min(2 * kept.accounts.size, MAX_SUBJECTS));
    kept.sweepAfter = at + SWEEP_PAUSE_MS;
  }
}

function dropIdle({ accounts }: Kept, at: EpochMs): void {
  for (const [subject, account] of accounts) {
    account.roll(at);
    if (account.isIdle) accounts.delete(subject);
  }
}
