/** A whole controller on a real API server, and a gateway that proves by its pod's token who it is: what it is given, and of whom. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { startController } from '../../src/main/controller/controller.ts';
import type { RunningController } from '../../src/main/controller/controller.ts';
import { openStore } from '../../src/main/controller/store.ts';
import { GatewayLink } from '../../src/shell/distribution/index.ts';
import type { BadGatewayState, GatewayReport, ToGateway } from '../../src/shell/distribution/index.ts';
import { createLogger } from '../../src/shell/telemetry/index.ts';
import { Roots, TokenFile } from '../../src/shell/wire/index.ts';
import { connect } from '../support/apiserver/client.ts';
import { ROOT, makePod, put, secret, tokenFor } from '../support/apiserver/governed.ts';
import type { MadePod } from '../support/apiserver/governed.ts';
import { apply, install, makeNamespace } from '../support/apiserver/resources.ts';

const access = inject('apiserver');
const client = connect(access);
const WITHIN = { timeout: 20_000, interval: 20 };
const [OPEN, CLOSED] = ['gate-open', 'gate-closed'] as const;
const KEYS = { [OPEN]: 'hs_planted_open_0123456789abcdef01234567', [CLOSED]: 'hs_planted_closed_0123456789abcdef0123' } as const;
const folder = mkdtempSync(join(tmpdir(), 'airmesh-gateways-'));
const clock = { epochMs: () => Date.now(), monotonicMs: () => performance.now() };
const NOTHING: GatewayReport = { program: '0.1.0', callers: [], left: [], outcomes: [] };

let controller: RunningController;
let log = '';
const opened: { close(): void }[] = [];

const custom = (namespace: string, kind: string, name: string, spec: unknown): Parameters<typeof apply>[1] => ({
  apiVersion: 'airmesh.dev/v1alpha1',
  kind,
  metadata: { name, namespace },
  spec,
});

const label = (namespace: string, value: string | null): Promise<unknown> =>
  client.send('PATCH', `/api/v1/namespaces/${namespace}`, {
    body: { metadata: { labels: { 'airmesh.dev/gateway': value } } },
    type: 'application/merge-patch+json',
  });

async function rootsIn(name: string): Promise<string> {
  const { body } = await client.send('GET', `/api/v1/namespaces/${ROOT}/configmaps/${name}`);
  return (body as { readonly data?: Readonly<Record<string, string>> }).data?.['ca.crt'] ?? '';
}

interface TestGateway {
  readonly link: GatewayLink;
  readonly heard: (ToGateway | BadGatewayState)[];
}

async function gatewayOf(pod: MadePod, ...callers: GatewayReport['callers']): Promise<TestGateway> {
  const file = join(folder, crypto.randomUUID());
  writeFileSync(file, await tokenFor(client, pod), { mode: 0o600 });
  const token = new TokenFile(file, 50);
  const heard: TestGateway['heard'] = [];
  const link = new GatewayLink({
    addresses: [`localhost:${controller.address.split(':').at(-1)}`],
    access: { roots: new Roots(await rootsIn('airmesh-roots')), token },
    clock,
    onConnected: () => [{ ...NOTHING, callers }],
    onAnswer: (answer) => {
      heard.push(answer);
      if (answer.kind === 'state') link.say({ ...NOTHING, outcomes: [{ workload: answer.state.snapshot.workload, version: answer.state.version }] });
    },
  });
  opened.push(link, token);
  return { link, heard };
}

/** What it has of a workload now: its keys, `denied`, or nothing. */
function latest({ heard }: TestGateway, namespace: string): readonly string[] | 'denied' | undefined {
  const last = heard.findLast((answer) =>
    answer.kind === 'state' ? answer.state.snapshot.workload.namespace === namespace : answer.kind === 'denial' && answer.workload.namespace === namespace,
  );
  if (last?.kind === 'denial') return 'denied';
  return last?.kind === 'state' ? [...last.state.keys].map(([ref, { value }]) => `${ref} ${value}`) : undefined;
}

