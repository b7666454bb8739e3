import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CallHold, CallRecord, KeptObject } from '../../core/call/index.ts';
import type { Granted, LimitSpec, ReserveCommand, Settled } from '../../core/ledger/index.ts';
import { Authority } from '../../core/leases/index.ts';
import type { Entry, Outcome, ToHolder } from '../../core/leases/index.ts';
import { openBudgets } from './open.ts';
import type { OpenedBudgets } from './open.ts';
import type { AuthorityListener, ConnectAuthority } from './tenancy.ts';

const LIMIT: LimitSpec = {
  kind: 'budget',
  id: 'shop/life',
  unit: 'usd',
  limit: 100_000n,
  window: { kind: 'lifetime' },
  mode: 'Strict',
  nearLimit: 'Reject',
  floorOutputTokens: 1,
  waitMs: 2_000,
};
const clock = { epochMs: () => Date.now(), monotonicMs: () => performance.now() };

/** A real authority that keeps what it decides in memory, and hears one processor over a wire that can be cut. */
class Service {
  #authority: Authority;
  #term = 1;
  readonly #stored: Entry[] = [];
  readonly #listeners = new Set<AuthorityListener>();
  readonly #timer: NodeJS.Timeout;
  isCut = false;
  sent = 0;
  /** Called with each message of the processor, as it leaves. */
  onSend: () => void = () => undefined;

  constructor(limits: readonly LimitSpec[] = [LIMIT]) {
    this.#authority = new Authority(this.#term, [], clock.epochMs(), clock.monotonicMs());
    this.configure(limits);
    this.#timer = setInterval(() => this.#carryOut(this.#authority.advance(clock.epochMs(), clock.monotonicMs())), 20);
  }

  configure(limits: readonly LimitSpec[]): void {
    const outcome = this.#authority.configure(limits, clock.epochMs(), clock.monotonicMs());
    if (!outcome.ok) throw new Error(outcome.error[0]?.message);
    this.#carryOut(outcome.value);
  }

  readonly connect: ConnectAuthority = (listener) => {
    this.#listeners.add(listener);
    setImmediate(() => listener.onConnected());
    return {
      send: (message) => {
        this.sent++;
        this.onSend();
        if (this.isCut) return;
        const outcome = this.#authority.receive('processor', message, clock.epochMs(), clock.monotonicMs());
        if (!outcome.ok) throw new Error(outcome.error);
        this.#carryOut(outcome.value);
      },
      close: () => this.#listeners.delete(listener),
    };
  };

  /** Who is not heard has not long to wait. */
  get leaveWithinMs(): number {
    return this.isCut ? 300 : 40_000;
  }

  get figures(): readonly [posted: bigint, pending: bigint, free: bigint] {
    const [found] = [...this.#authority.figures()];
    return [found?.posted ?? 0n, found?.pending ?? 0n, found?.free ?? 0n];
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #carryOut({ entries, messages }: Outcome): void {
    this.#stored.push(...entries);
    for (const message of messages) setImmediate(() => this.#tell(message));
  }

  #tell(message: ToHolder): void {
    if (!this.isCut) for (const listener of this.#listeners) listener.onMessage(message);
  }
}

let folder: string;
let service: Service;
let opened: OpenedBudgets | undefined;
let recovered: CallRecord[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'airmesh-leased-'));
  service = new Service();
  recovered = [];
});
afterEach(async () => {
  service.isCut = true;
  service.end();
  await opened?.close();
  opened = undefined;
  rmSync(folder, { recursive: true, force: true });
});

async function open(limits: readonly LimitSpec[] = [LIMIT], boot = 'this run', maxBooksBytes?: number): Promise<OpenedBudgets> {
  opened = await openBudgets({
    ...(maxBooksBytes === undefined ? {} : { maxBooksBytes }),
    folder,
    clock,
    limits,
    boot,
    leasedFrom: service,
    events: { failed: () => undefined, recovered: (record) => void recovered.push(record) },
  });
  return opened;
}

