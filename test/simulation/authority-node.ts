import { Authority } from '../../src/core/leases/index.ts';
import type { Entry, Outcome, ToAuthority, ToHolder } from '../../src/core/leases/index.ts';
import { Clocks } from './clock.ts';
import type { World } from './world.ts';

/** One controller: an authority while it leads, its clocks, and the shell's part: store first, then say. */
export class AuthorityNode {
  readonly #world: World;
  clocks: Clocks;
  #authority: Authority | undefined;
  #term = 0;
  /** What is to be stored and said, in order. */
  #pipeline: Outcome[] = [];
  #isStoring = false;
  /** Changes with every start and stop, so that what was planned before is void. */
  #life = 0;
  #alarmAt = Infinity;

  constructor(world: World) {
    this.#world = world;
    this.clocks = world.newClocks();
  }

  get believesToLead(): boolean {
    return this.#authority !== undefined;
  }

  /** Takes over, whoever leads now: its predecessor may not know. Only where the store can be reached. */
  lead(): void {
    const { store, auditor, limits } = this.#world;
    if (!store.isReachable) return;
    this.#reset();
    this.#term = store.lead();
    this.#authority = new Authority(this.#term, store.rows.values(), this.clocks.epochMs(), this.clocks.monotonicMs());
    this.configure(limits);
    auditor.compare(this.#authority.figures());
  }

  configure(limits: World['limits']): void {
    const outcome = this.#authority?.configure(limits, this.clocks.epochMs(), this.clocks.monotonicMs());
    if (outcome?.ok) this.#carryOut(outcome.value);
  }

  /** What it was storing may or may not have been stored. */
  crash(): void {
    this.#giveUp(this.#isStoring ? this.#pipeline.slice(0, 1) : []);
    this.clocks = this.#world.newClocks();
  }

  #giveUp(storing: readonly Outcome[]): void {
    const { prng, store } = this.#world;
    if (storing.length > 0 && prng.percent(50))
      this.#commit(
        store,
        storing.flatMap(({ entries }) => entries),
      );
    this.#reset();
  }

  /** False where nobody is there who could hear. */
  hear(from: string, message: ToAuthority): boolean {
    if (this.#authority === undefined) return false;
    const outcome = this.#authority.receive(from, message, this.clocks.epochMs(), this.clocks.monotonicMs());
    if (!outcome.ok) throw new Error(outcome.error);
    this.#carryOut(outcome.value);
    return true;
  }

  /** The figures, where all of them are stored. */
  checkBooks(): void {
    if (this.#authority !== undefined && this.#pipeline.length === 0 && this.#term === this.#world.store.term)
      this.#world.auditor.compare(this.#authority.figures());
  }

  #reset(): void {
    this.#authority = undefined;
    this.#pipeline = [];
    this.#isStoring = false;
    this.#life += 1;
    this.#alarmAt = Infinity;
  }

  #carryOut(outcome: Outcome): void {
    this.#pipeline.push(outcome);
    this.#store();
    this.#setAlarm();
  }

  /** One at a time, and several outcomes at once where they have gathered. */
  #store(): void {
    if (this.#isStoring || this.#pipeline.length === 0) return;
    this.#isStoring = true;
    const [life, count] = [this.#life, this.#pipeline.length];
    const { prng, time, store } = this.#world;
    time.after(prng.between(0.5, 6), () => {
      if (life !== this.#life) return;
      this.#isStoring = false;
      const stored = this.#pipeline.splice(0, count);
      if (!store.isReachable) {
        this.#world.count('store lost');
        return this.#giveUp(stored);
      }
      if (
        !this.#commit(
          store,
          stored.flatMap(({ entries }) => entries),
        )
      )
        return this.#reset();
      for (const { messages, events } of stored) {
        for (const message of messages) this.#say(message);
        for (const { kind } of events) this.#world.count(kind);
      }
      this.#store();
    });
  }

  #commit(store: World['store'], entries: readonly Entry[]): boolean {
    const isStored = store.commit(this.#term, entries);
    if (isStored) this.#world.auditor.read(entries);
    else this.#world.count('deposed');
    return isStored;
  }

  #say(message: ToHolder): void {
    const to = message.kind === 'joined' ? message.nonce.split('/')[0] : this.#world.processorOf(message.lease);
    if (to !== undefined) this.#world.toHolder(this, Number(to), message);
  }

  #setAlarm(): void {
    const due = this.#authority?.nextDeadline() ?? Infinity;
    if (due >= this.#alarmAt) return;
    this.#alarmAt = due;
    const life = this.#life;
    this.#world.time.after(this.clocks.until(due), () => {
      if (life !== this.#life || this.#alarmAt !== due) return;
      this.#alarmAt = Infinity;
      if (this.#authority === undefined) return;
      this.#carryOut(this.#authority.advance(this.clocks.epochMs(), this.clocks.monotonicMs()));
    });
  }
}
