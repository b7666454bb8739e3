import { Holder, keyOf, limitIdentity } from '../../src/core/leases/index.ts';
import type { ToAuthority, ToHolder, UnfinishedLease } from '../../src/core/leases/index.ts';
import type { Granted, Hold, LimitSpec, Quote, Refused, Settlement } from '../../src/core/ledger/index.ts';
import type { Clocks } from './clock.ts';
import { Journal } from './journal.ts';
import { keyOfHold } from './provider.ts';
import { Violation } from './violation.ts';
import type { World } from './world.ts';

const IN = 2n;
const OUT = 8n;

/** As the limits of all scenarios have it, and a moment. */
const LONGEST_WAIT_MS = 5_001;

interface Call {
  readonly parts: readonly { readonly spec: LimitSpec; readonly hold: Hold; readonly key: string }[];
  readonly outputCap: number;
  readonly input: number;
  /** What was held for it besides. */
  readonly grown: { readonly key: string; readonly amount: bigint }[];
}

interface Tally {
  held: bigint;
  spent: bigint;
}

/** One processor: a holder while it runs, its disk, its clients, and the shell's part: the journal first, then calls and messages. */
export class HolderNode {
  readonly #world: World;
  readonly #index: number;
  journal = new Journal();
  clocks: Clocks;
  #holder: Holder | undefined;
  #life = 0;
  #callCount = 0;
  #alarmAt = Infinity;
  #flushIsDue = false;
  /** Something happened here since the last check. */
  #isTouched = false;
  /** The controller that it is connected to. */
  #target = 0;
  #isConnecting = false;
  #limits: readonly LimitSpec[] = [];
  readonly #waiting = new Map<string, { readonly input: number; readonly since: number }>();
  readonly #calls = new Map<string, Call>();
  /** Reservations of more that are not decided, and whose call they are for. */
  readonly #growing = new Map<string, string>();
  /** What outcomes have said, by lease and account: what the slices must show. Lease 0, before there is one, goes by the life of the lease to come. */
  #tallies = new Map<string, Tally>();
  #begun = 0;
  readonly #begunLeases = new Map<string, number>();

  constructor(world: World, index: number) {
    this.#world = world;
    this.#index = index;
    this.clocks = world.newClocks();
  }

  get isUp(): boolean {
    return this.#holder !== undefined;
  }

  get isQuiet(): boolean {
    return this.#waiting.size === 0 && this.#calls.size === 0;
  }

