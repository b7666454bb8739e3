/** State folders that cannot be used: what a person is told, how the program ends, and that nothing is lost. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../src/main/exit-codes.ts';
import { ensureEnvoy } from '../../src/shell/envoy/index.ts';
import { startSimulator } from '../../src/shell/simulator/index.ts';
import type { Simulator } from '../../src/shell/simulator/index.ts';
import { PROGRAM, startAirmesh } from '../support/airmesh-process.ts';
import { freePorts, startTestMesh, until } from '../support/mesh.ts';
import { hasSmallDisks, onSmallDisk } from '../support/small-disk.ts';

const KEY = 'hs_0123456789abcdef0123456789abcdef';

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
let folder: string;
/** The state that one call has left. */
let good: string;
let posted: string;
let args: readonly string[];

const CALL = {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: '{"model":"gpt-4.1","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}',
};

beforeAll(async () => {
  simulator = await startSimulator({ host: '127.0.0.1', port: 0, keys: [KEY] });
  folder = mkdtempSync(join(tmpdir(), 'airmesh-state-'));
  good = join(folder, 'good');
  const mesh = await startTestMesh({ resources: resources(simulator.url), stateDir: good });
  expect((await fetch(`${mesh.baseURL}/chat/completions`, CALL)).status).toBe(200);
  posted = (await mesh.spend()).budgets[0]?.posted ?? '';
  await mesh.stop();
  const resourceFile = join(folder, 'resources.yaml');
  writeFileSync(resourceFile, resources(simulator.url));
  const [listen, admin] = await freePorts(2);
  const envoy = await ensureEnvoy({ version: undefined, environment: process.env, onStep: () => undefined });
  args = ['run', resourceFile, '--listen', String(listen), '--admin', String(admin), '--envoy', envoy.path, '--concurrency', '1'];
});

afterAll(async () => {
  await simulator?.close();
  rmSync(folder, { recursive: true, force: true });
});

const empty = (name: string): string => mkdtempSync(join(folder, `${name}-`));

const copied = (name: string): string => {
  const path = empty(name);
  cpSync(good, path, { recursive: true });
  return path;
};

const command = (state: string): string[] => [process.execPath, ...PROGRAM, ...args, '--state', state];

/** All of a state that counts: the books and what the journal has beyond them. */
function held(state: string): unknown {
  const ledger = readFileSync(join(state, 'ledger.db')).toString('base64');
  return { ledger, journal: readdirSync(join(state, 'journal')).map((name) => readFileSync(join(state, 'journal', name)).toString('base64')) };
}

/** What a start on it knows. */
async function postedAfter(state: string): Promise<string | undefined> {
  const airmesh = await startAirmesh([...args, '--state', state]);
  try {
    const report = (await (await fetch(`http://127.0.0.1:${args[args.indexOf('--admin') + 1]}/spend`)).json()) as { budgets: { posted: string }[] };
    return report.budgets[0]?.posted;
  } finally {
    await airmesh.stop();
  }
}

