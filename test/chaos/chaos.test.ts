/**
 * The real thing: eight processors with their Envoys, two controllers, one PostgreSQL, four hundred callers, one dollar.
 * `AIRMESH_CHAOS_SEED` repeats a run's choices (not its timing); `AIRMESH_CHAOS_S` makes it longer.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CallRecord } from '../../src/core/call/index.ts';
import type { LedgerStore } from '../../src/shell/ledger/index.ts';
import { openStore } from '../../src/main/controller/store.ts';
import { PostgresServer } from '../support/postgres/server.ts';
import { Prng } from '../simulation/prng.ts';
import { Callers } from './callers.ts';
import { envoyOf, withDiskLoss } from './parts.ts';
import type { Part } from './parts.ts';
import { startService } from './service.ts';
import type { Service } from './service.ts';

const PROCESSORS = 8;
const CONNECTIONS = 50;
const DOLLAR = 1_000_000_000n;
const CHAOS_MS = Number(process.env['AIRMESH_CHAOS_S'] ?? 40) * 1_000;
const SEED = Number(process.env['AIRMESH_CHAOS_SEED'] ?? Date.now() % 1_000_000);
/** A lease that is lost is known to be so after 33 s; then those who wait are served. */
const SETTLED_WITHIN_MS = 120_000;
const PAGE = 1_000;

const resources = (url: string): string => `
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: relay}
spec: {type: OpenAICompatible, baseUrl: "${url}/v1", auth: {apiKey: {value: hs_0123456789abcdef0123456789abcdef}}, outlierDetection: {consecutive5xx: 1000}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: all}
spec: {workloads: ["*"], rules: [{name: chat, match: {models: [gpt-4.1-mini, gpt-4.1]}, backends: [{provider: relay}]}]}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: dollar}
spec: {limit: {usd: "1"}, window: {lifetime: true}, waitTimeout: 10s}
`;

const call = (model: string): object => ({ model, max_tokens: 32, messages: [{ role: 'user', content: 'Say something short.' }] });

interface Books {
  readonly models: Readonly<Record<string, { readonly requests: number; readonly costNanoUsd: string }>>;
}

const billed = async ({ providerUrl }: Service): Promise<{ readonly calls: number; readonly nanoUsd: bigint }> => {
  const { models } = (await (await fetch(`${providerUrl}/simulator/books`)).json()) as Books;
  const each = Object.values(models);
  return { calls: each.reduce((sum, { requests }) => sum + requests, 0), nanoUsd: each.reduce((sum, { costNanoUsd }) => sum + BigInt(costNanoUsd), 0n) };
};

/** What the leader says of the budget, in dollars; `undefined` while nobody leads. */
async function account({ admins }: Service): Promise<{ readonly posted: number; readonly pending: number; readonly free: number } | undefined> {
  for (const admin of admins) {
    const text = await fetch(`${admin}/metrics`).then(
      (answer) => answer.text(),
      () => '',
    );
    const value = (name: string): number => Number(new RegExp(`^airmesh_budget_${name}\\{budget="default/dollar"[^}]*\\} (\\S+)$`, 'm').exec(text)?.[1]);
    const figures = { posted: value('posted'), pending: value('pending'), free: value('free') };
    if (!Number.isNaN(figures.posted)) return figures;
  }
  return undefined;
}

async function allRecords(store: LedgerStore): Promise<CallRecord[]> {
  const records: CallRecord[] = [];
  for (;;) {
    const last = records.at(-1);
    const page = await store.records({ sinceMs: 0, count: PAGE, ...(last === undefined ? {} : { after: { endedAt: last.endedAt, id: last.id } }) });
    records.push(...page);
    if (page.length < PAGE) return records;
  }
}

const postedIn = (records: readonly CallRecord[]): bigint =>
  records.flatMap(({ posted }) => posted).reduce((sum, { limit, amount }) => (limit === 'default/dollar' ? sum + amount : sum), 0n);

const nano = (dollars: number): bigint => BigInt(Math.round(dollars * 1e9));

