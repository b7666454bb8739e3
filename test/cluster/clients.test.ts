/**
 * Clients in several languages, each as it comes, in a pod of an image that knows nothing of Airmesh: they call the providers' own
 * names, which the cluster resolves to stand-ins with certificates of a stand-in authority. Then all that may change while they
 * call. One story, as interception.test.ts.
 */
import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { leaksIn } from '../support/leaks.ts';
import { apply, get, kubectl, startGoingOn, until } from './commands.ts';
import type { GoingOn, LoadTold } from './commands.ts';
import { CLIENTS_IMAGE } from './images.ts';
import { PROVIDERS, ROTATED_KEY, arrivals, closeInternet, openInternet } from './internet.ts';
import type { Arrived } from './internet.ts';
import { SECURE, SHOP, SYSTEM, clear, deployment, ensureStorage, install } from './story.ts';
import { curl, inPod } from './unchanged.ts';

const CHAT = { model: 'gpt-4.1', messages: [{ role: 'user', content: 'hi' }] };
const URL = 'https://api.openai.com/v1/chat/completions';
/** After each change. */
const CALLS = 40;
const AUTHORITIES = 'airmesh-authorities-interception';
const figures: Record<string, number> = {};
const NODE_UNTIL_TOLD = "process.once('SIGTERM', () => process.exit()); setInterval(() => {}, 1e6)";

const provider = (name: keyof typeof PROVIDERS, caCertificates: string): object => ({
  apiVersion: 'airmesh.dev/v1alpha1',
  kind: 'AIProvider',
  metadata: { name, namespace: SHOP },
  spec: { type: PROVIDERS[name].type, tls: { caCertificates }, auth: { apiKey: { secretRef: { name, key: 'apiKey' } } }, retries: { attempts: 0 } },
});
const keyOf = (name: string, apiKey: string): object => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: SHOP }, stringData: { apiKey } });
const RULES = [
  { name: 'claude', match: { models: ['claude-*'] }, backends: [{ provider: 'anthropic' }] },
  { name: 'gemini', match: { models: ['gemini-*'] }, backends: [{ provider: 'gemini' }] },
  { name: 'others', backends: [{ provider: 'openai' }] },
];

beforeAll(async () => {
  await clear();
  await ensureStorage();
  await install();
  await kubectl('create', 'namespace', SHOP);
  await kubectl('label', 'namespace', SHOP, 'airmesh.dev/inject=enabled');
  const { authority, hostAliases } = await openInternet();
  const names = Object.keys(PROVIDERS) as (keyof typeof PROVIDERS)[];
  await apply(
    ...names.flatMap((name) => [keyOf(name, PROVIDERS[name].key), provider(name, authority)]),
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'Role',
      metadata: { name: 'airmesh-keys', namespace: SHOP },
      rules: [{ apiGroups: [''], resources: ['secrets'], resourceNames: names, verbs: ['get', 'list', 'watch'] }],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: { name: 'airmesh-keys', namespace: SHOP },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'airmesh-keys' },
      subjects: [{ kind: 'ServiceAccount', name: 'airmesh', namespace: SYSTEM }],
    },
    {
      apiVersion: 'airmesh.dev/v1alpha1',
      kind: 'AIRoute',
      metadata: { name: 'all', namespace: SHOP },
      spec: { workloads: ['checkout'], rules: RULES },
    },
    deployment('checkout', {
      hostAliases,
      containers: [{ name: 'app', image: CLIENTS_IMAGE, command: ['node', '-e', NODE_UNTIL_TOLD], securityContext: SECURE }],
    }),
  );
  await kubectl('rollout', 'status', 'deployment/checkout', '-n', SHOP, '--timeout=180s');
});

afterAll(async () => {
  process.stderr.write(`clients figures: ${JSON.stringify(figures)}\n`);
  if (process.env['AIRMESH_TEST_KEEP'] !== undefined) return;
  closeInternet();
  await clear();
});

/** What arrived meanwhile, each with the true key of its host. */
async function arrivedBy(act: () => Promise<void>): Promise<readonly Arrived[]> {
  const before = (await arrivals()).length;
  await act();
  const arrived = (await arrivals()).slice(before);
  const keys = new Map<string, readonly string[]>(Object.values(PROVIDERS).map(({ host, key }) => [host, [key, `Bearer ${key}`]]));
  expect(arrived.filter(({ host, key }) => key === null || keys.get(host)?.includes(key) !== true)).toEqual([]);
  return arrived;
}

async function saidBy(...command: readonly string[]): Promise<unknown> {
  const { code, out, err } = await inPod(command);
  expect(code, `${out}${err}`).toBe(0);
  return JSON.parse(out);
}

const texts = (...names: readonly string[]): object => Object.fromEntries(names.map((name) => [name, expect.stringMatching(/./)]));

