/** Resources as Kubernetes mounts a ConfigMap: links to a folder that is swapped as a whole, while calls are made. */
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSimulator } from '../../src/shell/simulator/index.ts';
import type { Simulator } from '../../src/shell/simulator/index.ts';
import { Caller } from '../support/caller.ts';
import { startTestMesh, until } from '../support/mesh.ts';
import type { TestMesh } from '../support/mesh.ts';

const KEY = 'hs_0123456789abcdef0123456789abcdef';

const resources = (url: string, model: string): string => `
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: relay}
spec: {type: OpenAICompatible, baseUrl: "${url}/v1", auth: {apiKey: {value: ${KEY}}}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: all}
spec: {workloads: ["*"], rules: [{name: chat, match: {models: [${model}]}, backends: [{provider: relay}]}]}
`;

const HEAD = 'apiVersion: airmesh.dev/v1alpha1\nkind: AIBudget\nmetadata: {name: a}\n';

/** Ten aliases of ten aliases of ten … */
const BOMB = `${HEAD}a: &a [x, x]\n${Array.from('bcdefghij', (name, index) => `${name}: &${name} [${Array.from({ length: 10 }, () => `*${'abcdefghij'[index]}`).join(', ')}]\n`).join('')}spec: *j\n`;

let simulator: Simulator;
let mesh: TestMesh;
let caller: Caller;
let version = 0;

/** As kubelet's AtomicWriter does: a new folder, a new link beside `..data`, renamed over it. */
function mount(text: string): void {
  const folder = dirname(mesh.resourceFile);
  const name = `..version_${++version}`;
  mkdirSync(join(folder, name));
  writeFileSync(join(folder, name, basename(mesh.resourceFile)), text);
  symlinkSync(name, join(folder, '..data_tmp'));
  renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
  if (version > 1) rmSync(join(folder, `..version_${version - 1}`), { recursive: true });
}

const statusOf = async (model: string): Promise<number> => (await caller.chat({ model, max_tokens: 2, messages: [{ role: 'user', content: 'hi' }] })).status;
const warnings = async (): Promise<string> => ((await (await fetch(`${mesh.admin}/readyz`)).json()) as { warnings: string[] }).warnings.join('\n');

beforeAll(async () => {
  simulator = await startSimulator({ host: '127.0.0.1', port: 0, keys: [KEY] });
  mesh = await startTestMesh({ resources: resources(simulator.url, 'gpt-4.1') });
  caller = new Caller({ baseURL: mesh.baseURL, connections: 4 });
  mount(resources(simulator.url, 'gpt-4.1'));
  const link = `${mesh.resourceFile}.link`;
  symlinkSync(join('..data', basename(mesh.resourceFile)), link);
  renameSync(link, mesh.resourceFile);
});

afterAll(async () => {
  caller?.close();
  await mesh?.stop();
  await simulator?.close();
});

describe('a mounted ConfigMap', () => {
  it('takes effect when its folder is swapped', async () => {
    expect(await statusOf('gpt-4.1')).toBe(200);
    mount(resources(simulator.url, 'deepseek-v3.2'));
    await until('the new rule holds', async () => (await statusOf('deepseek-v3.2')) === 200 && (await statusOf('gpt-4.1')) === 403);
    expect(await warnings()).toBe('');
  });

  it.each<[string, string, RegExp]>([
    ['a bomb of aliases', BOMB, /resources\.yaml:\d+:\d+ {2}document {2}has aliases that stand for more than 1000 others/],
    ['brackets without end', `${HEAD}spec: ${'['.repeat(100_000)}`, /nested deeper than 64/],
    ['too many bytes', `${HEAD}# ${'x'.repeat(2 ** 20)}`, /resources\.yaml {2}file {2}has more than 1048576 bytes; divide it/],
    ['half a file', resources('http://127.0.0.1:9', 'gpt-4.1').slice(0, 300), /resources\.yaml:\d+:\d+/],
  ])('%s changes nothing, is said where, and stops no call', async (_name, text, message) => {
    const before = mesh.log().length;
    const over = new AbortController();
    const statuses: number[] = [];
    const calling = (async () => {
      while (!over.signal.aborted) statuses.push(await statusOf('deepseek-v3.2'));
    })();
    mount(text);
    await until('it is refused', () => mesh.log().slice(before).includes('snapshot.rejected'));
    over.abort();
    await calling;
    expect(new Set(statuses)).toEqual(new Set([200]));
    expect(await warnings()).toMatch(message);
    expect(await warnings()).not.toContain(KEY);
  });

  it('is well again after the next swap', async () => {
    mount(resources(simulator.url, 'gpt-4.1'));
    await until('the new rule holds', async () => (await statusOf('gpt-4.1')) === 200);
    expect(await warnings()).toBe('');
  });
});
