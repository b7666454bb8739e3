/**
 * The real thing: eight processors with their Envoys, a controller and its books, four hundred callers, one dollar.
 * `AIRMESH_CHAOS_SEED` repeats a run's choices (not its timing); `AIRMESH_CHAOS_S` makes it longer.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LedgerStore } from '../../src/shell/ledger/index.ts';
import { openStore } from '../../src/main/controller/store.ts';
import { Prng } from '../simulation/prng.ts';
import { account, allRecords, billed, postedIn, unaccountedIn } from './books.ts';
import { Callers } from './callers.ts';
import { envoyOf, withDiskLoss } from './parts.ts';
import type { Part } from './parts.ts';
import { startService } from './service.ts';
import type { Service } from './service.ts';

const PROCESSORS = 8;
const CONNECTIONS = 50;
const DOLLAR = 1_000_000_000n;
const CHAOS_MS = Number(process.env['AIRMESH_CHAOS_S'] ?? 30) * 1_000;
const SEED = Number(process.env['AIRMESH_CHAOS_SEED'] ?? Date.now() % 1_000_000);
/** A lease that is lost is known to be so after 33 s; then those who wait are served. */
const SETTLED_WITHIN_MS = 150_000;
const TIMEOUT_MS = 300_000 + CHAOS_MS;
const SOON = { timeout: SETTLED_WITHIN_MS, interval: 500 };

/** So many at once. */
const MOST_DOWN = 3;
/** So many of those that come back are killed once more while they do. */
const STUMBLES_PERCENT = 25;

/** Each has a model of its own, so that the provider's books tell them apart. */
const CALM = { budget: 'default/calm', model: 'gpt-4.1', answerMs: 100, answerTokens: 32 };
const STORMY = { budget: 'default/stormy', model: 'gpt-4.1-mini', answerMs: 1_000, answerTokens: 64 };

const budgetFor = ({ budget, model }: typeof CALM): string => `
---
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: ${budget.split('/')[1]}}
spec: {selector: {models: [${model}]}, limit: {usd: "1"}, window: {lifetime: true}, waitTimeout: 10s}`;

const resources = (url: string): string => `
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: relay}
spec: {type: OpenAICompatible, baseUrl: "${url}/v1", auth: {apiKey: {value: hs_0123456789abcdef0123456789abcdef}}, outlierDetection: {consecutive5xx: 1000}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: all}
spec: {workloads: ["*"], rules: [{name: chat, match: {models: [${CALM.model}, ${STORMY.model}]}, backends: [{provider: relay}]}]}${budgetFor(CALM)}${budgetFor(STORMY)}
`;