describe('a state folder', () => {
  beforeAll(() => {
    if (!hasSmallDisks()) throw new Error('These tests mount small disks of their own: run them as root, or where user namespaces are allowed.');
  });

  it.each([
    ['new', undefined],
    ['with books', 'good'],
  ])('%s, on a read-only disk', (_name, content) => {
    const [at, copyTo] = [empty('ro'), empty('copy')];
    const ended = onSmallDisk(
      { size: '32m', at, make: 'read-only', ...(content === undefined ? {} : { content: good }), copyTo },
      command(join(at, content === undefined ? 'state' : '')),
    );
    expect(ended.stderr).toContain(`The state folder ${at}`);
    expect(ended.stderr).toMatch(
      /(?:is on a read-only file system|cannot be made: its disk may be read-only)\.\nBudgets cannot be kept without it\. Mend it, or name another with --state\.\n$/,
    );
    expect(ended.code).toBe(EXIT.unavailable);
    if (content !== undefined) expect(held(copyTo)).toEqual(held(good));
  });

  it('new, on a full disk', async () => {
    const [at, copyTo] = [empty('full'), empty('copy')];
    const ended = onSmallDisk({ size: '64k', at, make: 'full', copyTo }, command(at));
    expect(ended.stderr).toMatch(new RegExp(`The (?:ledger in the )?state folder ${at} (?:is on a full disk|cannot be used: .*full)`));
    expect(ended.stderr).toContain('with --state');
    expect(ended.code).toBe(EXIT.unavailable);
    expect(await postedAfter(copyTo)).toBeUndefined();
  });

  it('with books, on a full disk: they are as they were, and known when there is room', async () => {
    const [at, copyTo] = [empty('full'), empty('copy')];
    const ended = onSmallDisk({ size: '16m', at, content: good, make: 'full', copyTo }, command(at));
    expect(ended.stderr).toMatch(new RegExp(`The (?:ledger in the )?state folder ${at} (?:is on a full disk|cannot be used: .*full)`));
    expect(ended.code).toBe(EXIT.unavailable);
    expect(readdirSync(copyTo).filter((name) => name.includes('damaged') || name.includes('loss'))).toEqual([]);
    expect(await postedAfter(copyTo)).toBe(posted);
  });

  it('whose disk fills up while calls are made: they are refused until there is room, and nothing is lost', () => {
    const at = empty('filling');
    const ended = onSmallDisk({ size: '14m', at }, [process.execPath, 'test/support/full-disk.ts', join(at, 'state')]);
    expect(ended.stderr).toBe('');
    const outcome = JSON.parse(ended.stdout) as Record<string, unknown>;
    expect(outcome).toMatchObject({
      refusal: expect.stringMatching(/^the journal cannot be written \(ENOSPC/),
      problem: expect.stringMatching(/^the journal cannot be written: ENOSPC/),
      stillRefused: expect.stringMatching(/ENOSPC/),
      again: 'granted',
      problemAfter: null,
      pending: '0',
      warnings: [],
    });
    expect(Number(outcome['granted'])).toBeGreaterThan(40);
    expect([outcome['posted'], outcome['restored']]).toEqual([String(Number(outcome['granted']) * 100), outcome['posted']]);
  });
});

describe('a state folder of a process that tells a ledger service', () => {
  it('whose disk is full of what nobody was told: calls go on when it was, without a restart, and nothing is lost', () => {
    const at = empty('untold');
    const ended = onSmallDisk({ size: '48m', at }, [process.execPath, 'test/support/full-untold.ts', join(at, 'state')]);
    expect(ended.stderr).toBe('');
    const outcome = JSON.parse(ended.stdout) as Record<string, unknown>;
    expect(outcome).toMatchObject({
      refusal: expect.stringMatching(/full.*of records that no controller has been told yet; calls go on as soon as one answers$/),
      again: 'granted',
      untold: 0,
    });
    expect(outcome['told']).toBe(outcome['granted']);
    expect(Number(outcome['granted'])).toBeGreaterThan(1_000);
  });
});

describe('a state folder', () => {
  function ended(state: string): { readonly code: number | null; readonly stderr: string } {
    const { status, stderr } = spawnSync(process.execPath, [...PROGRAM, ...args, '--state', state], { encoding: 'utf8', timeout: 60_000 });
    return { code: status, stderr };
  }

  it('where files may not grow', () => {
    const state = empty('limited');
    const { status, stderr } = spawnSync('sh', ['-c', 'ulimit -f 1000; exec "$@"', 'sh', ...command(state)], { encoding: 'utf8', timeout: 60_000 });
    expect(stderr).toContain(`The state folder ${state} is where files may not grow as large as a journal needs (\`ulimit -f\`).`);
    expect(status).toBe(EXIT.unavailable);
  });

  it('that is a file, or below one', () => {
    const file = join(folder, 'file');
    writeFileSync(file, 'mine');
    for (const state of [file, join(file, 'state')]) {
      const { code, stderr } = ended(state);
      expect(stderr).toContain(`The state folder ${state} is not a folder.`);
      expect(code).toBe(EXIT.unavailable);
    }
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });

  it('of a newer version: left as it is', () => {
    const state = copied('newer');
    const database = new DatabaseSync(join(state, 'ledger.db'));
    database.exec('PRAGMA user_version = 99');
    database.close();
    const before = held(state);
    const { code, stderr } = ended(state);
    expect(stderr).toContain(
      `The ledger in the state folder ${state} cannot be used: the ledger was written by a newer version of Airmesh (schema 99; this one knows `,
    );
    expect(stderr).toContain('use that version, or another state folder.\nNothing was changed.');
    expect(code).toBe(EXIT.unavailable);
    expect(held(state)).toEqual(before);
  });

  it('whose ledger is a folder', () => {
    const state = empty('odd');
    mkdirSync(join(state, 'ledger.db'));
    const { code, stderr } = ended(state);
    expect(stderr).toContain(`The ledger in the state folder ${state} cannot be used: unable to open database file.\nNothing was changed.`);
    expect(code).toBe(EXIT.unavailable);
  });

  it('with a damaged ledger: it is kept aside, and calls that strict budgets count are refused until a person decides', async () => {
    const state = copied('damaged');
    const file = join(state, 'ledger.db');
    const damaged = Buffer.from(readFileSync(file).fill('?', 100, 4096));
    writeFileSync(file, damaged);
    const url = `http://127.0.0.1:${args[args.indexOf('--listen') + 1]}/v1/chat/completions`;
    const first = await startAirmesh([...args, '--state', state]);
    try {
      await until('it is said', () => first.output().includes('ledger.damaged'));
      const [aside = ''] = readdirSync(state).filter((name) => /^ledger\.db\.damaged-[\dTZ-]+$/.test(name));
      expect(readFileSync(join(state, aside))).toEqual(damaged);
      expect(first.output()).toContain(`the ledger ${file} was damaged`);
      expect(first.output()).toContain(`is kept as ${join(state, aside)}`);
      const refused = await fetch(url, CALL);
      expect(refused.status).toBe(503);
      expect(await refused.text()).toContain('airmesh ledger accept-loss');
      const ready = (await (await fetch(`http://127.0.0.1:${args[args.indexOf('--admin') + 1]}/readyz`)).json()) as { warnings: string[] };
      expect(ready.warnings.join()).toContain('airmesh ledger accept-loss');
    } finally {
      await first.stop();
    }
    expect(spawnSync(process.execPath, [...PROGRAM, 'ledger', 'accept-loss', '--state', state], { encoding: 'utf8' }).stdout).toMatch(
      /^Accepted: the ledger .*damaged.*\nRestart Airmesh to go on\.\n$/,
    );
    const second = await startAirmesh([...args, '--state', state]);
    try {
      expect((await fetch(url, CALL)).status).toBe(200);
    } finally {
      await second.stop();
    }
  });
});