  /** With what its disk has: calls that were in flight are settled as lost, their whole hold posted. */
  start(): void {
    this.#life += 1;
    this.clocks = this.#world.newClocks();
    const unfinished = this.#recover();
    this.#holder = new Holder({
      instance: `${this.#index}/${this.#world.prng.below(1_000_000_000)}-${this.#life}`,
      unfinished,
      at: this.clocks.epochMs(),
      now: this.clocks.monotonicMs(),
    });
    this.configure(this.#world.limits);
    this.#arrive(this.#life);
  }

  configure(limits: readonly LimitSpec[]): void {
    this.#limits = limits;
    const done = this.#holder?.configure(limits, this.clocks.epochMs(), this.clocks.monotonicMs());
    if (done?.ok === false) throw new Error(done.error[0]?.message);
    this.#settleDown();
  }

  end(how: 'kill' | 'power cut' | 'disk loss'): void {
    this.journal.end(how);
    this.#holder = undefined;
    this.#life += 1;
    this.#alarmAt = Infinity;
    this.#flushIsDue = false;
    this.#isConnecting = false;
    this.#waiting.clear();
    this.#calls.clear();
    this.#growing.clear();
    this.#tallies = new Map();
    this.#begunLeases.clear();
  }

  hear(message: ToHolder): void {
    this.#holder?.receive(message, this.clocks.epochMs(), this.clocks.monotonicMs());
    this.#settleDown();
  }

  /** The slices are what the outcomes have said; nothing more is spent than was granted; nobody waits longer than he may. */
  check(): void {
    const [longest] = this.#waiting.values();
    if (longest !== undefined && this.clocks.monotonicMs() - longest.since > LONGEST_WAIT_MS)
      throw new Violation('quiet', `a call waits since ${longest.since} at processor ${this.#index}`);
    if (!this.#isTouched) return;
    this.#isTouched = false;
    for (const slice of this.#holder?.slices() ?? []) {
      if (slice.isReserve) this.#world.count('kept for a quiet service');
      const tally = this.#tallies.get(`${slice.lease === 0 ? `0#${this.#begun}` : slice.lease}\n${keyOf(slice)}`);
      const [held, spent] = [tally?.held ?? 0n, tally?.spent ?? 0n];
      // Of a former life, the authority may know of more than the disk: what was counted before there was a lease.
      const isOff = slice.account === undefined ? slice.spent < spent : slice.spent !== spent;
      if (slice.held !== held || isOff) {
        throw new Violation(
          'once',
          `processor ${this.#index} holds ${slice.held} and spent ${slice.spent} in ${keyOf(slice)}; its outcomes say ${held} and ${spent}`,
        );
      }
      if (slice.account?.spec.mode === 'Strict' && slice.granted > 0n && slice.spent + slice.held + slice.returned > slice.granted) {
        throw new Violation('conservation', `processor ${this.#index} holds and spent more than ${slice.granted} in ${keyOf(slice)}`);
      }
    }
  }

  #arrive(life: number): void {
    const { prng, time, scenario } = this.#world;
    time.after(prng.between(0, 2 * scenario.callEveryMs), () => {
      if (life !== this.#life || this.#world.isClosing) return;
      this.#arrive(life);
      this.#call();
    });
  }

  #call(): void {
    const { prng, time } = this.#world;
    if (this.#holder === undefined) return;
    const id = `${this.#index}/${this.#life}/${this.#callCount++}`;
    const chosen = prng.percent(35) ? [prng.pick(this.#limits)] : this.#limits.filter(() => prng.percent(40));
    const accounts = (chosen.length > 0 ? chosen : this.#limits.slice(0, 1)).map(({ id: limit }) => ({ limit, subject: prng.percent(70) ? 'a' : 'b' }));
    const input = prng.below(60);
    const outputCap = 1 + prng.below(prng.percent(5) ? 2_000 : 150);
    const quote: Quote = {
      fixedNanoUsd: BigInt(input) * IN,
      outputNanoUsdPerMillion: OUT * 1_000_000n,
      inputTokens: input,
      choices: 1,
      outputCap,
      capIsDefault: prng.percent(30),
      estimate: { nanoUsd: BigInt(input) * IN + BigInt(outputCap) * OUT, tokens: input + outputCap },
    };
    const profile = `p${prng.below(2)}`;
    const outcome = this.#holder.reserve({
      id,
      at: this.clocks.epochMs(),
      now: this.clocks.monotonicMs(),
      accounts,
      quote,
      profile,
      canBeEnded: prng.percent(50),
    });
    this.#world.count(outcome.kind);
    if (outcome.kind === 'granted') this.#granted(outcome, input);
    if (outcome.kind === 'waiting') {
      this.#waiting.set(id, { input, since: this.clocks.monotonicMs() });
      const life = this.#life;
      if (prng.percent(10)) time.after(prng.between(1, 3_000), () => life === this.#life && this.#leave(id));
    }
    this.#settleDown();
  }

  #leave(id: string): void {
    if (this.#holder?.cancel(id, this.clocks.epochMs(), this.clocks.monotonicMs()) === true) this.#waiting.delete(id);
    this.#settleDown();
  }

  /** A stream outgrows what was expected of it: more is held, in bounded budgets, by a reservation of its own. */
  #grow(id: string): void {
    const { prng } = this.#world;
    const accounts = (this.#calls.get(id)?.parts ?? [])
      .filter(({ spec }) => spec.mode === 'Bounded')
      .map(({ hold: { limit, subject } }) => ({ limit, subject }));
    const inForce = accounts.filter(({ limit }) => this.#limits.some((spec) => spec.id === limit));
    if (this.#holder === undefined || inForce.length === 0 || [...this.#growing.values()].includes(id)) return;
    const step = 1 + prng.below(400);
    const nanoUsd = BigInt(step) * OUT;
    const more = `${id}+${this.#calls.get(id)?.grown.length ?? 0}`;
    this.#growing.set(more, id);
    const outcome = this.#holder.reserve({
      id: more,
      at: this.clocks.epochMs(),
      now: this.clocks.monotonicMs(),
      accounts: inForce,
      quote: {
        fixedNanoUsd: 0n,
        outputNanoUsdPerMillion: OUT * 1_000_000n,
        inputTokens: 0,
        choices: 1,
        outputCap: step,
        capIsDefault: false,
        estimate: { nanoUsd, tokens: step },
      },
      profile: 'p0',
      grows: id,
      canBeEnded: true,
      waitMs: 500,
    });
    if (outcome.kind === 'granted') this.#grown(outcome, id);
    else if (outcome.kind !== 'waiting') this.#growing.delete(more);
    this.#settleDown();
  }

  #grown({ id: more, holds }: Granted, id: string): void {
    this.#growing.delete(more);
    if (this.#holder?.grow(id, more) !== true) throw new Violation('once', `${more} was granted for a call that is not held`);
    this.#world.count('grown');
    for (const hold of holds) {
      const spec = this.#limits.find(({ id: limit }) => limit === hold.limit) as LimitSpec;
      const key = `${this.#leaseKey(hold)}\n${keyOfHold(spec, hold)}`;
      this.#tally(key).held += hold.amount;
      this.#calls.get(id)?.grown.push({ key, amount: hold.amount });
    }
  }

  #decided(outcome: Granted | Refused): void {
    const growing = this.#growing.get(outcome.id);
    if (growing !== undefined) {
      if (outcome.kind === 'granted') return this.#grown(outcome, growing);
      this.#growing.delete(outcome.id);
      return;
    }
    const waited = this.#waiting.get(outcome.id);
    this.#waiting.delete(outcome.id);
    this.#world.count(`later ${outcome.kind}`);
    if (outcome.kind === 'granted') this.#granted(outcome, waited?.input ?? 0);
  }

  /** The hold is flushed before the call leaves. */
  #granted({ id, holds, outputCap }: Granted, input: number): void {
    const parts = holds.map((hold) => {
      const spec = this.#limits.find(({ id: limit }) => limit === hold.limit) as LimitSpec;
      const key = `${this.#leaseKey(hold)}\n${keyOfHold(spec, hold)}`;
      this.#tally(key).held += hold.amount;
      if (spec.mode === 'Strict' && this.#world.auditor.stateOf(hold.lease ?? 0) !== 'live') {
        throw new Violation(
          'fencing',
          `processor ${this.#index} admitted a call under lease ${hold.lease}, which is ${this.#world.auditor.stateOf(hold.lease ?? 0)}`,
        );
      }
      if (spec.mode === 'Bounded' && this.#world.auditor.stateOf(hold.lease ?? 0) !== 'live') this.#world.count('overdrawn');
      return { spec, hold, key };
    });
    this.#calls.set(id, { parts, outputCap, input, grown: [] });
    this.journal.append({ kind: 'hold', id, holds });
    this.journal.whenFlushed(() => this.#forward(id));
  }

  #forward(id: string): void {
    const { prng, time, provider } = this.#world;
    const call = this.#calls.get(id);
    if (call === undefined) return;
    const bill = provider.serve(call.parts, time.now);
    const life = this.#life;
    const durationMs = prng.percent(4) ? prng.between(20_000, 70_000) : prng.between(10, 4_000);
    for (let step = prng.percent(30) ? prng.below(4) : 0; step > 0; step -= 1)
      time.after(prng.between(0, durationMs), () => life === this.#life && this.#grow(id));
    time.after(durationMs, () => {
      const kind = prng.percent(80) ? 'actual' : prng.percent(60) ? 'estimated' : 'void';
      const inputTokens = kind === 'void' ? 0 : prng.below(call.input + 1);
      const wanted = kind === 'void' ? 0 : prng.percent(20) ? call.outputCap : prng.below(call.outputCap + 1);
      const outputTokens = cutAt(call, wanted, inputTokens);
      if (outputTokens < wanted) this.#world.count('cut');
      const used = { nanoUsd: BigInt(inputTokens) * IN + BigInt(outputTokens) * OUT, tokens: inputTokens + outputTokens, outputTokens };
      bill(({ unit }) => (kind === 'void' ? 0n : unit === 'requests' ? 1n : unit === 'usd' ? used.nanoUsd : BigInt(used.tokens)));
      if (life !== this.#life) return;
      this.#settle(id, kind === 'void' ? { kind } : kind === 'actual' ? { kind, actual: used } : { kind, estimate: used });
    });
  }

  #settle(id: string, settlement: Settlement): void {
    const [at, now] = [this.clocks.epochMs(), this.clocks.monotonicMs()];
    for (const [more, call] of this.#growing) {
      if (call !== id) continue;
      this.#growing.delete(more);
      this.#holder?.cancel(more, at, now);
    }
    const settled = this.#holder?.settle(id, settlement, at, now);
    if (settled === undefined) throw new Violation('once', `call ${id} was not held`);
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (settled.posted.some(({ lease = 0 }) => this.#world.auditor.stateOf(lease) === 'expired')) this.#world.count('settled under a lost lease');
    for (const [index, { amount }] of settled.posted.entries()) {
      const part = call?.parts[index];
      const tally = this.#tally(part?.key ?? '');
      tally.held -= part?.hold.amount ?? 0n;
      tally.spent += amount;
    }
    for (const { key, amount } of call?.grown ?? []) this.#tally(key).held -= amount;
    this.journal.append({ kind: 'settle', id, posted: settled.posted });
    // An ending may be told twice.
    if (this.#world.prng.percent(10) && this.#holder?.settle(id, settlement, at, now) !== undefined)
      throw new Violation('once', `call ${id} was settled twice`);
    this.#settleDown();
  }

  /** What the shell does after each command. */
  #settleDown(): void {
    if (this.#holder === undefined) return;
    this.#isTouched = true;
    for (const entry of this.#holder.takeEntries()) {
      this.journal.append(entry);
      if (entry.kind === 'lease_begun') this.#nameTallies(entry.lease);
    }
    for (const outcome of this.#holder.takeDecided()) this.#decided(outcome);
    for (const message of this.#holder.takeMessages()) this.journal.whenFlushed(() => this.#say(message));
    this.#flush();
    this.#setAlarm();
  }

  #say(message: ToAuthority): void {
    this.#world.toAuthority(this.#index, this.#target, message);
  }

  /** Nobody is there, or the connection broke: another is tried. */
  refused(): void {
    if (this.#isConnecting || this.#holder === undefined) return;
    this.#isConnecting = true;
    const { prng, time, authorities } = this.#world;
    const life = this.#life;
    time.after(prng.between(50, 1_500), () => {
      if (life !== this.#life) return;
      this.#isConnecting = false;
      this.#target = prng.below(authorities.length);
      this.#holder?.connected(this.clocks.epochMs(), this.clocks.monotonicMs());
      this.#settleDown();
    });
  }

  #flush(): void {
    if (this.#flushIsDue || this.journal.isFlushed) return;
    this.#flushIsDue = true;
    const life = this.#life;
    const { prng, time } = this.#world;
    time.after(prng.between(0.2, prng.percent(10) ? 80 : 6), () => {
      if (life !== this.#life) return;
      this.#flushIsDue = false;
      this.journal.flush();
    });
  }

  #setAlarm(): void {
    const due = this.#holder?.nextDeadline() ?? Infinity;
    if (due >= this.#alarmAt) return;
    this.#alarmAt = due;
    const life = this.#life;
    this.#world.time.after(this.clocks.until(due), () => {
      if (life !== this.#life || this.#alarmAt !== due) return;
      this.#alarmAt = Infinity;
      this.#holder?.advance(this.clocks.epochMs(), this.clocks.monotonicMs());
      this.#settleDown();
    });
  }

  #leaseKey({ lease = 0 }: Hold): string {
    return lease === 0 ? `0#${this.#begun}` : String(lease);
  }

  /** What was done before there was a lease counts under the one that came. */
  #nameTallies(lease: number): void {
    this.#begunLeases.set(`0#${this.#begun}`, lease);
    for (const [key, tally] of this.#tallies) {
      if (!key.startsWith(`0#${this.#begun}\n`)) continue;
      this.#tallies.delete(key);
      this.#tallies.set(`${lease}${key.slice(key.indexOf('\n'))}`, tally);
    }
    this.#begun += 1;
  }

  #tally(key: string): Tally {
    const [lease = ''] = key.split('\n', 1);
    const named = this.#begunLeases.has(lease) ? `${this.#begunLeases.get(lease)}${key.slice(key.indexOf('\n'))}` : key;
    const tally = this.#tallies.get(named) ?? { held: 0n, spent: 0n };
    this.#tallies.set(named, tally);
    return tally;
  }

  #recover(): UnfinishedLease[] {
    const held = new Map<string, readonly Hold[]>();
    const leases = new Map<number, { key: string; hold: Hold }[]>();
    const post = (posted: readonly Hold[]) => {
      for (const hold of posted) {
        const spec = this.#world.limits.find(({ id }) => id === hold.limit);
        if (spec !== undefined && hold.lease !== undefined && hold.lease !== 0) leases.get(hold.lease)?.push({ key: keyOfHold(spec, hold), hold });
      }
    };
    for (const entry of this.journal.entries) {
      if (entry.kind === 'lease_begun') leases.set(entry.lease, []);
      if (entry.kind === 'lease_ended') leases.delete(entry.lease);
      if (entry.kind === 'hold') held.set(entry.id, entry.holds);
      if (entry.kind === 'settle') {
        held.delete(entry.id);
        post(entry.posted);
      }
    }
    for (const [id, holds] of held) {
      this.journal.append({ kind: 'settle', id, posted: holds });
      post(holds);
    }
    return [...leases].map(([lease, posted]) => ({ lease, spent: posted.map(({ key, hold }) => this.#recovered(lease, key, hold)) }));
  }

  #recovered(lease: number, key: string, { limit, subject, windowStart, amount }: Hold): UnfinishedLease['spent'][number] {
    this.#tally(`${lease}\n${key}`).spent += amount;
    const spec = this.#world.limits.find(({ id }) => id === limit) as LimitSpec;
    const period = spec.window.kind === 'calendar' ? windowStart : 0;
    return { limit: limitIdentity(spec), subject, period, windowStart, amount, isRolling: spec.window.kind === 'rolling' };
  }
}

/** A stream that a budget ends has no more tokens than what is held for it pays for. */
function cutAt({ parts, grown }: Call, outputTokens: number, inputTokens: number): number {
  let most = outputTokens;
  for (const { spec, hold, key } of parts) {
    if (spec.nearLimit !== 'CutStream') continue;
    const held = grown.reduce((sum, more) => (more.key === key ? sum + more.amount : sum), hold.amount);
    most = Math.min(most, Math.max(0, Number((held - BigInt(inputTokens) * IN) / OUT)));
  }
  return most;
}
