/** Gateways that a controller feeds, with real Envoys: each caller by its own policies and key, budgets shared, consent that can be withdrawn. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { limitsOf } from '../../src/core/call/index.ts';
import { gatewayPlan } from '../../src/core/control/index.ts';
import type { KeyEntry } from '../../src/core/control/index.ts';
import { compile, parseResource } from '../../src/core/policy/index.ts';
import type { KnownWorkload } from '../../src/core/policy/index.ts';
import { err, ok } from '../../src/core/units/index.ts';
import { startGateway } from '../../src/main/gateway/gateway.ts';
import type { RunningMesh } from '../../src/main/mesh/mesh.ts';
import { GatewayPermissions, Gateways } from '../../src/shell/distribution/index.ts';
import { TestController } from '../../src/shell/distribution/service.test-support.ts';
import { ensureEnvoy } from '../../src/shell/envoy/index.ts';
import { LedgerHost, ledgerService } from '../../src/shell/ledger/index.ts';
import { startSimulator } from '../../src/shell/simulator/index.ts';
import type { Simulator } from '../../src/shell/simulator/index.ts';
import { MemoryStore } from '../../src/shell/stores/memory/index.ts';
import { createLogger } from '../../src/shell/telemetry/index.ts';
import { knownModels } from '../../src/shell/prices/index.ts';
import { freePorts, until } from '../support/mesh.ts';

/** Each provider takes its own namespace's key and no other. */
const KEYS = { shop: 'hs_shop0123456789abcdef0123456789abcdef', lab: 'hs_lab00123456789abcdef0123456789abcdef' } as const;
type Namespace = keyof typeof KEYS;
const CALLS = 7;
/** As a controller has read the Secrets. */
const BOOK: Parameters<typeof gatewayPlan>[2] = new Map(
  Object.entries(KEYS).map(([namespace, value]) => [
    `${namespace}/relay`,
    { source: namespace, revision: '1', material: { type: 'OpenAICompatible', value } } satisfies KeyEntry,
  ]),
);
const clock = { epochMs: () => Date.now(), monotonicMs: () => performance.now() };

const resources = (url: Readonly<Record<Namespace, string>>): string =>
  (['shop', 'lab'] as const)
    .map(
      (namespace) => `
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: relay, namespace: ${namespace}}
spec: {type: OpenAICompatible, baseUrl: "${url[namespace]}/v1", auth: {apiKey: {secretRef: {name: relay}}}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: all, namespace: ${namespace}}
spec: {workloads: ["*"], rules: [{name: all, match: {models: [gpt-4.1]}, backends: [{provider: relay}]}]}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: each, namespace: ${namespace}}
spec: {per: [Workload], limit: {requests: ${CALLS}}, window: {lifetime: true}, mode: Strict}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: cut, namespace: ${namespace}}
spec: {per: [Workload], selector: {workloads: [talker]}, limit: {tokens: 800}, window: {lifetime: true}, mode: Bounded, nearLimit: CutStream}
`,
    )
    .join('---');

