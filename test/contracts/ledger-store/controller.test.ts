/** `airmesh controller` on each kind of store: it leads, and tells what its books hold. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startController } from '../../../src/main/controller/controller.ts';
import type { RunningController } from '../../../src/main/controller/controller.ts';
import { openStore } from '../../../src/main/controller/store.ts';
import type { SpendReport } from '../../../src/shell/spending/index.ts';
import { SILENT_LOGGER } from '../../../src/shell/telemetry/index.ts';
import { freePorts } from '../../support/mesh.ts';
import { PostgresServer } from '../../support/postgres/server.ts';
import { DAY_MS, NOON, record } from './material.ts';
import { freshSchema } from './places.ts';

const RESOURCES = `
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: life, namespace: shop}
spec: {limit: {usd: "25"}, window: {lifetime: true}}
`;
const SOON = { timeout: 30_000, interval: 20 };

let folder: string;
let server: PostgresServer;
let controller: RunningController | undefined;

beforeAll(async () => {
  server = await PostgresServer.start();
}, 120_000);
afterAll(() => server.remove(), 60_000);
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'airmesh-controller-'));
});
afterEach(async () => {
  await controller?.stop();
  rmSync(folder, { recursive: true });
}, 60_000);

describe.each([
  ['memory', (): string => 'memory:', true],
  ['SQLite', (): string => `sqlite:${folder}/ledger.db`, true],
  ['PostgreSQL', (): Promise<string> => freshSchema(server), false],
] as const)('a controller on %s', (_name, urlOf, isAlone) => {
  it('leads, keeps and tells, and forgets what is too old', { timeout: 60_000 }, async () => {
    const resources = join(folder, 'resources.yaml');
    writeFileSync(resources, RESOURCES);
    const store = await openStore(await urlOf());
    expect(store.isAlone).toBe(isAlone);
    const now = Date.now();
    await store.store.addRecords('p', [
      record('now', { endedAt: now }),
      record('old', { endedAt: now - 40 * DAY_MS }),
      record('older', { endedAt: NOON - 400 * DAY_MS }),
    ]);
    const [port = 0] = await freePorts(1);
    controller = await startController({
      policies: { kind: 'files', paths: [resources] },
      listen: { socketPath: join(folder, 'ledger.sock') },
      admin: { host: '127.0.0.1', port },
      store,
      retentionDays: 30,
      environment: {},
      logger: SILENT_LOGGER,
    });
    const ask = async (path: string): Promise<{ readonly status: number; readonly value: unknown }> => {
      const answer = await fetch(`http://127.0.0.1:${port}${path}`);
      return { status: answer.status, value: await answer.json() };
    };
    await expect
      .poll(async () => ((await ask('/records')).value as { records: { id: string }[] }).records.map(({ id }) => id), { timeout: 45_000, interval: 50 })
      .toEqual(['now']);
    expect((await ask('/readyz')).value).toMatchObject({ ready: true });
    const { value } = await ask('/spend');
    expect(value).toMatchObject({
      totals: { requests: 3, costUsd: '0.00000018' },
      byWorkload: [{ name: 'shop/checkout', requests: 3 }],
      lost: [],
    } satisfies Partial<Record<keyof SpendReport, unknown>>);
    expect(await ask(`/spend?by=day&since=${new Date(now).toISOString()}`)).toMatchObject({ status: 200, value: { by: 'day', rows: [{ requests: 1 }] } });
    expect(await ask(`/spend?until=${new Date(now - DAY_MS).toISOString()}`)).toMatchObject({ value: { totals: { requests: 2 } } });
    for (const [path, message] of [
      ['/spend?by=colour', 'by=colour is none of workload, namespace, model, provider, day, budget, subject'],
      ['/spend?until=never', 'until=never is not a time; write one such as 2026-01-31 or 2026-01-31T12:00:00Z'],
      ['/records?count=1001', 'count=1001 is not a number from 1 to 1000'],
      ['/records?after=x', 'after=x is not what a page before has said'],
    ])
      expect(await ask(path ?? '')).toEqual({ status: 400, value: { error: { code: 'invalid_parameter', message } } });
    await expect.poll(async () => (await store.store.pulse()).term, SOON).toBe(1);
  });
});

describe('a store', () => {
  it.each([
    ['redis://localhost', /none that is known/],
    ['memory:x', /none that is known/],
    ['sqlite:', /none that is known/],
    ['sqlite:ledger.db', /none that is known/],
    ['sqlite:/nowhere/at/all/ledger.db', /^The ledger \/nowhere\/at\/all\/ledger\.db cannot be used: unable to open/],
    ['postgres://ann:s3cret@localhost', /^The store cannot be used: the URL names no database/],
  ])('%s ends the start with what is wrong', async (url, message) => {
    const error: unknown = await openStore(url).catch((reason: unknown) => reason);
    expect(error).toMatchObject({ name: 'StartError', message: expect.stringMatching(message) });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('s3cret');
  });

  it('that nobody may enter ends the start as well', async () => {
    const wrong = new URL(server.url);
    wrong.password = 'wrong';
    await expect(openStore(wrong.href)).rejects.toMatchObject({
      name: 'StartError',
      message: expect.stringMatching(/password authentication failed.*; see user and password/),
    });
  });
});