describe('clients as they come', () => {
  it.each<[client: string, command: readonly string[], said: object, calls: number]>([
    [
      'OpenAI’s, Anthropic’s and Google’s for Node',
      ['node', 'sdks.mjs'],
      { ...texts('answer', 'streamed', 'elsewhere', 'message', 'messageStream', 'content', 'contentStream'), tool: 'weather', models: 'several' },
      8,
    ],
    ['the same for Python, and Requests', ['python3', 'sdks.py'], texts('answer', 'streamed', 'message', 'content', 'requests'), 5],
    ['Go’s net/http', ['go-client'], { https: '200 HTTP/2.0', http: '200 HTTP/1.1' }, 2],
    ['Java’s HttpClient', ['java', '-cp', 'java-client', 'Client'], { status: 200, version: 'HTTP_2' }, 1],
    ['Wget', ['wget', '-qO-', '--header=content-type: application/json', `--post-data=${JSON.stringify(CHAT)}`, URL], { object: 'chat.completion' }, 1],
    ['curl by HTTP/2', ['curl', '-sS', '--http2', '--json', JSON.stringify(CHAT), URL], { object: 'chat.completion' }, 1],
    ['curl by HTTP/1.1', ['curl', '-sS', '--http1.1', '--json', JSON.stringify(CHAT), URL], { object: 'chat.completion' }, 1],
    ['curl without TLS', ['curl', '-sS', '--json', JSON.stringify(CHAT), URL.replace('https', 'http')], { object: 'chat.completion' }, 1],
  ])('%s', async (_client, command, said, calls) => {
    const arrived = await arrivedBy(async () => expect(await saidBy(...command)).toMatchObject(said));
    expect(arrived).toHaveLength(calls);
  });

  it('upload 20 MB', async () => {
    const image = `data:image/png;base64,${'A'.repeat(20 * 1024 * 1024)}`;
    const body = JSON.stringify({ ...CHAT, messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: image } }] }] });
    const arrived = await arrivedBy(async () => {
      const { out, err } = await inPod(['curl', '-sS', '-o', '/dev/null', '-w', '%{http_code}', '--json', '@-', URL], body);
      expect(out, err).toBe('200');
    });
    expect(arrived).toHaveLength(1);
    expect(arrived[0]?.bytes).toBeGreaterThanOrEqual(body.length);
  });

  it('leave nothing of the sidecar’s memory to be found, were it to crash', async () => {
    const script = `for (const pid of require('node:fs').readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name) && +name !== process.pid))
      console.log(/^Max core file size +(\\S+) +(\\S+)/m.exec(require('node:fs').readFileSync('/proc/' + pid + '/limits', 'utf8')).slice(1).join())`;
    const said = await kubectl('exec', '-n', SHOP, 'deployment/checkout', '-c', 'airmesh-sidecar', '--', 'node', '-e', script);
    // The entrypoint, the processor, Envoy.
    expect(said.trim().split('\n')).toEqual(['0,0', '0,0', '0,0']);
  });

  it('would be refused by the provider without a sidecar: they have no key', async () => {
    const { out } = await inPod(['sh', '-c', 'env; cat /proc/[0-9]*/environ 2>/dev/null']);
    expect(leaksIn({ out }, [...Object.values(PROVIDERS).map(({ key }) => key), 'PRIVATE KEY'])).toEqual([]);
    expect(out).toContain('OPENAI_API_KEY=airmesh-injected');
  });
});

const IN_APP = ['exec', '-i', '-n', SHOP, 'deployment/checkout', '-c', 'app', '--'];
const startLoad = (): GoingOn<LoadTold> => startGoingOn('kubectl', [...IN_APP, 'node', 'load.mjs']);
/** What clients know as a connection that ended, and try again by themselves. */
const CUT = /^(?:ECONNREFUSED|ECONNRESET|EPIPE|socket hang up|aborted)$/;

/** Kills what has such a command line in the sidecar's container; returns how many did. */
async function killInSidecar(commandLine: string): Promise<number> {
  const script = `const { readdirSync, readFileSync } = require('node:fs');
    const lineOf = (pid) => { try { return readFileSync('/proc/' + pid + '/cmdline', 'latin1').replaceAll('\\0', ' '); } catch { return ''; } };
    const pids = readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name) && +name > 1 && +name !== process.pid && new RegExp(process.argv[1]).test(lineOf(name)));
    for (const pid of pids) process.kill(+pid, 'SIGKILL');
    console.log(pids.length);`;
  return Number(await kubectl('exec', '-n', SHOP, 'deployment/checkout', '-c', 'airmesh-sidecar', '--', 'node', '-e', script, commandLine));
}

/** Kills it, and asks until a call is answered; returns how long that took, in milliseconds. */
async function answeredAfterKilling(commandLine: string): Promise<number> {
  expect(await killInSidecar(commandLine)).toBe(1);
  const killed = performance.now();
  await until(
    () => curl('--json', JSON.stringify(CHAT), URL),
    ({ status }) => status === '200',
  );
  return Math.round(performance.now() - killed);
}