describe('gateways of a controller', () => {
  let simulators: Readonly<Record<Namespace, Simulator>>;
  let controller: TestController;
  let gateways: Gateways;
  let permissions: GatewayPermissions;
  let host: LedgerHost;
  let compiled: ReturnType<typeof compile>;
  let allowed: readonly string[] = [];
  const folder = mkdtempSync(join(tmpdir(), 'airmesh-gateways-'));
  const running: { readonly mesh: RunningMesh; readonly port: number; readonly admin: number }[] = [];
  let log = '';

  /** As a controller does when something has changed. */
  const publish = (): void => {
    const callers = gateways.callers().filter(({ namespace }) => allowed.includes(namespace));
    compiled = compiledFor(callers);
    permissions.publish(new Set(allowed), compiled);
    gateways.publish(gatewayPlan(gateways.callers(), { compiled, consenting: new Set(allowed), rootNamespace: 'airmesh-system' }, BOOK));
  };
  const allow = (...namespaces: readonly string[]): void => {
    allowed = namespaces;
    publish();
  };
  const compiledFor = (callers: readonly KnownWorkload[]): ReturnType<typeof compile> =>
    compile(parsed(), callers, {
      own: [],
      known: knownModels(),
      simulatedUrl: undefined,
      readCertificates: (pem: string) => ({ ok: true, value: pem }) as const,
      boundaries: { rootNamespace: 'airmesh-system', namespaces: new Map() },
    });
  const parsed = (): Parameters<typeof compile>[0] =>
    parseAllDocuments(resources({ shop: simulators.shop.url, lab: simulators.lab.url })).map((document) => {
      const resource = parseResource(document.toJS());
      if (!resource.ok) throw new Error(JSON.stringify(resource.error));
      return resource.value;
    });

  const call = async (gateway: number, workload: string, more: object = {}): Promise<{ readonly status: number; readonly text: string }> => {
    const answer = await fetch(`http://127.0.0.1:${running[gateway]?.port}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer token-of.${workload}`, 'x-simulate': 'tokens=3000, chunk-delay=1ms' },
      body: JSON.stringify({ model: 'gpt-4.1', messages: [{ role: 'user', content: 'Hello' }], max_tokens: 20, ...more }),
    });
    return { status: answer.status, text: await answer.text() };
  };

  const startOne = async (index: number, version: string): Promise<void> => {
    const pod = controller.cluster.addPod('airmesh-system/gateway');
    const [port = 0, admin = 0] = await freePorts(2);
    const envoy = await ensureEnvoy({ version, environment: process.env, onStep: () => undefined });
    const mesh = await startGateway({
      policies: { addresses: [controller.address], access: controller.accessFor(pod) },
      listen: { host: '127.0.0.1', port },
      trustDomains: [],
      tokens: {
        review: async (token) => {
          const [namespace, name] = token.slice('token-of.'.length).split('/');
          if (namespace === undefined || name === undefined) return err('it is none');
          return ok({ workload: { namespace, name, serviceAccount: name, labels: {} }, validUntil: Date.now() + 60_000 });
        },
      },
      admin: { host: '127.0.0.1', port: admin },
      stateDir: join(folder, String(index)),
      envoy: { path: envoy.path, concurrency: 1 },
      environment: process.env,
      logger: createLogger({ level: 'debug', format: 'json', colour: false, destination: { write: (text) => void (log += text), flush: () => undefined } }),
    });
    running.push({ mesh, port, admin });
    await until('it is ready', async () => (await fetch(`http://127.0.0.1:${admin}/readyz`)).ok, 40_000);
  };

  beforeAll(async () => {
    const simulator = (namespace: Namespace): Promise<Simulator> => startSimulator({ host: '127.0.0.1', port: 0, keys: [KEYS[namespace]] });
    simulators = { shop: await simulator('shop'), lab: await simulator('lab') };
    permissions = new GatewayPermissions('airmesh-system', clock.monotonicMs);
    gateways = new Gateways({
      isGateway: ({ serviceAccount }) => serviceAccount === 'gateway',
      onCallers: () => setImmediate(publish),
      tell: () => undefined,
      now: () => performance.now(),
    });
    compiled = compiledFor([]);
    const store = new MemoryStore();
    controller = await TestController.start({
      states: [],
      services: () => {
        host = new LedgerHost({ store, isAlone: true, clock, permissions, tell: () => undefined });
        const started = host.start(limitsOf([compiled]));
        if (!started.ok) throw new Error(JSON.stringify(started.error));
        return [gateways.service(), ledgerService({ host, store, permissions, tell: () => undefined })];
      },
    });
    allow('shop');
    for (const [index, version] of ['1.36.4', '1.40.0'].entries()) await startOne(index, version);
  }, 120_000);

  afterAll(async () => {
    for (const { mesh } of running) await mesh.stop();
    gateways.close();
    await host.close();
    await controller.close();
    for (const simulator of Object.values(simulators)) await simulator.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('answer a caller from its first call on, by its own policies and its namespace’s key', async () => {
    const answer = await call(0, 'shop/checkout');
    expect(answer.status, answer.text).toBe(200);
  });

  it('refuse whose namespace does not allow it, in words for whoever owns it, and are given nothing of theirs', async () => {
    const refused = await call(0, 'lab/search');
    expect(refused.status).toBe(403);
    expect(JSON.parse(refused.text)).toMatchObject({ error: { message: expect.stringContaining('labels it airmesh.dev/gateway: enabled') } });
    expect(simulators.lab.books.toJSON()).toMatchObject({ attempts: [] });
  });

  it('take a namespace that comes to allow it, with its own key and no other', async () => {
    allow('shop', 'lab');
    await until('it is allowed', async () => (await call(0, 'lab/search')).status !== 403);
    const answer = await call(0, 'lab/search');
    expect(answer.status, answer.text).toBe(200);
    expect((simulators.lab.books.toJSON() as { attempts: readonly unknown[] }).attempts).toHaveLength(2);
  });

  it('charge each caller its own account, and share it between them', async () => {
    const statuses: number[] = [];
    for (let index = 0; index < CALLS + 2; index++) statuses.push((await call(index % 2, 'shop/till')).status);
    expect(statuses).toEqual([...Array.from({ length: CALLS }, () => 200), 429, 429]);
    // Of others' accounts nothing was taken.
    expect((await call(1, 'shop/checkout')).status).toBe(200);
    const posted = new Map(host.views().map(({ limit, subject, posted: amount }) => [`${limit} ${subject}`, amount]));
    await until('it is settled', () => {
      const views = new Map(host.views().map(({ limit, subject, posted: amount }) => [`${limit} ${subject}`, amount]));
      return views.get('shop/each shop/till') === BigInt(CALLS) && views.get('lab/each lab/search') === 2n;
    });
    expect([...posted.keys()].filter((key) => key.includes('gateway'))).toEqual([]);
  });

  it('end a caller’s stream at the end of its money', async () => {
    const answer = await call(1, 'shop/talker', { stream: true, max_tokens: 8_000 });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.text.split('"finish_reason":"length"')).toHaveLength(2);
    expect(answer.text.endsWith('data: [DONE]\n\n')).toBe(true);
  });

  it('tell of each call whose it was', async () => {
    const settled = log
      .split('\n')
      .filter((line) => line.includes('"event":"call.settled"'))
      .map((line) => JSON.parse(line) as { readonly workload: string; readonly provider: string });
    expect(new Set(settled.map(({ workload, provider }) => `${workload.split('/')[0]} ${provider}`))).toEqual(new Set(['shop shop/relay', 'lab lab/relay']));
    for (const key of Object.values(KEYS)) expect(log).not.toContain(key);
    expect(log).not.toContain('token-of.');
  });

  it('forget a namespace that allows it no more, and go on with the others', async () => {
    allow('shop');
    await until('it is denied', async () => (await call(0, 'lab/search')).status === 403);
    expect((await call(0, 'shop/checkout')).status).toBe(200);
  });

  it('go on by what they have while no controller is there, and say to new callers why not', async () => {
    await controller.server.close(100);
    expect((await call(0, 'shop/checkout')).status).toBe(200);
    const unknown = await call(0, 'shop/newcomer');
    expect(unknown.status).toBe(503);
    expect(unknown.text).toContain('no controller to ask');
    expect((await fetch(`http://127.0.0.1:${running[0]?.admin}/readyz`)).ok).toBe(true);
  });
});
