/**
 * Istio's own control plane, injector and agent, and ours beside them: what its sidecar carries it governs by our processor, what
 * it does not is our Envoy's, and the mesh stays what it was. One story, as story.test.ts.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { usdToNano } from '../../src/core/units/index.ts';
import { TestAuthority } from '../support/certificates.ts';
import { leaksIn } from '../support/leaks.ts';
import { apply, attempt, get, kubectl, until } from './commands.ts';
import { ensureIstioImages } from './istio/build.ts';
import { askIstioFirst, controlPlaneLog, defineIstio, installIstio, proxyAdmin, removeIstio, routesTaken } from './istio/mesh.ts';
import { OUTSIDE, meshed, outsideProvider, policies, strict } from './istio/pods.ts';
import { KEYS, SHOP, SYSTEM, call, clear, ensureStorage, install, providerTakes, saidIn, setKey } from './story.ts';
import type { Said } from './story.ts';
import { HOST, addressOf, curl, inPod, otherServer, received, serviceOf } from './unchanged.ts';

const IDENTITY = 'spiffe://cluster.local/ns/shop/sa/default';
const CLASSIC = { 'sidecar.istio.io/nativeSidecar': 'false' };
/** Where Istio is built first. */
const COLD_MS = 2_400_000;
const figures: Record<string, number> = {};
let begun = 0;

beforeAll(async () => {
  await Promise.all([clear(), removeIstio(), ensureIstioImages(process.env, (message) => process.stderr.write(`cluster tests: ${message}\n`))]);
  await ensureStorage();
  begun = performance.now();
  await defineIstio();
  await Promise.all([installIstio(), install('mesh=Istio')]);
  figures['install_ms'] = Math.round(performance.now() - begun);
  await kubectl('create', 'namespace', SHOP);
  await kubectl('label', 'namespace', SHOP, 'airmesh.dev/inject=enabled', 'istio-injection=enabled');
  const authority = await TestAuthority.create('public');
  const { certificate, key } = await authority.issue({ dns: [OUTSIDE] });
  const metadata = (name: string): object => ({ name, namespace: SHOP });
  await apply(
    { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata: metadata('other-tls'), stringData: { 'tls.crt': certificate, 'tls.key': key } },
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata('authorities'), data: { 'ca-certificates.crt': authority.certificate } },
    serviceOf('other', 'other'),
    serviceOf('outside', 'outside'),
    otherServer('other'),
    outsideProvider(),
    strict(),
  );
  await setKey(KEYS.first);
  await kubectl('apply', ...['provider', 'budget', 'keys', 'simulator'].flatMap((name) => ['-f', `examples/kubernetes/${name}.yaml`]));
  await apply(...policies());
  await providerTakes(KEYS.first);
  await ready('other', 'outside');
}, COLD_MS);

afterAll(async () => {
  process.stderr.write(`istio figures: ${JSON.stringify(figures)}\n`);
  if (process.env['AIRMESH_TEST_KEEP'] !== undefined) return;
  await Promise.all([clear(), removeIstio()]);
});

const ready = async (...deployments: readonly string[]): Promise<void> => {
  for (const name of deployments) await kubectl('rollout', 'status', `deployment/${name}`, '-n', SHOP, '--timeout=180s');
};

/** What both providers bill, by their own books, which are asked within their pods: nothing else gets in without mutual TLS. */
async function books(): Promise<{ readonly requests: number; readonly costNanoUsd: bigint }> {
  const asked = ['curl', '-sS', 'http://127.0.0.1:4010/simulator/books'];
  const texts = await Promise.all([
    kubectl('exec', '-n', SHOP, 'deployment/provider', '-c', 'istio-proxy', '--', ...asked),
    kubectl('exec', '-n', SHOP, 'deployment/outside', '-c', 'front', '--', ...asked),
  ]);
  const all = texts.map(
    (text) => JSON.parse(text) as { readonly costNanoUsd: string; readonly models: Readonly<Record<string, { readonly requests: number }>> },
  );
  return {
    requests: all.flatMap(({ models }) => Object.values(models)).reduce((sum, { requests }) => sum + requests, 0),
    costNanoUsd: all.reduce((sum, { costNanoUsd }) => sum + BigInt(costNanoUsd), 0n),
  };
}

/** By OpenAI's client, told another place than its own. */
async function callAt(baseUrl: string, what: 'once' | 'stream'): Promise<Said> {
  const { out, err } = await inPod(['env', `OPENAI_BASE_URL=${baseUrl}`, 'node', '/client/call.mjs', what]);
  const said = saidIn(out);
  if (said === undefined) throw new Error(`the client said nothing: ${out}${err}`);
  return said;
}

