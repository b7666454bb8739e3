/** A processor that is killed, and its Envoy, which serves on until the next processor takes it over, or stops where it cannot go on. */
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { usdToNano } from '../../src/core/units/index.ts';
import { EXIT } from '../../src/main/exit-codes.ts';
import { ensureEnvoy, hasEnded, stopOrphan } from '../../src/shell/envoy/index.ts';
import { startSimulator } from '../../src/shell/simulator/index.ts';
import type { Simulator } from '../../src/shell/simulator/index.ts';
import type { SpendReport } from '../../src/shell/spending/index.ts';
import { flagged, spawnAirmesh, startAirmesh } from '../support/airmesh-process.ts';
import type { AirmeshProcess } from '../support/airmesh-process.ts';
import { freePorts, until } from '../support/mesh.ts';

const KEY = 'hs_0123456789abcdef0123456789abcdef';
const VERSIONS = ['1.36.4', '1.40.0'] as const;
const ENDS_WITHIN_MS = 30_000;

const resources = (url: string): string => `
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: relay}
spec: {type: OpenAICompatible, baseUrl: "${url}/v1", auth: {apiKey: {value: ${KEY}}}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: all}
spec: {workloads: ["*"], rules: [{name: chat, match: {models: [gpt-4.1]}, backends: [{provider: relay}]}]}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: life}
spec: {limit: {usd: "25"}, window: {lifetime: true}}
`;

let simulator: Simulator;
let root: string;
beforeAll(async () => {
  simulator = await startSimulator({ host: '127.0.0.1', port: 0, keys: [KEY] });
  root = mkdtempSync(join(tmpdir(), 'airmesh-takeover-'));
});
afterAll(async () => {
  await simulator.close();
  rmSync(root, { recursive: true, force: true });
});

let folder: string;
let listen: number;
let admin: number;
let running: AirmeshProcess | undefined;
beforeEach(async () => {
  folder = mkdtempSync(join(root, 'it-'));
  [listen = 0, admin = 0] = await freePorts(2);
  writeFileSync(join(folder, 'resources.yaml'), resources(simulator.url));
});
afterEach(async () => {
  await running?.stop();
  running = undefined;
  // Where a test has failed between two processors.
  await stopOrphan(join(folder, 'state', 'envoy'));
});

async function argsFor({ concurrency = 1, version = '1.40.0' }: { readonly concurrency?: number; readonly version?: string } = {}): Promise<string[]> {
  const { path: envoy } = await ensureEnvoy({ version, environment: process.env, onStep: () => undefined });
  const flags = { listen, admin, state: join(folder, 'state'), envoy, concurrency, 'log-format': 'json' };
  return ['run', join(folder, 'resources.yaml'), ...flagged(flags)];
}

/** What one process has compiled, the others need not; and what lies beside its state goes with the tests. */
const environment = (): NodeJS.ProcessEnv => ({ NODE_COMPILE_CACHE: join(root, 'compiled'), TMPDIR: root });

async function start(how?: Parameters<typeof argsFor>[0]): Promise<void> {
  running = await startAirmesh(await argsFor(how), environment());
}

async function kill(): Promise<void> {
  await running?.kill();
  running = undefined;
}

const envoyFile = (name: string): string => join(folder, 'state', 'envoy', name);
const envoyPid = (): number => Number(readFileSync(envoyFile('envoy.pid'), 'utf8'));

interface Said {
  readonly event: string;
  readonly pid?: number;
  readonly reason?: string;
}
/** What the log says of Envoy, once it says as much. */
async function saidOfEnvoy(lines: number): Promise<readonly Said[]> {
  const said = (): Said[] =>
    (running?.output() ?? '')
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Said)
      .filter(({ event }) => event.startsWith('envoy.'));
  await until('it is logged', () => said().length >= lines);
  return said();
}

