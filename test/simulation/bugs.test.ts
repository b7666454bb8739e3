import { afterEach, describe, expect, it, vi } from 'vitest';
import { Lease } from '../../src/core/leases/lease.ts';
import { Share } from '../../src/core/leases/share.ts';
import { Slice } from '../../src/core/leases/slice.ts';
import { Ledger } from '../../src/core/ledger/index.ts';
import type { Granted, ReserveCommand } from '../../src/core/ledger/index.ts';
import { Clocks } from './clock.ts';
import { Store } from './store.ts';
import { Violation } from './violation.ts';
import { World } from './world.ts';

/** Bugs of the usual kinds, planted one at a time: the simulation must see each. */
const SEEDS = 60;
const STEPS = 5_000;

interface Bug {
  readonly name: string;
  readonly plant: () => void;
  /** The promises that it breaks: which is seen first is up to chance. */
  readonly breaks: readonly string[];
}

const bugs: readonly Bug[] = [
  {
    name: 'a report that comes twice is booked twice',
    plant: () => {
      const lastRise = new WeakMap<Share, bigint>();
      const book = Share.prototype.book;
      vi.spyOn(Share.prototype, 'book').mockImplementation(function bookAgain(this: Share, slice) {
        const before = this.spent;
        const isRepeated = slice.spent > 0n && slice.spent === before;
        const isNews = book.call(this, slice);
        if (!isRepeated) lastRise.set(this, this.spent - before);
        else if (this.outstanding > 0n) this.spent += min(this.outstanding, lastRise.get(this) ?? 0n);
        return isNews || isRepeated;
      });
    },
    breaks: ['once', 'books', 'limit', 'monotone', 'conservation'],
  },
  {
    name: 'a call is settled, and settled again',
    plant: () => {
      const settle = Slice.prototype.settle;
      vi.spyOn(Slice.prototype, 'settle').mockImplementation(function settleTwice(this: Slice, windowStart, held, posting) {
        settle.call(this, windowStart, held, posting);
        if (posting > 0n && posting % 16n === 0n) settle.call(this, windowStart, 0n, posting);
      });
    },
    breaks: ['once', 'conservation'],
  },
  {
    name: 'what a call did not use is not released',
    plant: () => {
      const settle = Slice.prototype.settle;
      vi.spyOn(Slice.prototype, 'settle').mockImplementation(function forget(this: Slice, windowStart, held, posting) {
        settle.call(this, windowStart, posting === 0n ? 0n : held, posting);
      });
    },
    breaks: ['once', 'quiet'],
  },
  {
    name: 'lifetimes go by the wall clock',
    plant: () => {
      vi.spyOn(Clocks.prototype, 'monotonicMs').mockImplementation(function byTheWall(this: Clocks) {
        return this.epochMs();
      });
    },
    breaks: ['fencing', 'quiet', 'limit'],
  },
  {
    name: 'a lost lease is granted more when it comes back',
    plant: () => {
      vi.spyOn(Lease.prototype, 'isLive', 'get').mockImplementation(function alive(this: Lease) {
        return this.state !== 'closing';
      });
    },
    breaks: ['fencing', 'limit', 'once'],
  },
  {
    name: 'the store takes what a deposed authority grants',
    plant: () => {
      const commit = Store.prototype.commit;
      vi.spyOn(Store.prototype, 'commit').mockImplementation(function anyTerm(this: Store, _term, entries) {
        return commit.call(this, this.term, entries);
      });
    },
    breaks: ['limit', 'monotone', 'fencing', 'conservation', 'restart'],
  },
  {
    name: 'budgets are held one after the other, and those held are kept when one refuses',
    plant: () => {
      const reserve = Ledger.prototype.reserve;
      vi.spyOn(Ledger.prototype, 'reserve').mockImplementation(function oneByOne(this: Ledger, command: ReserveCommand) {
        const granted: Granted[] = [];
        for (const account of command.accounts) {
          const outcome = reserve.call(this, { ...command, id: `${command.id}@${account.limit}`, accounts: [account] });
          if (outcome.kind === 'waiting') this.cancel(outcome.id, command.at, command.now);
          if (outcome.kind === 'waiting') return { kind: 'refused', id: command.id, account, reason: 'exhausted', retryAtMs: undefined };
          if (outcome.kind === 'refused') return { ...outcome, id: command.id };
          granted.push(outcome);
        }
        return { ...granted[0], kind: 'granted', id: command.id, holds: granted.flatMap(({ holds }) => holds), outputCap: 1, shrunk: true, observed: [] };
      });
    },
    breaks: ['once', 'quiet'],
  },
];

const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);

function firstViolation(): Violation | undefined {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    try {
      new World(seed).run(STEPS);
    } catch (error) {
      if (error instanceof Violation) return error;
      throw error;
    }
  }
  return undefined;
}

describe('the simulation sees that', () => {
  afterEach(() => vi.restoreAllMocks());

  it.each(bugs)('$name', { timeout: 120_000 }, ({ plant, breaks }) => {
    plant();
    const violation = firstViolation();
    expect(violation).toBeInstanceOf(Violation);
    expect(breaks).toContain(violation?.promise);
  });

  it('nothing is wrong without them', { timeout: 120_000 }, () => {
    expect(firstViolation()).toBeUndefined();
  });
});