/** Of the sidecar's container. */
async function restarts(): Promise<number | undefined> {
  const { items } = await get<{ readonly items: readonly { readonly status: PodStatus }[] }>('pods', '-n', SHOP, '-l', 'app=checkout');
  return items[0]?.status.initContainerStatuses.find(({ name }) => name === 'airmesh-sidecar')?.restartCount;
}
interface PodStatus {
  readonly initContainerStatuses: readonly { readonly name: string; readonly restartCount: number }[];
}

/** The certificate that the pod is shown at the provider's host. */
async function shown(): Promise<X509Certificate> {
  const script = `const s = require('node:tls').connect({ host: 'api.openai.com', port: 443, servername: 'api.openai.com' }, () => {
    console.log(s.getPeerCertificate().raw.toString('base64')); s.end(); })`;
  const { out, err } = await inPod(['node', '-e', script]);
  expect(err).toBe('');
  return new X509Certificate(Buffer.from(out, 'base64'));
}

interface Root {
  readonly certificate: string;
  signsFrom: string;
  signsUntil: string;
}

/** The next authority signs from now on, as it would in its own time. Returns its certificate. */
async function changeAuthority(): Promise<X509Certificate> {
  const { data } = await get<{ readonly data: Readonly<Record<string, string>> }>(`secret/${AUTHORITIES}`, '-n', SYSTEM);
  const [[name, kept] = ['', '']] = Object.entries(data);
  const document = JSON.parse(Buffer.from(kept, 'base64').toString('utf8')) as { readonly roots: readonly Root[] };
  const [present, next] = document.roots;
  if (present === undefined || next === undefined) throw new Error('there are no two roots');
  present.signsUntil = next.signsFrom = new Date().toISOString();
  const patch = { data: { [name]: Buffer.from(JSON.stringify(document)).toString('base64') } };
  await kubectl('patch', 'secret', AUTHORITIES, '-n', SYSTEM, '-p', JSON.stringify(patch));
  return new X509Certificate(next.certificate);
}

describe('under load', () => {
  it('no call fails when controllers are started anew, and authority, leaves and the provider’s key change', async () => {
    const load = startLoad();
    await load.more(CALLS);
    const before = await shown();
    const next = await changeAuthority();
    expect(before.verify(next.publicKey)).toBe(false);
    await kubectl('rollout', 'restart', 'deployment/airmesh', '-n', SYSTEM);
    await kubectl('rollout', 'status', 'deployment/airmesh', '-n', SYSTEM, '--timeout=120s');
    const after = await until(shown, (leaf) => leaf.verify(next.publicKey), 60_000);
    expect(after.fingerprint256).not.toBe(before.fingerprint256);
    await load.more(CALLS);
    const changed = performance.now();
    await apply(keyOf('openai', ROTATED_KEY));
    await until(arrivals, (all) => all.at(-1)?.key === `Bearer ${ROTATED_KEY}`);
    figures['key_rotated_ms'] = Math.round(performance.now() - changed);
    await load.more(CALLS);
    const { calls, total, faults } = await load.end();
    expect(total, faults.join('\n')).toBe(0);
    figures['calls_during_rotation'] = calls;
    // Who starts now is shown the new one, and believes it.
    expect((await curl('--json', JSON.stringify(CHAT), URL)).status).toBe('200');
  });

  it('Envoy killed: what is in flight is cut, and it is back within seconds, in the same container', async () => {
    const load = startLoad();
    await load.more(CALLS);
    figures['envoy_back_ms'] = await answeredAfterKilling('envoy.*bootstrap');
    await load.more(CALLS);
    const { total, kinds } = await load.end();
    expect(total).toBeGreaterThan(0);
    expect(kinds.filter((kind) => !CUT.test(kind))).toEqual([]);
    expect(await restarts()).toBe(0);
  });

  it('the processor killed: governed calls are refused in words, and all else flows, until it is back beside the same Envoy', async () => {
    const kept = startGoingOn('kubectl', [...IN_APP, 'node', 'keep.mjs', 'https://internet.shop.svc/v1/models']);
    await kept.more(1);
    const load = startLoad();
    await load.more(CALLS);
    figures['processor_back_ms'] = await answeredAfterKilling('cli.js sidecar');
    await load.more(CALLS);
    const { total, kinds } = await load.end();
    expect(total).toBeGreaterThan(0);
    expect(kinds.filter((kind) => !CUT.test(kind) && !/^503 .*processor_unavailable/.test(kind))).toEqual([]);
    expect(kinds.some((kind) => kind.includes('processor_unavailable'))).toBe(true);
    expect(await kept.end()).toMatchObject({ connections: 1, cut: null });
    expect(await restarts()).toBe(0);
  });
});
