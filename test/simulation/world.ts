import { limitIdentity } from '../../src/core/leases/index.ts';
import type { ToAuthority, ToHolder } from '../../src/core/leases/index.ts';
import type { LimitSpec } from '../../src/core/ledger/index.ts';
import { AuthorityNode } from './authority-node.ts';
import { Auditor, overdraftOf } from './auditor.ts';
import { Clocks } from './clock.ts';
import { HolderNode } from './holder-node.ts';
import { Prng } from './prng.ts';
import { Provider, keyOfHold } from './provider.ts';
import { NO_FAULTS, scenarioOf } from './scenario.ts';
import type { Faults, Scenario } from './scenario.ts';
import { Store } from './store.ts';
import { Timeline } from './timeline.ts';
import { Violation } from './violation.ts';

const AUTHORITIES = 3;
/** Long enough for the longest call, for lost leases to expire, and for what is left of windows that are over to be asked for. */
const QUIET_MS = 600_000;
/** So many looks for a moment when a power cut does harm. */
const MOMENTS = 200;
/** What an authority has in memory is compared with what is stored once in so many steps. */
const COMPARE_EVERY = 64;

export interface Summary {
  readonly steps: number;
  readonly outcomes: ReadonlyMap<string, number>;
}

/** Controllers, processors, a provider, and all that can go wrong between them; everything follows from the seed. */
export class World {
  readonly prng: Prng;
  readonly time = new Timeline();
  readonly store = new Store();
  readonly auditor: Auditor;
  readonly scenario: Scenario;
  readonly provider: Provider;
  readonly authorities: readonly AuthorityNode[];
  readonly holders: readonly HolderNode[];
  limits: readonly LimitSpec[];
  isClosing = false;
  #faults: Faults;
  #diskWasLost = false;
  readonly #outcomes = new Map<string, number>();
  /** Pairs that do not hear each other, `authority/holder`. */
  readonly #cut = new Set<string>();

  constructor(seed: number, scenario?: Scenario) {
    this.prng = new Prng(seed);
    this.scenario = scenario ?? scenarioOf(this.prng);
    this.#faults = this.scenario.faults;
    this.limits = this.scenario.limits;
    const clocksAreRight = this.#faults.skewMs === 0 && this.#faults.clockJumpEveryMs === 0;
    this.auditor = new Auditor(this.time, clocksAreRight);
    this.provider = new Provider(this.auditor, clocksAreRight);
    for (const spec of this.limits) this.auditor.limits.set(limitIdentity(spec), { spec, ceiling: spec.limit, changedAt: 0 });
    this.authorities = Array.from({ length: AUTHORITIES }, () => new AuthorityNode(this));
    this.holders = Array.from({ length: this.scenario.holders }, (_, index) => new HolderNode(this, index));
    this.authorities[0]?.lead();
    for (const holder of this.holders) holder.start();
    this.#planFaults();
  }

