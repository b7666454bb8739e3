/** One authority and some holders, for tests. */
import type { Granted, LimitSpec, Quote, Refused, Settlement } from '../ledger/index.ts';
import { Authority, Holder, limitIdentity } from './index.ts';
import type { Outcome, ToAuthority, ToHolder, UnfinishedLease } from './index.ts';

export const START = Date.parse('2026-11-24T12:00:20Z');
/** A message takes a millisecond, so a round trip two. */
const MESSAGE_MS = 1;

export function limit(id: string, changes: Partial<LimitSpec> = {}): LimitSpec {
  return {
    id,
    unit: 'usd',
    limit: 1_000n,
    window: { kind: 'lifetime' },
    mode: 'Strict',
    nearLimit: 'Reject',
    floorOutputTokens: 1,
    waitMs: 5_000,
    kind: 'budget',
    ...changes,
  };
}

/** A call that costs what its cap says, at most. */
function quote(amount: number, capIsDefault = false): Quote {
  return {
    fixedNanoUsd: 0n,
    outputNanoUsdPerMillion: 1_000_000n,
    inputTokens: 0,
    choices: 1,
    outputCap: amount,
    capIsDefault,
    estimate: { nanoUsd: BigInt(amount), tokens: amount },
  };
}

export const used = (amount: number): Settlement => ({ kind: 'actual', actual: { nanoUsd: BigInt(amount), tokens: amount, outputTokens: amount } });

/** One authority and some holders; time passes a millisecond at a time where something is to be said. */
export class Mesh {
  readonly authority = new Authority(1, [], START, 0);
  readonly holders = new Map<string, Holder>();
  readonly decided = new Map<string, Granted | Refused>();
  /** Who is not heard, and hears nothing. */
  readonly cut = new Set<string>();
  limits: readonly LimitSpec[];
  now = 0;
  /** How far the wall clock is ahead of the monotonic one. */
  ahead = START;
  messages = 0;
  readonly #processors = new Map<number, string>();
  #inFlight: { readonly at: number; readonly arrive: () => void }[] = [];

  constructor(limits: readonly LimitSpec[], names: readonly string[]) {
    this.limits = limits;
    this.#carryOut(this.authority.configure(limits, this.at, this.now));
    for (const name of names) this.start(name);
    this.pass(10);
  }

  start(name: string, unfinished: readonly UnfinishedLease[] = []): Holder {
    const holder = new Holder({ instance: `${name}-${this.now}`, unfinished, at: this.at, now: this.now });
    this.holders.set(name, holder);
    holder.configure(this.limits, this.at, this.now);
    return holder;
  }

  configure(limits: readonly LimitSpec[]): void {
    this.limits = limits;
    this.#carryOut(this.authority.configure(limits, this.at, this.now));
    for (const holder of this.holders.values()) holder.configure(limits, this.at, this.now);
  }

  reserve(name: string, id: string, limits: readonly string[], amount: number, capIsDefault = false): string {
    const accounts = limits.map((one) => ({ limit: one, subject: '' }));
    const outcome = this.holder(name).reserve({ id, at: this.at, now: this.now, accounts, quote: quote(amount, capIsDefault), profile: 'p' });
    if (outcome.kind === 'granted' || outcome.kind === 'refused') this.decided.set(id, outcome);
    this.#speak();
    return outcome.kind;
  }

  settle(name: string, id: string, settlement: Settlement): boolean {
    const settled = this.holder(name).settle(id, settlement, this.at, this.now);
    this.#speak();
    return settled !== undefined;
  }

  /** A holder's process does not run: what it was to do, and what was said to it, waits until then. */
  stall(ms: number): void {
    this.now += ms;
  }

  pass(ms: number): void {
    const until = this.now + ms;
    while (this.now < until) {
      const next = Math.min(
        until,
        ...this.#inFlight.map(({ at }) => at),
        ...[...this.holders.values()].map((holder) => holder.nextDeadline()),
        this.authority.nextDeadline(),
      );
      this.now += Math.max(0.01, next - this.now);
      const arriving = this.#inFlight.filter(({ at }) => at <= this.now);
      this.#inFlight = this.#inFlight.filter(({ at }) => at > this.now);
      for (const { arrive } of arriving) arrive();
      if (this.authority.nextDeadline() <= this.now) this.#carryOut({ ok: true, value: this.authority.advance(this.at, this.now) });
      for (const holder of this.holders.values()) holder.advance(this.at, this.now);
      this.#speak();
    }
  }

  get at(): number {
    return Math.floor(this.now + this.ahead);
  }

  holder(name: string): Holder {
    const holder = this.holders.get(name);
    if (holder === undefined) throw new Error(`there is no ${name}`);
    return holder;
  }

  figures(id: string): readonly [posted: bigint, pending: bigint, free: bigint] {
    const identity = limitIdentity(this.limits.find((one) => one.id === id) ?? limit(id));
    const found = [...this.authority.figures()].find((one) => one.limit === identity);
    return [found?.posted ?? -1n, found?.pending ?? -1n, found?.free ?? -1n];
  }

  #speak(): void {
    for (const [name, holder] of this.holders) {
      for (const decided of holder.takeDecided()) this.decided.set(decided.id, decided);
      for (const message of holder.takeMessages()) this.#toAuthority(name, message);
    }
  }

  #toAuthority(name: string, message: ToAuthority): void {
    this.messages += 1;
    this.#after(() => {
      if (this.cut.has(name)) return;
      const outcome = this.authority.receive(name, message, this.at, this.now);
      if (outcome.ok) for (const one of outcome.value.messages) if (one.kind === 'joined') this.#processors.set(one.lease, name);
      this.#carryOut(outcome);
    });
  }

  #toHolder(message: ToHolder): void {
    const name = this.#processors.get(message.lease) ?? '';
    this.#after(() => {
      if (!this.cut.has(name)) this.holders.get(name)?.receive(message, this.at, this.now);
    });
  }

  #after(arrive: () => void): void {
    this.#inFlight.push({ at: this.now + MESSAGE_MS, arrive });
  }

  #carryOut(outcome: { readonly ok: true; readonly value: Outcome } | { readonly ok: false; readonly error: unknown }): void {
    if (!outcome.ok) throw new Error(String(outcome.error));
    for (const message of outcome.value.messages) this.#toHolder(message);
  }
}