beforeAll(async () => {
  await install(client);
  for (const name of [ROOT, OPEN, CLOSED]) await makeNamespace(client, name);
  for (const namespace of [OPEN, CLOSED] as const) {
    await put(client, secret(namespace, 'relay', { apiKey: KEYS[namespace] }));
    await apply(
      client,
      custom(namespace, 'AIProvider', 'relay', {
        type: 'OpenAICompatible',
        baseUrl: `https://${namespace}.example/v1`,
        models: [{ name: 'house' }],
        auth: { apiKey: { secretRef: { name: 'relay' } } },
      }),
    );
    await apply(client, custom(namespace, 'AIRoute', 'all', { workloads: ['*'], rules: [{ backends: [{ provider: 'relay' }] }] }));
  }
  await put(client, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'airmesh-roots', namespace: ROOT } });
  await label(OPEN, 'enabled');
  controller = await startController({
    policies: {
      kind: 'cluster',
      scope: {
        rootNamespace: ROOT,
        namespaces: undefined,
        lease: 'gateways',
        authorities: 'gateways-authorities',
        views: 'gateways-views',
        service: 'airmesh',
        interception: { egress: 'Open', passedHosts: [], refusedHosts: [], clusterDomain: 'cluster.local' },
        simulatedUrl: undefined,
        injector: undefined,
        gateway: 'airmesh-gateway',
        roots: 'airmesh-roots',
      },
    },
    listen: { host: '127.0.0.1', port: 0 },
    admin: { host: '127.0.0.1', port: 0 },
    retentionDays: 90,
    store: await openStore('memory:'),
    environment: { KUBECONFIG: access.kubeconfig },
    logger: createLogger({ level: 'debug', format: 'json', colour: false, destination: { write: (line) => void (log += line), flush: () => undefined } }),
  });
}, 60_000);

afterAll(async () => {
  for (const each of opened) each.close();
  await controller?.stop();
  rmSync(folder, { recursive: true });
});

describe('a gateway', () => {
  it('knows controllers by a ConfigMap that they write, with certificates and no key', async () => {
    await expect.poll(() => rootsIn('airmesh-roots'), WITHIN).toMatch(/^-----BEGIN CERTIFICATE-----/);
    expect(await rootsIn('airmesh-roots')).not.toContain('PRIVATE');
  });

  it('is given whoever calls of a namespace that allows it, with that namespace’s key; of others nothing; and it follows the label', async () => {
    const pod = await makePod(client, ROOT, 'airmesh-gateway-0', 'Running', false, 'airmesh-gateway');
    const caller = (namespace: string): GatewayReport['callers'][number] => ({ namespace, name: 'checkout', serviceAccount: 'checkout', labels: {} });
    const gateway = await gatewayOf(pod, caller(OPEN), caller(CLOSED));
    await expect.poll(() => latest(gateway, OPEN), WITHIN).toEqual([`${OPEN}/relay ${KEYS[OPEN]}`]);
    expect(latest(gateway, CLOSED)).toBe('denied');
    // What all can meet came first, of that namespace alone, and without a key.
    const [first] = gateway.heard;
    if (first?.kind !== 'state') throw new Error('no state');
    expect([[...first.state.snapshot.providers.keys()].filter((id) => id.startsWith('gate-')), first.state.keys.size]).toEqual([[`${OPEN}/relay`], 0]);
    expect(gateway.heard.filter((answer) => answer.kind === 'state' && answer.state.interception !== undefined)).toEqual([]);

    await label(CLOSED, 'enabled');
    await expect.poll(() => latest(gateway, CLOSED), WITHIN).toEqual([`${CLOSED}/relay ${KEYS[CLOSED]}`]);
    await label(OPEN, null);
    await expect.poll(() => latest(gateway, OPEN), WITHIN).toBe('denied');
    await label(CLOSED, null);
    await label(OPEN, 'enabled');
    await expect.poll(() => latest(gateway, OPEN), WITHIN).toEqual([`${OPEN}/relay ${KEYS[OPEN]}`]);
  });

  it.each([
    ['of another service account in the controllers’ namespace', ROOT, 'other'],
    ['of that name in another namespace', OPEN, 'airmesh-gateway'],
  ])('is nobody else: a pod %s', async (_what, namespace, name) => {
    const gateway = await gatewayOf(await makePod(client, namespace, `${name}-1`, 'Running', false, name), { namespace: OPEN, name: 'checkout' });
    await expect.poll(() => gateway.link.state.lastError?.message, WITHIN).toContain('is no gateway of this mesh');
    expect(gateway.heard).toEqual([]);
  });

  it('loses its stream when its pod is gone, though its token has not ended, and is not taken again', async () => {
    const pod = await makePod(client, ROOT, 'airmesh-gateway-9', 'Running', false, 'airmesh-gateway');
    const gateway = await gatewayOf(pod);
    await expect.poll(() => gateway.heard.length, WITHIN).toBe(1);
    await client.send('DELETE', `/api/v1/namespaces/${ROOT}/pods/${pod.name}?gracePeriodSeconds=0`);
    await expect.poll(() => gateway.link.state.lastError?.message, WITHIN).toMatch(/is gone/);
    await expect.poll(() => gateway.link.state.connected, WITHIN).toBeUndefined();
  });

  it('leaves no key in a controller’s log', () => {
    for (const key of Object.values(KEYS)) expect(log).not.toContain(key);
  });
});