const chat = (body: object = {}, faults = ''): Promise<Response> =>
  fetch(`http://127.0.0.1:${listen}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-simulate': faults },
    body: JSON.stringify({ model: 'gpt-4.1', max_tokens: 40, messages: [{ role: 'user', content: 'hi' }], ...body }),
  });

const post = (path: string, body: object): Promise<Response> =>
  fetch(`http://127.0.0.1:${listen}${path}`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });

async function life(): Promise<{ readonly posted: string; readonly pending: string }> {
  const report = (await (await fetch(`http://127.0.0.1:${admin}/spend`)).json()) as SpendReport;
  return report.budgets[0] ?? { posted: '', pending: '' };
}

const theirCost = (): bigint => BigInt((simulator.books.toJSON() as { costNanoUsd: string }).costNanoUsd);

describe.each(VERSIONS)('Envoy %s, when its processor is killed under load', (version) => {
  it('answers governed calls in the caller’s API, and serves on with the next processor', async () => {
    const before = theirCost();
    await start({ version });
    const pid = envoyPid();
    const load = { going: true };
    const [statuses, cut] = [new Set<number>(), new Set<string>()];
    const caller = async (): Promise<void> => {
      while (load.going)
        await chat({}, 'delay=30ms').then(
          async (answer) => {
            const text = await answer.text();
            statuses.add(answer.status);
            if (answer.status !== 200) cut.add(`${answer.status} ${(JSON.parse(text) as { error: { code: string } }).error.code}`);
          },
          (error: unknown) => cut.add(String((error as Error).cause ?? error)),
        );
    };
    const callers = Array.from({ length: 8 }, caller);
    await until('calls were served', () => statuses.has(200));
    await kill();

    await until('calls are refused', () => statuses.has(503));
    const openai = await chat();
    expect([openai.status, await openai.json()]).toMatchObject([503, { error: { code: 'processor_unavailable' } }]);
    const messages = [{ role: 'user', content: 'hi' }];
    const anthropic = await post('/v1/messages', { model: 'gpt-4.1', max_tokens: 5, messages });
    expect([anthropic.status, await anthropic.json()]).toMatchObject([503, { type: 'error', error: { details: { error_code: 'processor_unavailable' } } }]);
    const gemini = await post('/v1beta/models/gpt-4.1:generateContent', { contents: [{ parts: [{ text: 'hi' }] }] });
    const details = expect.arrayContaining([expect.objectContaining({ reason: 'PROCESSOR_UNAVAILABLE' })]);
    expect([gemini.status, await gemini.json()]).toMatchObject([503, { error: { details } }]);

    statuses.clear();
    await start({ version });
    await until('calls are served again', () => statuses.has(200));
    expect(envoyPid()).toBe(pid);
    expect(await saidOfEnvoy(1)).toMatchObject([{ event: 'envoy.adopted', pid }]);
    load.going = false;
    await Promise.all(callers);
    expect((await chat()).status).toBe(200);
    // Those in flight when it was killed are answered by Envoy; none is left without an answer.
    expect([...cut].filter((each) => !/^50[03] processor_/.test(each))).toEqual([]);
    await until('nothing is held', async () => (await life()).pending === '0');
    expect(usdToNano((await life()).posted)).toBeGreaterThanOrEqual(theirCost() - before);
  });

  it('goes on though nobody reads what it logs, and by the present files even if it has refused some', async () => {
    await start({ version });
    const pid = envoyPid();
    await kill();
    const listeners = readFileSync(envoyFile('lds.json'), 'utf8');
    writeFileSync(envoyFile('broken'), '{"resources": [{}]}');
    renameSync(envoyFile('broken'), envoyFile('lds.json'));
    // It takes away what is not named, and then refuses and logs what is.
    await until('it has no listener', async () => (await chat().catch(() => undefined)) === undefined);
    // Envoy looks at what takes another file's place, and not at this.
    writeFileSync(envoyFile('lds.json'), listeners);
    await start({ version });
    expect(await saidOfEnvoy(1)).toMatchObject([{ event: 'envoy.adopted', pid }]);
    expect((await chat()).status).toBe(200);
  });
});

describe('an Envoy that was taken over', () => {
  beforeEach(async () => {
    await start();
    await kill();
    await start();
    expect((await saidOfEnvoy(1))[0]?.event).toBe('envoy.adopted');
  });

  it('is started again when it dies', async () => {
    const pid = envoyPid();
    process.kill(pid, 'SIGKILL');
    await until('calls are served again', async () => (await chat().catch(() => undefined))?.status === 200);
    expect(envoyPid()).not.toBe(pid);
    expect((await saidOfEnvoy(3)).map(({ event }) => event)).toEqual(['envoy.adopted', 'envoy.died', 'envoy.started']);
  });

  it('takes changes, and once more is taken over', async () => {
    const pid = envoyPid();
    writeFileSync(join(folder, 'resources.yaml'), resources(simulator.url).replace('gpt-4.1', 'gpt-4.1-mini'));
    await until('the new rule holds', async () => (await chat({ model: 'gpt-4.1-mini' })).status === 200);
    await kill();
    await start();
    expect(envoyPid()).toBe(pid);
    expect((await chat({ model: 'gpt-4.1-mini' })).status).toBe(200);
  });

  it('is stopped with its processor, after the calls in flight', async () => {
    const pid = envoyPid();
    const stream = await chat({ stream: true, max_tokens: 40 }, 'tokens=40, chunk-delay=20ms');
    await running?.stop();
    running = undefined;
    expect(await stream.text()).toContain('[DONE]');
    expect(await hasEnded(pid, 0)).toBe(true);
  });
});

describe('an Envoy that cannot go on', () => {
  let pid: number;
  beforeEach(async () => {
    await start();
    pid = envoyPid();
  });

  const expectReplaced = async (reason: string): Promise<void> => {
    expect(await saidOfEnvoy(2)).toMatchObject([{ event: 'envoy.replaced', pid, reason }, { event: 'envoy.started' }]);
    expect(await hasEnded(pid, 0)).toBe(true);
    expect(envoyPid()).not.toBe(pid);
    expect((await chat()).status).toBe(200);
  };

  it.each([
    ['more workers', { concurrency: 2 }],
    ['another version', { version: VERSIONS[0] }],
  ])('as %s are asked for, is stopped, and another is started', async (_name, how) => {
    await kill();
    await start(how);
    await expectReplaced('it was started in another way');
  });

  it('as it was about to end, is stopped, and another is started', async () => {
    const stream = await chat({ stream: true, max_tokens: 400 }, 'tokens=400, chunk-delay=50ms');
    running?.child.kill('SIGINT');
    await until('it stops', () => !existsSync(envoyFile('bootstrap.json')));
    await kill();
    await stream.text().catch(() => undefined);
    await start();
    await expectReplaced('what it read at its start has changed since, or it was to end');
  });

  it('as it hangs, is stopped, and another is started', async () => {
    await kill();
    process.kill(pid, 'SIGSTOP');
    await start();
    await expectReplaced('it does not serve');
  });

  it('as no processor can be started, does not stay', async () => {
    await kill();
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(admin, '127.0.0.1', resolve));
    const failing = spawnAirmesh(await argsFor(), environment());
    const code = await new Promise((resolve) => failing.child.once('exit', resolve));
    taken.close();
    expect(code).toBe(EXIT.unavailable);
    expect(failing.output()).toContain(`127.0.0.1:${admin} (--admin) is taken`);
    expect(await hasEnded(pid, ENDS_WITHIN_MS)).toBe(true);
  });
});