describe('a dollar, shared by eight processors', () => {
  let postgres: PostgresServer;
  let service: Service | undefined;
  let store: LedgerStore | undefined;

  beforeAll(async () => {
    postgres = await PostgresServer.start();
  });
  afterAll(async () => {
    await postgres.remove();
  });

  async function start(): Promise<{ service: Service; store: LedgerStore }> {
    await postgres.query('DROP SCHEMA public CASCADE; CREATE SCHEMA public');
    service = await startService({ store: postgres.url, controllers: 2, processors: PROCESSORS, resources });
    ({ store } = await openStore(postgres.url));
    return { service, store };
  }

  async function end(): Promise<void> {
    await store?.close();
    await service?.stop();
    service = store = undefined;
  }

  it('is really served, but for three cents, where nothing dies', async () => {
    const started = await start();
    const callers = started.service.processors.map(({ baseURL }) => new Callers(baseURL, CONNECTIONS, call('gpt-4.1'), { 'x-simulate': 'delay=100ms' }));
    await Promise.all(callers.map((each) => each.end()));
    const provider = await billed(started.service);
    expect(provider.nanoUsd).toBeLessThanOrEqual(DOLLAR);
    expect(provider.nanoUsd).toBeGreaterThanOrEqual((DOLLAR * 97n) / 100n);
    await expect.poll(() => account(started.service), { timeout: SETTLED_WITHIN_MS }).toMatchObject({ pending: 0 });
    await expect.poll(async () => postedIn(await allRecords(started.store)), { timeout: SETTLED_WITHIN_MS }).toBe(provider.nanoUsd);
    await end();
  }, 300_000);

  it(`is never more, whatever is killed (seed ${SEED})`, async () => {
    const { service: mesh, store: books } = await start();
    const prng = new Prng(SEED);
    const [first, ...others] = mesh.processors;
    if (first === undefined) throw new Error('there are no processors');
    const database: Part = { name: 'PostgreSQL', kill: () => postgres.kill(), revive: () => postgres.start() };
    const parts: readonly Part[] = [
      ...mesh.processors.map(({ program }) => program),
      ...mesh.processors.map(({ program }) => envoyOf(program)),
      ...mesh.controllers,
      ...mesh.controllers,
      database,
      database,
      withDiskLoss(first.program, first.stateDir),
    ];
    const callers = [first, ...others].map(({ baseURL }) => new Callers(baseURL, CONNECTIONS, call('gpt-4.1-mini'), { 'x-simulate': 'delay=1000ms' }));
    const killed = new Map<string, number>();
    for (const until = performance.now() + CHAOS_MS; performance.now() < until;) {
      await delay(prng.between(300, 1_500));
      const part = prng.pick(parts);
      killed.set(part.name, (killed.get(part.name) ?? 0) + 1);
      await part.kill();
      await delay(prng.between(0, 1_500));
      await part.revive();
    }
    await Promise.all(callers.map((each) => each.end()));
    await expect.poll(() => account(mesh), { timeout: SETTLED_WITHIN_MS }).toMatchObject({ pending: 0 });

    const provider = await billed(mesh);
    expect(provider.nanoUsd).toBeLessThanOrEqual(DOLLAR);
    const { posted, free } = (await account(mesh)) ?? { posted: NaN, free: NaN };
    expect(nano(posted) + nano(free)).toBe(DOLLAR);
    // Ours account for every nano-dollar: in records, or as what a lost disk took with it.
    const lostWithDisk = async (): Promise<bigint> => (await books.unaccounted()).reduce((sum, { amount }) => sum + amount, 0n);
    await expect.poll(async () => postedIn(await allRecords(books)) + (await lostWithDisk()), { timeout: SETTLED_WITHIN_MS }).toBe(nano(posted));
    const records = await allRecords(books);
    expect(nano(posted)).toBeGreaterThanOrEqual(provider.nanoUsd);
    const ids = new Set(records.map(({ id }) => id));
    expect(ids.size).toBe(records.length);
    // But for the processor that lost its disk, every answer that a caller has got is in the records.
    expect(callers.slice(1).flatMap(({ answered }) => [...answered].filter((id) => !ids.has(id)))).toEqual([]);
    const lost = records.filter(({ ending }) => ending === 'lost');
    const charged = postedIn(lost);
    console.info(
      JSON.stringify({
        killed: Object.fromEntries(killed),
        billed: String(provider.nanoUsd),
        posted: String(nano(posted)),
        records: records.length,
        lostInCrashes: { calls: lost.length, nanoUsd: String(charged) },
        lostWithDisk: String(await lostWithDisk()),
      }),
    );
    await end();
  }, 600_000);
});