  /** So many steps with faults, then as many as it takes until all is quiet. Throws `Violation`. */
  run(steps: number): Summary {
    let taken = 0;
    while (taken < steps) taken += this.#step(taken);
    this.#close();
    const until = this.time.now + QUIET_MS;
    while (this.time.now < until) taken += this.#step(taken);
    this.#checkQuiet();
    return { steps: taken, outcomes: this.#outcomes };
  }

  newClocks(): Clocks {
    return new Clocks(this.time, this.prng.between(0.999, 1.001), this.#skew());
  }

  count(outcome: string): void {
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + 1);
  }

  processorOf(lease: number): string | undefined {
    const row = this.store.rows.get(`lease ${lease}`);
    return row?.kind === 'lease' ? row.processor : undefined;
  }

  toHolder(from: AuthorityNode, to: number, message: ToHolder): void {
    this.#send(`${this.authorities.indexOf(from)}/${to}`, () => this.holders[to]?.hear(message));
  }

  toAuthority(from: number, to: number, message: ToAuthority): void {
    this.#send(`${to}/${from}`, () => {
      if (this.authorities[to]?.hear(String(from), message) === false) this.#send(`${to}/${from}`, () => this.holders[from]?.refused());
    });
  }

  #send(between: string, arrive: () => void): void {
    const { prng, time } = this;
    const { lossPercent, duplicatePercent, slowPercent } = this.#faults;
    const copies = prng.percent(duplicatePercent) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      if (this.#cut.has(between) || prng.percent(lossPercent)) continue;
      const ms = prng.percent(slowPercent) ? prng.between(50, prng.percent(30) ? 60_000 : 4_000) : prng.between(0.2, 20);
      time.after(ms, () => {
        if (!this.#cut.has(between)) arrive();
      });
    }
    // A connection that says nothing for long is given up.
    if (this.#cut.has(between) && prng.percent(30)) {
      const holder = Number(between.split('/')[1]);
      time.after(prng.between(1_000, 8_000), () => this.holders[holder]?.refused());
    }
  }

  #step(taken: number): number {
    if (!this.time.step()) throw new Error('nothing is left to happen');
    // Each looks at itself if something happened there; the store's auditor looks at each commit.
    for (const holder of this.holders) holder.check();
    if (taken % COMPARE_EVERY === 0) for (const authority of this.authorities) authority.checkBooks();
    return 1;
  }

  #planFaults(): void {
    const { prng, time } = this;
    const plan = (everyMs: number, happen: () => void) => {
      if (everyMs === 0) return;
      const next = () =>
        time.after(prng.between(0, 2 * everyMs), () => {
          if (this.isClosing) return;
          happen();
          next();
        });
      next();
    };
    const faults = this.#faults;
    plan(faults.killEveryMs, () => this.#endHolder(prng.pick(this.holders), 'kill'));
    plan(faults.powerCutEveryMs, () => this.#cutPower(prng.pick(this.holders), MOMENTS));
    plan(faults.diskLossEveryMs, () => this.#endHolder(prng.pick(this.holders), 'disk loss'));
    plan(faults.failoverEveryMs, () => this.#failOver());
    plan(faults.storeOutageEveryMs, () => this.#loseStore());
    plan(faults.rivalEveryMs, () => prng.pick(this.authorities).lead());
    plan(faults.partitionEveryMs, () => this.#partition());
    plan(faults.clockJumpEveryMs, () => this.#jump());
    plan(faults.limitChangeEveryMs, () => this.#changeLimits());
  }

  /** At the worst moment: when something is written that is not flushed. */
  #cutPower(holder: HolderNode, moments: number): void {
    if (!holder.journal.isFlushed || moments === 0) this.#endHolder(holder, 'power cut');
    else this.time.after(this.prng.between(0, 2), () => this.isClosing || this.#cutPower(holder, moments - 1));
  }

  #endHolder(holder: HolderNode, how: 'kill' | 'power cut' | 'disk loss'): void {
    if (!holder.isUp) return;
    holder.end(how);
    if (how === 'disk loss') this.#diskWasLost = true;
    this.time.after(this.prng.between(10, this.prng.percent(20) ? 60_000 : 3_000), () => {
      if (!holder.isUp) holder.start();
    });
  }

  #failOver(): void {
    const { prng, time } = this;
    const leader = this.authorities.find(({ believesToLead }) => believesToLead);
    leader?.crash();
    time.after(prng.between(10, prng.percent(10) ? 45_000 : 3_000), () => {
      if (!this.authorities.some(({ believesToLead }) => believesToLead)) prng.pick(this.authorities).lead();
    });
  }

  /** Whoever leads hears nothing from the store any more, and leads no more; somebody does when it is back. */
  #loseStore(): void {
    const { prng, time, store } = this;
    if (!store.isReachable) return;
    store.isReachable = false;
    time.after(prng.between(10, prng.percent(10) ? 60_000 : 5_000), () => {
      store.isReachable = true;
      time.after(prng.between(10, 3_000), () => {
        if (!this.authorities.some(({ believesToLead }) => believesToLead)) prng.pick(this.authorities).lead();
      });
    });
  }

  #partition(): void {
    const { prng, time } = this;
    const cut = prng.percent(50)
      ? this.authorities.map((_, index) => `${index}/${prng.below(this.holders.length)}`)
      : this.holders.map((_, index) => `${prng.below(AUTHORITIES)}/${index}`);
    const whole = prng.below(this.holders.length);
    const pairs = prng.percent(50) ? cut : this.authorities.map((_, index) => `${index}/${whole}`);
    for (const pair of pairs) this.#cut.add(pair);
    time.after(prng.percent(50) ? prng.between(100, 8_000) : prng.between(20_000, 90_000), () => {
      for (const pair of pairs) this.#cut.delete(pair);
    });
  }

  #jump(): void {
    const parts = [...this.authorities, ...this.holders];
    this.prng.pick(parts).clocks.skewMs = this.prng.between(-300_000, 300_000);
  }

  #skew(): number {
    const { skewMs } = this.scenario.faults;
    return this.prng.between(-skewMs, skewMs);
  }

  /** Up and down; everybody hears of it, some later. */
  #changeLimits(): void {
    const { prng, time } = this;
    this.limits = this.limits.map((spec) => {
      if (!prng.percent(40)) return spec;
      const first = this.scenario.limits.find(({ id }) => id === spec.id)?.limit ?? spec.limit;
      const known = this.auditor.limits.get(limitIdentity(spec));
      const limit = prng.percent(70) ? spec.limit + first / 2n : (spec.limit * BigInt(30 + prng.below(70))) / 100n + 1n;
      const changed = { ...spec, limit };
      this.auditor.limits.set(limitIdentity(spec), {
        spec: changed,
        ceiling: known === undefined || limit > known.ceiling ? limit : known.ceiling,
        changedAt: this.time.now,
      });
      return changed;
    });
    const { limits } = this;
    for (const authority of this.authorities) authority.configure(limits);
    for (const holder of this.holders) time.after(prng.between(0, 2_000), () => holder.isUp && holder.configure(this.limits));
  }

  /** Everything that is broken is mended, and nobody calls any more. */
  #close(): void {
    this.isClosing = true;
    this.#faults = NO_FAULTS;
    this.#cut.clear();
    this.store.isReachable = true;
    // Who believes to lead may have been deposed.
    this.authorities[0]?.lead();
    for (const holder of this.holders) if (!holder.isUp) holder.start();
  }

  #checkQuiet(): void {
    if (!this.holders.every(({ isQuiet }) => isQuiet)) throw new Violation('quiet', 'calls wait or are held although nothing is left to happen');
    const journaled = this.#journaled();
    for (const key of this.auditor.keys()) {
      const limit = this.auditor.limits.get(key.split('\n')[0] ?? '');
      const { pending, posted, lost, released } = this.auditor.sums(key);
      if (pending !== 0n) throw new Violation('quiet', `${pending} pending in ${key} although nobody calls`);
      if (limit === undefined || limit.spec.window.kind === 'rolling' || limit.spec.mode === 'Observe') continue;
      const billed = this.provider.billed.get(key) ?? 0n;
      // What a processor overdrew before its disk was lost, nobody knows of.
      if (posted + released + overdraftOf(limit.spec, limit.ceiling) < billed) throw new Violation('books', `${billed} billed and ${posted} posted in ${key}`);
      if (this.#diskWasLost) continue;
      const settled = journaled.get(key) ?? 0n;
      if (lost !== 0n || released !== 0n) throw new Violation('quiet', `${lost} lost and ${released} released in ${key} although all was heard of again`);
      if (posted !== settled) throw new Violation('once', `${settled} settled and ${posted} posted in ${key}`);
    }
  }

  /** What all journals say was posted. */
  #journaled(): Map<string, bigint> {
    const sums = new Map<string, bigint>();
    for (const { journal } of this.holders) {
      for (const entry of journal.entries) {
        if (entry.kind !== 'settle') continue;
        for (const hold of entry.posted) {
          const spec = this.limits.find(({ id }) => id === hold.limit);
          if (spec === undefined) continue;
          const key = keyOfHold(spec, hold);
          sums.set(key, (sums.get(key) ?? 0n) + hold.amount);
        }
      }
    }
    return sums;
  }
}
