/** Each folder of resources in examples/, as a person tries it: validated, started, and called by the very line that the start prints. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureEnvoy } from '../../src/shell/envoy/index.ts';
import { PROGRAM, flagged, startAirmesh } from '../support/airmesh-process.ts';
import type { AirmeshProcess } from '../support/airmesh-process.ts';
import { freePorts } from '../support/mesh.ts';

const EXAMPLES = fileURLToPath(new URL('../../examples', import.meta.url));
/** For a cluster, where the cluster's tests apply it. */
const ELSEWHERE = 'kubernetes';
const folders = readdirSync(EXAMPLES).filter((name) => name !== ELSEWHERE && readdirSync(join(EXAMPLES, name)).some((file) => file.endsWith('.yaml')));

/** A machine where nobody has set a key. */
const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/_API_KEY$|_BASE_URL$|^AIRMESH_/.test(name)));

let temporary: string;
beforeAll(() => {
  temporary = mkdtempSync(join(tmpdir(), 'airmesh-examples-'));
});
afterAll(() => rmSync(temporary, { recursive: true, force: true }));

const airmesh = (args: readonly string[], more: NodeJS.ProcessEnv = {}) =>
  spawnSync(process.execPath, [...PROGRAM, ...args], { encoding: 'utf8', env: { ...environment, ...more } });

it('there is one that npm start runs', () => expect(folders).toContain('quickstart'));

describe.each(folders)('examples/%s', (name) => {
  const folder = join(EXAMPLES, name);
  let running: AirmeshProcess;
  let api: string;
  let admin: string;

  beforeAll(async () => {
    const envoy = await ensureEnvoy({ version: undefined, environment: process.env, onStep: () => undefined });
    const [listen, administration] = await freePorts(2);
    api = `http://127.0.0.1:${listen}/v1`;
    admin = `http://127.0.0.1:${administration}`;
    const args = ['run', folder, ...flagged({ listen, admin: administration, state: join(temporary, name), envoy: envoy.path, concurrency: 1 })];
    running = await startAirmesh(args, { ...Object.fromEntries(Object.keys(process.env).map((variable) => [variable, undefined])), ...environment });
  });
  afterAll(() => running?.stop());

  it('is valid, without a warning', () => {
    const { status, stdout, stderr } = airmesh(['validate', folder]);
    expect([stdout + stderr, status]).toEqual([expect.not.stringMatching(/warning|error/i), 0]);
  });

  it('is valid with what its comments offer', () => {
    const copy = join(temporary, `${name}-all`);
    cpSync(folder, copy, { recursive: true });
    let offered = 0;
    for (const file of readdirSync(copy).filter((entry) => entry.endsWith('.yaml'))) {
      const text = readFileSync(join(copy, file), 'utf8').replaceAll(/^# apiVersion:[^]*?(?=^(?!#)|(?![^]))/gm, (block) => {
        offered++;
        return block.replaceAll(/^# ?/gm, '');
      });
      writeFileSync(join(copy, file), text);
    }
    const { status, stdout, stderr } = airmesh(['validate', copy], { OPENAI_API_KEY: 'sk-proj-0123456789abcdefghijklmnopqrstuvwxyzABCDEFGH' });
    expect([status, stdout + stderr]).toEqual([0, expect.not.stringMatching(/error/i)]);
    if (name === 'quickstart') expect(offered).toBe(1);
  });

  it('is ready, and says nothing is wrong', async () => {
    expect(await (await fetch(`${admin}/readyz`)).json()).toMatchObject({ ready: true, warnings: [] });
    expect(running.output()).not.toMatch(/"level":"(?:warn|error|fatal)"/);
  });

  it('is called by the line that it prints', async () => {
    const line = /^ +(curl .*\/chat\/completions .*)$/m.exec(running.output())?.[1] ?? '';
    const answer = JSON.parse(execFileSync('sh', ['-c', `${line} --silent`], { encoding: 'utf8' })) as { choices: { message: { content: string } }[] };
    expect(answer.choices[0]?.message.content).toMatch(/\w/);
    const { budgets, totals } = (await (await fetch(`${admin}/spend`)).json()) as { budgets: { posted: string }[]; totals: { requests: number } };
    expect(totals.requests).toBe(1);
    expect(budgets.some(({ posted }) => Number(posted) > 0)).toBe(budgets.length > 0);
  });

  it('serves each model that it lists', async () => {
    const { data } = (await (await fetch(`${api}/models`)).json()) as { data: { id: string }[] };
    expect(data.length).toBeGreaterThan(0);
    for (const { id: model } of data) {
      const [path, body] = model.includes('embedding')
        ? ['embeddings', { input: 'hi' }]
        : model.includes('moderation')
          ? ['moderations', { input: 'hi' }]
          : ['chat/completions', { messages: [{ role: 'user', content: 'hi' }] }];
      const answer = await fetch(`${api}/${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ model, ...body }),
      });
      expect([model, answer.status]).toEqual([model, 200]);
    }
  });
});