it('shares a pod with our injector: both are ready, the proxy has what its owner and we want it to mount', async () => {
  const outside = await addressOf('outside');
  await apply(meshed('checkout', outside), meshed('classic', outside, CLASSIC));
  await ready('checkout');
  figures['install_to_service_ms'] = Math.round(performance.now() - begun);
  const { items } = await get<{ readonly items: readonly Pod[] }>('pods', '-n', SHOP, '-l', 'app=checkout');
  const containers = items[0]?.spec.initContainers ?? [];
  expect(containers.map(({ name }) => name)).toEqual(['istio-init', 'istio-proxy', 'airmesh-init', 'airmesh-sidecar']);
  expect(containers[1]?.volumeMounts.map(({ mountPath }) => mountPath)).toEqual(expect.arrayContaining(['/etc/ssl/certs', '/run/airmesh']));
});
interface Pod {
  readonly spec: { readonly initContainers: readonly { readonly name: string; readonly volumeMounts: readonly { readonly mountPath: string }[] }[] };
}

it('is given its objects, and takes them', async () => {
  const names = await until(
    () => kubectl('get', 'serviceentry,destinationrule,envoyfilter', '-n', SHOP, '-o', 'name'),
    (text) => text.includes('envoyfilter'),
  );
  for (const kind of ['serviceentry', 'destinationrule']) expect(names).toContain(`${kind}.networking.istio.io/airmesh-${OUTSIDE}\n`);
  expect(names).toContain('envoyfilter.networking.istio.io/airmesh\n');
  await until(
    () => proxyAdmin('checkout', 'config_dump?resource=dynamic_active_clusters&mask=cluster.name'),
    (text) => text.includes('airmesh_processor'),
  );
});

it('governs HTTP in Istio’s sidecar and HTTPS in ours, each call once, streamed as well', async () => {
  const model = 'http://provider.shop.svc:4010/v1';
  const calls: readonly (readonly [route: string, made: () => Promise<Said>])[] = [
    ['airmesh/shop/openai', () => callAt(`http://${HOST}/v1`, 'once')],
    ['airmesh/shop/openai', () => callAt(`http://${HOST}/v1`, 'stream')],
    // A model server of the cluster, whose Service says nothing of what it speaks.
    ['airmesh/shop/openai', () => callAt(model, 'once')],
    ['airmesh/shop/openai', () => callAt(model, 'stream')],
    // Ours asks; what it sends on goes through Istio's, with its identity.
    ['airmesh/pass', () => call('checkout')],
    ['airmesh/pass', () => call('checkout', 'stream')],
  ];
  for (const [route, made] of calls) expect(await made(), route).toMatchObject({ ok: true, airmesh: { provider: 'shop/openai', model: 'gpt-4.1' } });
  expect((await books()).requests).toBe(calls.length);
  const taken = await until(
    () => routesTaken('checkout'),
    ({ length }) => length >= calls.length,
  );
  expect(taken).toEqual(calls.map(([route]) => route));
});

it('originates TLS to a provider outside, whose name it checks', async () => {
  const before = await books();
  const body = ['-H', 'content-type: application/json', '-d', '{"model":"text-embedding-3-small","input":"hi"}'];
  expect(await curl(`http://${OUTSIDE}/v1/embeddings`, ...body)).toMatchObject({ status: '200', body: expect.stringContaining('"usage"') });
  expect((await books()).requests).toBe(before.requests + 1);
});

it('keeps its mutual TLS, which nothing gets by without, and leaves services’ calls as they are', async () => {
  const plain = ['exec', '-n', SHOP, 'deployment/outside', '-c', 'front', '--', 'curl', '-sS', '--max-time', '5'];
  for (const url of ['http://provider.shop.svc:4010/v1/models', 'http://other.shop.svc/'])
    expect((await attempt('kubectl', [...plain, url])).code, url).not.toBe(0);
  expect(await curl('http://other.shop.svc/plain?a=%20', '-H', 'x-airmesh-backend: shop/openai')).toMatchObject({ status: '200' });
  const seen = (await received('other')).at(-1);
  expect(seen).toMatchObject({ at: 'http', url: '/plain?a=%20', headers: { host: 'other.shop.svc', 'x-airmesh-backend': 'shop/openai' } });
  expect(seen?.headers?.['x-forwarded-client-cert']).toContain(`URI=${IDENTITY}`);
});