describe('a dollar, shared by eight processors', () => {
  const folder = mkdtempSync(join(tmpdir(), 'airmesh-chaos-'));
  let service: Service;
  let store: LedgerStore;

  beforeAll(async () => {
    const began = performance.now();
    const url = `sqlite:${join(folder, 'ledger.db')}`;
    service = await startService({ store: url, controllers: 1, processors: PROCESSORS, resources });
    ({ store } = await openStore(url));
    console.info(`started in ${Math.round((performance.now() - began) / 1_000)} s`);
  }, TIMEOUT_MS);
  afterAll(async () => {
    await store.close();
    await service.stop();
    rmSync(folder, { recursive: true });
  }, TIMEOUT_MS);

  const callAll = ({ model, answerMs, answerTokens }: typeof CALM): Callers[] =>
    service.processors.map(
      ({ baseURL }) =>
        new Callers(
          baseURL,
          CONNECTIONS,
          { model, max_tokens: answerTokens, messages: [{ role: 'user', content: 'Say something short.' }] },
          {
            'x-simulate': `delay=${answerMs}ms`,
          },
        ),
    );
  const pending = async (budget: string): Promise<bigint | undefined> => (await account(service.admins, budget))?.pending;
  const answeredBy = (callers: readonly Callers[]): string[] => callers.flatMap(({ answered }) => [...answered]);

  it(
    'is really served, but for three cents, where nothing dies',
    async () => {
      const began = performance.now();
      const callers = callAll(CALM);
      await Promise.all(callers.map((each) => each.end()));
      const { nanoUsd } = await billed(service.providerUrl, CALM.model);
      expect(nanoUsd).toBeLessThanOrEqual(DOLLAR);
      expect(nanoUsd).toBeGreaterThanOrEqual((DOLLAR * 97n) / 100n);
      await expect.poll(() => pending(CALM.budget), SOON).toBe(0n);
      await expect.poll(async () => postedIn(await allRecords(store), CALM.budget), SOON).toBe(nanoUsd);
      expect(await account(service.admins, CALM.budget)).toEqual({ posted: nanoUsd, pending: 0n, free: DOLLAR - nanoUsd });
      expect(new Set((await allRecords(store)).map(({ id }) => id))).toEqual(new Set(answeredBy(callers)));
      console.info(JSON.stringify({ served: answeredBy(callers).length, billed: String(nanoUsd), seconds: Math.round((performance.now() - began) / 1_000) }));
    },
    TIMEOUT_MS,
  );

  it(
    `is never more, whatever is killed (seed ${SEED})`,
    async () => {
      const prng = new Prng(SEED);
      const [first] = service.processors;
      if (first === undefined) throw new Error('there are no processors');
      const parts: readonly Part[] = [
        ...service.processors.map(({ program }) => program),
        ...service.processors.map(({ program }) => envoyOf(program)),
        ...service.controllers,
        ...service.controllers,
        withDiskLoss(first.program, first.stateDir),
      ];
      const callers = callAll(STORMY);
      const killed = new Map<string, number>();
      const down = new Set<object>();
      const revivals: Promise<void>[] = [];
      const bringBack = async (part: Part, afterMs: number, stumbleMs: number | undefined): Promise<void> => {
        await delay(afterMs);
        if (stumbleMs !== undefined) await part.stumble(stumbleMs);
        await part.revive();
        down.delete(part.whole);
      };
      for (const until = performance.now() + CHAOS_MS; performance.now() < until;) {
        await delay(prng.between(300, 1_500));
        const [part, afterMs] = [prng.pick(parts), prng.between(0, 1_500)];
        const stumbleMs = prng.percent(STUMBLES_PERCENT) ? prng.between(0, 3_000) : undefined;
        if (down.has(part.whole) || down.size >= MOST_DOWN) continue;
        down.add(part.whole);
        killed.set(part.name, (killed.get(part.name) ?? 0) + 1);
        await part.kill();
        revivals.push(bringBack(part, afterMs, stumbleMs));
      }
      await Promise.all(revivals);
      await Promise.all(callers.map((each) => each.end()));
      await expect.poll(() => pending(STORMY.budget), SOON).toBe(0n);

      const provider = await billed(service.providerUrl, STORMY.model);
      expect(provider.nanoUsd).toBeLessThanOrEqual(DOLLAR);
      const { posted = 0n, free = 0n } = (await account(service.admins, STORMY.budget)) ?? {};
      expect(posted + free).toBe(DOLLAR);
      expect(posted).toBeGreaterThanOrEqual(provider.nanoUsd);
      // Ours account for every nano-dollar: in records, or as what a lost disk took with it.
      const told = async (): Promise<bigint> => postedIn(await allRecords(store), STORMY.budget) + (await unaccountedIn(store, STORMY.budget));
      await expect.poll(told, SOON).toBe(posted);
      const records = (await allRecords(store)).filter(({ model }) => model === STORMY.model);
      const ids = new Set(records.map(({ id }) => id));
      expect(ids.size).toBe(records.length);
      // But for the processor that lost its disk, every answer that a caller has got is in the records.
      expect(answeredBy(callers.slice(1)).filter((id) => !ids.has(id))).toEqual([]);
      const lost = records.filter(({ ending }) => ending === 'lost');
      console.info(
        JSON.stringify({
          killed: Object.fromEntries(killed),
          billed: String(provider.nanoUsd),
          posted: String(posted),
          records: records.length,
          lostInCrashes: { calls: lost.length, nanoUsd: String(postedIn(lost, STORMY.budget)) },
          lostWithDisk: String(await unaccountedIn(store, STORMY.budget)),
        }),
      );
    },
    TIMEOUT_MS,
  );
});
