/** What people ask of a cluster, by their own kubeconfig: status, check, explain; and kubectl, which waits. */
import { execFile } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { createProgram } from '../../src/main/program.ts';
import { recordingTerminal } from '../../src/main/terminal/recording.ts';
import { connect } from '../support/apiserver/client.ts';
import { ROOT, govern, makePod, put } from '../support/apiserver/governed.ts';
import type { Governed, MadePod } from '../support/apiserver/governed.ts';
import { apply, install, makeNamespace, pathOfKind } from '../support/apiserver/resources.ts';
import type { KubernetesObject } from '../support/apiserver/resources.ts';

const access = inject('apiserver');
const client = connect(access);
const NS = 'commands';
const WITHIN = { timeout: 40_000, interval: 50 };

let governed: Governed;
let pod: MadePod;

const custom = (kind: string, name: string, spec: unknown): KubernetesObject => ({
  apiVersion: 'airmesh.dev/v1alpha1',
  kind,
  metadata: { name, namespace: NS },
  spec,
});

async function run(...args: string[]): Promise<{ readonly code: number; readonly out: string }> {
  const { terminal, out } = recordingTerminal({ environment: { KUBECONFIG: access.kubeconfig } });
  let code = -1;
  await createProgram(terminal, (exit) => (code = exit)).parseAsync(args, { from: 'user' });
  return { code, out: out() };
}

beforeAll(async () => {
  await install(client);
  for (const name of [ROOT, NS]) await makeNamespace(client, name);
  await client.send('PATCH', `/api/v1/namespaces/${NS}`, {
    body: { metadata: { labels: { 'airmesh.dev/inject': 'enabled' } } },
    type: 'application/merge-patch+json',
  });
  await apply(client, custom('AIProvider', 'house', { type: 'OpenAICompatible', baseUrl: 'http://llm:8000/v1', models: [{ name: 'house' }] }));
  await apply(client, custom('AIRoute', 'chat', { workloads: ['checkout'], rules: [{ backends: [{ provider: 'house' }] }] }));
  await apply(client, custom('AIBudget', 'daily', { limit: { usd: '25' }, window: { calendar: 'Day' } }));
  pod = await makePod(client, NS, 'checkout-0');
  // It was there before the namespace was labelled.
  await put(client, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: 'old-77-x',
      namespace: NS,
      labels: { 'pod-template-hash': '77' },
      ownerReferences: [{ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'old-77', uid: 'none', controller: true }],
    },
    spec: { automountServiceAccountToken: false, containers: [{ name: 'app', image: 'app' }] },
  });
  governed = govern(access, [NS], 'commands-test');
  await vi.waitUntil(() => governed.leadership.leads && governed.plans.length > 0, WITHIN);
});

afterAll(() => governed.close());

/** `kubectl wait` looks at the condition, and at what generation it was said of. */
async function waits(): Promise<string> {
  const kubectl = [dirname(realpathSync(inject('binaries')['kube-apiserver'])), ...(process.env['PATH'] ?? '').split(':')]
    .map((folder) => join(folder, 'kubectl'))
    .find((path) => existsSync(path));
  if (kubectl === undefined) {
    const programmed = async (): Promise<unknown> =>
      ((await client.send('GET', pathOfKind('AIRoute', NS, 'chat'))).body as KubernetesObject).status?.conditions?.find(({ type }) => type === 'Programmed');
    await expect.poll(programmed, WITHIN).toMatchObject({ status: 'True', observedGeneration: 1 });
    return 'condition met';
  }
  const { stdout } = await promisify(execFile)(kubectl, [
    '--kubeconfig',
    access.kubeconfig,
    'wait',
    '-n',
    NS,
    '--for=condition=Programmed',
    'airoute/chat',
    '--timeout=20s',
  ]);
  return stdout;
}

describe('kubectl', () => {
  it('waits until a route is programmed', async () => {
    const waiting = waits();
    governed.streams.say(pod, `${NS}/checkout`);
    governed.governor.heard();
    expect(await waiting).toContain('condition met');
  });
});

describe('airmesh status', () => {
  it('shows how each stands', async () => {
    await expect.poll(async () => (await run('status')).out, WITHIN).toMatch(/commands\/daily +True +True +USD +25/);
    const { out } = await run('status');
    expect(out).toMatch(/commands\/house +True +True +None +1 +1\/1/);
    expect(out).toMatch(/commands\/chat +True +True +True +1\/1/);
    expect(out).toContain('airmesh check --kubernetes');
  });

  it('says the same to machines', async () => {
    const { resources } = JSON.parse((await run('status', '--json')).out) as { resources: { kind: string; name: string; status: { conditions: unknown[] } }[] };
    expect(resources.find(({ name }) => name === 'chat')?.status.conditions).toHaveLength(3);
  });
});

describe('airmesh check --kubernetes', () => {
  it('says what is wrong, and what mends it', async () => {
    const { code, out } = await run('check', '--kubernetes');
    expect(code).toBe(1);
    expect(out).toMatch(/error controllers in airmesh-system there are none\n {2}helm install/);
    expect(out).toMatch(/warning commands\/old 1 pod runs without a sidecar.*\n {2}kubectl rollout restart deployment\/old -n commands/);
    expect(out).not.toContain('definition of');
    const { diagnoses } = JSON.parse((await run('check', '--kubernetes', '--json')).out) as { diagnoses: object[] };
    expect(diagnoses.length).toBeGreaterThan(1);
  });
});

describe('airmesh explain', () => {
  it('says what a call of a workload would meet', async () => {
    const { code, out } = await run('explain', 'sts/checkout', '-n', NS, '--model', 'house');
    expect([code, out]).toEqual([0, expect.stringContaining(`The rule ${NS}/chat#0 is the first that matches.`)]);
    expect(out).toContain(`The budget ${NS}/daily counts it`);
  });

  it('says that its calls go by, where its pods have no sidecar', async () => {
    const { code, out } = await run('explain', 'deploy/old', '-n', NS, '--model', 'house');
    expect(code).toBe(1);
    expect(out).toContain('1 of its pods have no sidecar');
  });

  it('says so where it is not there', async () => {
    expect((await run('explain', 'deploy/nobody', '-n', NS, '--model', 'house')).out).toContain(`No pod of ${NS}/nobody was found`);
  });
});