it('agrees with the providers’ books, cent by cent', async () => {
  const { costNanoUsd } = await books();
  expect(costNanoUsd).toBeGreaterThan(0n);
  await until(
    () => kubectl('get', 'aibudget/checkout', '-n', SHOP, '-o', 'jsonpath={.status.posted}'),
    (posted) => posted !== '' && usdToNano(posted) === costNanoUsd,
  );
});

it('holds no key: not the application, not Istio’s sidecar or control plane, no log', async () => {
  const texts = {
    environment: (await inPod(['sh', '-c', 'cat /proc/[0-9]*/environ | tr "\\0" "\\n"'])).out,
    // As the application may ask it.
    configuration: (await inPod(['curl', '-sS', 'http://127.0.0.1:15000/config_dump?include_eds'])).out,
    proxy: await kubectl('logs', '-n', SHOP, 'deployment/checkout', '-c', 'istio-proxy'),
    sidecar: await kubectl('logs', '-n', SHOP, 'deployment/checkout', '-c', 'airmesh-sidecar'),
    controller: await kubectl('logs', '-n', SYSTEM, 'deployment/airmesh'),
    istiod: await controlPlaneLog(),
    objects: await kubectl('get', 'envoyfilter,serviceentry,destinationrule', '-n', SHOP, '-o', 'yaml'),
  };
  expect(leaksIn(texts, [KEYS.first])).toEqual([]);
  // Each was read.
  const there = [
    'OPENAI_API_KEY=airmesh-injected',
    'airmesh_processor',
    'took airmesh/',
    '"event":"call.settled"',
    '"event":"mesh.applied"',
    'ads',
    'kind: EnvoyFilter',
  ];
  expect(leaksIn(texts, there)).toEqual(Object.keys(texts));
});

/** Asks both until what is governed was refused and is answered again; what each was answered. */
const WATCH = `const ask = (url) => fetch(url).then(async (answer) => answer.ok ? '200' : answer.status + ' ' + (await answer.json()).error.code).catch((error) => error.message);
(async () => {
  const governed = new Set(), other = new Set(), end = Date.now() + 60000;
  for (let last = ''; Date.now() < end && !(governed.size > 1 && last === '200'); ) {
    governed.add(last = await ask('http://${HOST}/v1/models'));
    other.add(await ask('http://other.shop.svc/'));
  }
  console.log(JSON.stringify({ governed: [...governed], other: [...other] }));
})()`;

it('refuses what it would govern while there is no processor, and lets the rest flow', async () => {
  const before = await books();
  const watching = inPod(['node', '-e', WATCH]);
  await kubectl('exec', '-n', SHOP, 'deployment/checkout', '-c', 'airmesh-sidecar', '--', 'node', '-e', 'process.kill(1)');
  const { out, err } = await watching;
  expect(err).toBe('');
  const { governed, other } = JSON.parse(out) as Readonly<Record<'governed' | 'other', readonly string[]>>;
  expect(governed).toEqual(expect.arrayContaining(['200', '503 processor_unavailable']));
  expect(governed).toHaveLength(2);
  expect(other).toEqual(['200']);
  await until(
    () => call('checkout'),
    ({ ok }) => ok,
  );
  expect((await books()).requests).toBeGreaterThan(before.requests);
});

it('is shared in whichever order the injectors are asked, with a proxy of either kind', async () => {
  const outside = await addressOf('outside');
  await ready('classic');
  await askIstioFirst();
  await apply(meshed('late', outside), meshed('late-classic', outside, CLASSIC));
  await ready('late', 'late-classic');
  for (const name of ['classic', 'late', 'late-classic']) {
    const { requests } = await books();
    expect(await call(name, 'stream'), name).toMatchObject({ ok: true, airmesh: { provider: 'shop/openai' } });
    expect((await books()).requests, name).toBe(requests + 1);
  }
});

it('has refused none of it', async () => {
  for (const name of ['checkout', 'classic', 'late', 'late-classic']) {
    const stats = await proxyAdmin(name, 'stats?filter=update_rejected|update_success');
    const figure = (what: string): number => Number(new RegExp(`^${what}: (\\d+)$`, 'm').exec(stats)?.[1]);
    for (const what of ['cluster_manager.cds', 'listener_manager.lds']) {
      expect(figure(`${what}.update_rejected`), name).toBe(0);
      expect(figure(`${what}.update_success`), name).toBeGreaterThan(0);
    }
  }
  const log = await controlPlaneLog();
  expect(log.split('\n').filter((line) => /\t(warn|error)\t.*(EnvoyFilter|shop)|ACK ERROR/.test(line))).toEqual([]);
});