/** What a kill leaves: a copy of the folder, as it is. The process of before is heard no more. */
async function killed(): Promise<void> {
  const copy = mkdtempSync(join(tmpdir(), 'airmesh-leased-'));
  cpSync(folder, copy, { recursive: true });
  rmSync(join(copy, 'lock'));
  service.isCut = true;
  await opened?.close();
  service.isCut = false;
  rmSync(folder, { recursive: true });
  folder = copy;
}

const reserve = (id: string, nanoUsd: bigint): ReserveCommand => ({
  id,
  at: clock.epochMs(),
  now: clock.monotonicMs(),
  accounts: [{ limit: LIMIT.id, subject: '' }],
  quote: {
    fixedNanoUsd: nanoUsd,
    outputNanoUsdPerMillion: 0n,
    inputTokens: 1,
    choices: 1,
    outputCap: 0,
    capIsDefault: false,
    estimate: { nanoUsd, tokens: 1 },
  },
  profile: 'test',
});

const describeHold =
  (operation: CallHold['operation'] = 'chat') =>
  (granted: Granted): CallHold => ({
    id: granted.id,
    at: clock.epochMs(),
    namespace: 'shop',
    workload: 'checkout',
    rule: 'shop/all#chat',
    provider: 'shop/relay',
    model: 'gpt-4.1',
    operation,
    stream: false,
    priceSource: 'test',
    holds: granted.holds,
    heldNanoUsd: granted.holds[0]?.amount ?? 0n,
    estimate: { nanoUsd: 1n, inputTokens: 1, outputTokens: 0 },
  });

const recordOf = ({ id, posted }: Settled, nanoUsd: bigint): CallRecord => {
  const { holds: _holds, estimate: _estimate, ...call } = describeHold()({ kind: 'granted', id, holds: posted, outputCap: 0, shrunk: false, observed: [] });
  const usage = { inputTokens: 7, outputTokens: 3 };
  const ending = { endedAt: clock.epochMs(), ending: 'finished', status: 200, servedModel: 'gpt-4.1', estimated: false, shrunkToTokens: undefined } as const;
  return { ...call, ...ending, usage, costNanoUsd: nanoUsd, chargedNanoUsd: nanoUsd, posted };
};

const admit = async (id: string, nanoUsd: bigint, operation?: CallHold['operation']): Promise<string> =>
  (await (opened as OpenedBudgets).budgets.admit(reserve(id, nanoUsd), describeHold(operation))).kind;

function settle(id: string, nanoUsd: bigint): void {
  opened?.budgets.settle(id, { kind: 'actual', actual: { nanoUsd, tokens: 10, outputTokens: 3 } }, (settled) => recordOf(settled, nanoUsd));
}

const eventually = (figures: readonly [bigint, bigint, bigint]): Promise<void> =>
  expect.poll(() => service.figures, { timeout: 40_000, interval: 20 }).toEqual(figures);

describe('leased budgets', () => {
  it('admit from a lease, post to it, and give back what is left at an orderly end', async () => {
    await open();
    expect(await admit('a', 300n)).toBe('granted');
    settle('a', 120n);
    expect(await admit('b', 300n)).toBe('granted');
    settle('b', 80n);
    await opened?.close();
    opened = undefined;
    expect(service.figures).toEqual([200n, 0n, 99_800n]);
  });

  it('refuse with the reason while the books are full of what nobody was told, and go on when it was, without a restart', async () => {
    await open([LIMIT], 'this run', 600 * 1024);
    let calls = 0;
    const spendOne = async (): Promise<string> => {
      const id = `call-${calls++}`;
      const decision = await (opened as OpenedBudgets).budgets.admit(reserve(id, 1n), describeHold());
      if (decision.kind === 'granted') settle(id, 1n);
      return decision.kind === 'unavailable' ? decision.reason : decision.kind;
    };
    await expect
      .poll(async () => (await Promise.all(Array.from({ length: 50 }, spendOne))).at(-1))
      .toMatch('the state folder is full of records that no controller has been told yet; calls go on as soon as one answers');
    expect(opened?.budgets.problem()).toMatch('the state folder is full of records');
    const outbox = (opened as OpenedBudgets).outbox;
    for (let records = await outbox.next(200); records.length > 0; records = await outbox.next(200)) await outbox.delivered(records.map(({ id }) => id));
    await opened?.budgets.forget(Number.MAX_SAFE_INTEGER);
    await expect.poll(spendOne).toBe('granted');
    expect(opened?.budgets.problem()).toBeUndefined();
  });

  it('need no message for a call, once there is a slice', async () => {
    await open();
    expect(await admit('first', 300n)).toBe('granted');
    settle('first', 300n);
    const before = service.sent;
    for (let call = 0; call < 3; call++) {
      expect(await admit(`call ${call}`, 300n)).toBe('granted');
      settle(`call ${call}`, 10n);
    }
    expect(service.sent - before).toBeLessThanOrEqual(1);
  });

  it('tell nothing that the disk does not have', async () => {
    await open();
    const behind: number[] = [];
    let appended = 0;
    service.onSend = () => {
      const { flushedSequence } = (opened as OpenedBudgets).budgets.durability();
      if (flushedSequence < appended) behind.push(flushedSequence);
    };
    for (let call = 0; call < 40; call++) {
      expect(await admit(`call ${call}`, 2_000n)).toBe('granted');
      appended += 1;
      settle(`call ${call}`, 1_000n);
    }
    await opened?.close();
    opened = undefined;
    expect(service.figures[0]).toBe(40_000n);
    expect(behind).toEqual([]);
  });

  it('charge what was in flight when the process was killed, and give back the rest of its slice', async () => {
    await open();
    expect(await admit('done', 500n)).toBe('granted');
    settle('done', 100n);
    expect(await admit('lost', 700n)).toBe('granted');
    await killed();
    await open();
    expect(recovered.map(({ id, ending, chargedNanoUsd }) => [id, ending, chargedNanoUsd])).toEqual([['lost', 'lost', 700n]]);
    await eventually([800n, 0n, 99_200n]);
    // Nothing of it a second time.
    await killed();
    await open();
    expect(recovered).toHaveLength(1);
    expect(await admit('next', 500n)).toBe('granted');
    settle('next', 500n);
    await opened?.close();
    opened = undefined;
    expect(service.figures).toEqual([1_300n, 0n, 98_700n]);
  });

  it('keep the hold of a batch that goes on, under its old lease', async () => {
    await open();
    expect(await admit('batch', 900n, 'batches')).toBe('granted');
    const batch: KeptObject = {
      provider: 'shop/relay',
      kind: 'batch',
      id: 'batch_1',
      workload: 'shop/checkout',
      at: 0,
      open: { holds: ['batch'], requests: [], snapshot: 'x' },
    } as unknown as KeptObject;
    opened?.objects.keep(batch);
    await killed();
    await open();
    expect(recovered).toEqual([]);
    await eventually([0n, 900n, 99_100n]);
    settle('batch', 400n);
    await eventually([400n, 0n, 99_600n]);
  });

  it('refuse as unavailable what the ledger service would have to be asked for', async () => {
    await open();
    expect(await admit('first', 300n)).toBe('granted');
    service.isCut = true;
    const decision = await opened?.budgets.admit(reserve('large', 90_000n), describeHold());
    expect(decision).toEqual({ kind: 'unavailable', reason: 'the ledger service is out of reach' });
    await expect.poll(() => opened?.budgets.problem(), { timeout: 40_000 }).toBe('the ledger service is out of reach');
    service.isCut = false;
    await expect.poll(() => opened?.budgets.problem(), { timeout: 40_000 }).toBeUndefined();
    expect(await admit('large again', 90_000n)).toBe('granted');
  });

  it('have each record until it is delivered', async () => {
    await open();
    for (const id of ['a', 'b', 'c']) {
      expect(await admit(id, 300n)).toBe('granted');
      settle(id, 10n);
    }
    const first = (await opened?.outbox.next(2)) ?? [];
    expect(first).toHaveLength(2);
    await opened?.outbox.delivered(first.map(({ id }) => id));
    await killed();
    await open();
    const rest = (await opened?.outbox.next(10)) ?? [];
    expect([...first, ...rest].map(({ id }) => id).toSorted()).toEqual(['a', 'b', 'c']);
    expect(rest[0]?.posted[0]).toMatchObject({ limit: 'shop/life', amount: 10n, lease: 1 });
  });
});
