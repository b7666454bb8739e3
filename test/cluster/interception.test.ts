/**
 * An application that nobody has prepared, in a pod whose connections are taken in: it calls the provider's own host, has no
 * key, and is governed from its first call on. Beside it, what it must not be able to do. One story, as story.test.ts.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PLACEHOLDER_KEY, SIDECAR_PORTS, SIDECAR_UID } from '../../src/core/control/index.ts';
import { TestAuthority } from '../support/certificates.ts';
import { leaksIn } from '../support/leaks.ts';
import { memoryOfSidecar } from './memory.ts';
import { apply, get, kubectl, until } from './commands.ts';
import { KEYS, SHOP, SYSTEM, call, clear, ensureStorage, install, providerTakes, saidIn, setKey } from './story.ts';
import { HOST, NOWHERE, addressOf, billed, curl, inPod, otherServer, received, serviceOf, unchanged, unchangedJob } from './unchanged.ts';

const CHAT = '/v1/chat/completions';
const BODY = ['-H', 'content-type: application/json', '-d', '{"model":"gpt-4.1","messages":[{"role":"user","content":"hi"}]}'];
interface Pod {
  readonly spec: { readonly initContainers: readonly { readonly name: string }[] };
  readonly status: { readonly initContainerStatuses: readonly { readonly restartCount: number }[] };
}
/** The service's own, and what is left of former ones. */
const pods = async (): Promise<readonly Pod[]> => (await get<{ readonly items: readonly Pod[] }>('pods', '-n', SHOP, '-l', 'app=checkout')).items;
/** To see that what looks for keys would find them. */
const PLANTED = 'sk-planted-0123456789abcdef';
/** Were records kept for good, or the log of commits, this would show. */
const MANY = 3000;
const figures: Record<string, number> = {};
let begun = 0;
/** The other server's, which no trust store of the mesh knows. */
let authority: TestAuthority;

beforeAll(async () => {
  await clear();
  await ensureStorage();
  begun = performance.now();
  await install();
  await kubectl('create', 'namespace', SHOP);
  await kubectl('label', 'namespace', SHOP, 'airmesh.dev/inject=enabled');
  authority = await TestAuthority.create('other');
  const { certificate, key } = await authority.issue({ dns: ['other.shop.svc', 'own.shop.svc', HOST] });
  await apply({
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: { name: 'other-tls', namespace: SHOP },
    stringData: { 'tls.crt': certificate, 'tls.key': key },
  });
  await setKey(KEYS.first);
  await kubectl('apply', ...['provider', 'route', 'budget', 'keys', 'simulator'].flatMap((name) => ['-f', `examples/kubernetes/${name}.yaml`]));
  await apply(otherServer('other'), serviceOf('other', 'other'), serviceOf('own', 'checkout'));
  await providerTakes(KEYS.first);
  await kubectl('rollout', 'status', 'deployment/other', '-n', SHOP, '--timeout=180s');
});

afterAll(async () => {
  process.stderr.write(`interception figures: ${JSON.stringify(figures)}\n`);
  if (process.env['AIRMESH_TEST_KEEP'] === undefined) await clear();
});

it('governs the very first call of an unchanged application, and lets its Job end', async () => {
  await apply(unchangedJob('checkout'));
  await kubectl('wait', '--for=condition=Complete', 'job/checkout', '-n', SHOP, '--timeout=180s');
  const said = saidIn(await kubectl('logs', '-n', SHOP, 'job/checkout', '-c', 'app'));
  expect(said).toMatchObject({ ok: true, airmesh: { provider: 'shop/openai', model: 'gpt-4.1' } });
  figures['first_call_ms'] = said?.ms ?? 0;
  expect(await billed()).toBe(1);
});

it('answers a service as the provider would, streamed as well', async () => {
  await apply(unchanged('checkout'));
  await kubectl('rollout', 'status', 'deployment/checkout', '-n', SHOP, '--timeout=180s');
  figures['install_to_service_ms'] = Math.round(performance.now() - begun);
  const once = await call('checkout');
  expect(once).toMatchObject({ ok: true, text: expect.stringMatching(/\w/), airmesh: { provider: 'shop/openai', model: 'gpt-4.1' } });
  const streamed = await call('checkout', 'stream');
  expect(streamed).toMatchObject({ ok: true, airmesh: { provider: 'shop/openai' } });
  expect(streamed.chunks).toBeGreaterThan(2);
  expect(await billed()).toBe(3);
});

it('changes nothing in the pod but an init container, a sidecar and whom to trust', async () => {
  const [pod] = await pods();
  expect(pod?.spec.initContainers.map(({ name }) => name)).toEqual(['airmesh-init', 'airmesh-sidecar']);
  const env = (await inPod(['env'])).out;
  expect(env).toContain('SSL_CERT_FILE=/etc/airmesh/trust/ca.pem');
  expect(env).toContain('OPENAI_API_KEY=airmesh-injected');
  expect(env).not.toContain('BASE_URL');
  expect((await inPod(['getent', 'hosts', HOST])).out).toContain(NOWHERE);
});
it('is seen by the controller and the sidecar: the route in force, what the workload spent', async () => {
  await kubectl('wait', '--for=condition=Programmed', 'airoute/chat', '-n', SHOP, '--timeout=120s');
  const { items } = await get<{ readonly items: readonly { readonly metadata: { readonly name: string } }[] }>(
    'pods',
    '-n',
    SYSTEM,
    '-l',
    'app.kubernetes.io/component=controller',
  );
  const path = `/api/v1/namespaces/${SYSTEM}/pods/${items[0]?.metadata.name}:15012/proxy/spend`;
  const { byWorkload } = await until(
    async () => JSON.parse(await kubectl('get', '--raw', path)) as Spend,
    ({ byWorkload: [first] }) => first?.requests === 3,
  );
  expect(byWorkload).toMatchObject([{ name: 'shop/checkout', requests: 3 }]);
  const posted = await until(
    () => kubectl('get', 'aibudget/checkout', '-n', SHOP, '-o', 'jsonpath={.status.posted}'),
    (amount) => amount === byWorkload[0]?.costUsd,
  );
  expect(Number(posted)).toBeGreaterThan(0);
  // The Job's call was another sidecar's.
  const { body } = await curl(`http://127.0.0.1:${SIDECAR_PORTS.admin}/metrics`);
  expect(body).toContain('airmesh_calls_total{workload="shop/checkout",model="gpt-4.1",provider="shop/openai",ending="finished"} 2\n');
});
interface Spend {
  readonly byWorkload: readonly { readonly name: string; readonly requests: number; readonly costUsd: string }[];
}

it('takes thousands of calls without failing one, in little memory', async () => {
  const { out, err } = await inPod(['node', '/client/many.mjs', String(MANY)]);
  expect(err).toBe('');
  expect(JSON.parse(out)).toEqual({ 200: MANY });
  const { state, resident, anonymous } = await memoryOfSidecar();
  Object.assign(figures, { state_mb: state, sidecar_resident_mb: resident, sidecar_own_mb: anonymous + state });
  // Of the 64 MiB that it may have: the journal's three files, and books of which the log is emptied as it grows.
  expect(state).toBeLessThan(24);
  // The programs' own files are shared by all pods of a node.
  expect(anonymous + state).toBeLessThan(200);
});

describe('other clients and other traffic', () => {
  it('has curl trust the mesh at a governed host', async () => {
    const answer = await curl(`https://${HOST}/v1/models`);
    expect(answer, answer.err).toMatchObject({ status: '200', body: expect.stringContaining('gpt-4.1') });
    // Of its own accord it would not: it is the mesh's authority that vouches.
    expect(await curl('--cacert', '/etc/ssl/certs/ca-certificates.crt', `https://${HOST}/v1/models`)).toMatchObject({ code: 60 });
  });

  it('passes TLS to another server, end to end', async () => {
    expect(await curl('https://other.shop.svc/')).toMatchObject({ code: 60 });
    const { out, err } = await inPod(['curl', '-sS', '--cacert', '/dev/stdin', 'https://other.shop.svc/tls'], authority.certificate);
    expect(out, err).toBe('this is the other server, in https\n');
    expect((await received('other')).at(-1)).toMatchObject({ at: 'https', url: '/tls', serverName: 'other.shop.svc' });
  });

  it('passes HTTP and plain TCP', async () => {
    expect(await curl('http://other.shop.svc/plain?a=%20')).toMatchObject({ status: '200', body: 'this is the other server, in http\n' });
    expect((await received('other')).at(-1)).toMatchObject({ at: 'http', url: '/plain?a=%20' });
    const { out } = await inPod(['curl', '-sS', '--max-time', '5', 'telnet://other.shop.svc:5432']);
    expect(out).toBe('hello, I speak first\n');
  });
});

describe('a hostile application', () => {
  /** Where in the container a text is. It is put together there, lest the command that looks finds itself. */
  const places = async (text: string): Promise<readonly string[]> => {
    const look = `text="${text.slice(0, 3)}""${text.slice(3)}"
      cat /proc/[0-9]*/environ 2>/dev/null | grep -aqF "$text" && echo environment
      grep -rlsF "$text" / --exclude-dir=proc --exclude-dir=sys`;
    return (await inPod(['sh', '-c', look])).out.split('\n').filter((line) => line !== '');
  };
  const connect = (name: string, port: number, address: string, to = port): string[] => ['--connect-to', `${name}:${port}:${address}:${to}`];

  it('gets no key by calling an address of its own under the provider’s name', async () => {
    const own = await addressOf('own');
    const attempts: readonly (readonly [args: readonly string[], status: string, isListenerReached: boolean])[] = [
      // By a service whose only endpoint is the pod itself: taken in, and answered by the provider.
      [[`https://${HOST}${CHAT}`, ...connect(HOST, 443, own), ...BODY], '200', false],
      [[`http://${HOST}${CHAT}`, ...connect(HOST, 80, own), ...BODY], '200', false],
      [[`http://own.shop.svc${CHAT}`, '-H', `Host: ${HOST}`, ...BODY], '200', false],
      [[`http://${HOST}${CHAT}`, ...connect(HOST, 80, own), '-H', `x-envoy-original-dst-host: ${own}:80`, ...BODY], '200', false],
      [[`https://${HOST}${CHAT}`, ...connect(HOST, 443, own), '-H', 'Host: own.shop.svc', ...BODY], '421', false],
      // Within the pod, and under another server name: its own business, with what it has itself.
      [[`https://${HOST}${CHAT}`, '-k', ...connect(HOST, 443, '127.0.0.1', 8443), ...BODY], '200', true],
      [[`https://own.shop.svc${CHAT}`, '-k', '-H', `Host: ${HOST}`, ...BODY], '200', true],
    ];
    for (const [args, status, isListenerReached] of attempts) {
      const before = { billed: await billed(), received: (await received('checkout')).length };
      const answer = await curl('-H', 'authorization: Bearer airmesh-injected', ...args);
      expect(answer.status, `${args.join(' ')}: ${answer.body} ${answer.err}`).toBe(status);
      expect((await received('checkout')).length - before.received, args.join(' ')).toBe(isListenerReached ? 1 : 0);
      expect((await billed()) - before.billed, args.join(' ')).toBe(status === '200' && !isListenerReached ? 1 : 0);
    }
    const caught = await received('checkout');
    expect(caught.map(({ headers }) => headers?.['authorization'])).toEqual(['Bearer airmesh-injected', 'Bearer airmesh-injected']);
    expect(JSON.stringify([caught, await received('other')])).not.toContain(KEYS.first);
  });

  it('finds no key in its environment, its files or its processes', async () => {
    expect(await places(KEYS.first)).toEqual([]);
    // What is there is found.
    expect(await places(PLACEHOLDER_KEY)).toEqual(['environment']);
    expect(await places('this is the other server')).toEqual(['/client/other.mjs']);
    const processes = (await inPod(['sh', '-c', 'cat /proc/[0-9]*/comm /proc/[0-9]*/status 2>/dev/null'])).out;
    expect(processes).not.toMatch(/envoy|airmesh/);
    expect(processes).not.toMatch(new RegExp(`^Uid:.*\\b${SIDECAR_UID}\\b`, 'm'));
    const trust = await inPod(['sh', '-c', 'grep -rl "PRIVATE KEY" /etc/airmesh; touch /etc/airmesh/trust/x; ls -a /var/lib/airmesh /var/run/secrets/airmesh']);
    expect(trust.out).toBe('');
    expect(trust.err).toMatch(/touch: .*Read-only file system/);
  });

  it('would be found with one, wherever it were planted', async () => {
    const planted = `"${PLANTED.slice(0, 5)}""${PLANTED.slice(5)}"`;
    const plant = (script: string): Promise<unknown> => inPod(['sh', '-c', script]);
    expect(await places(PLANTED)).toEqual([]);
    await plant(`printf %s ${planted} > /dev/shm/planted`);
    expect(await places(PLANTED)).toEqual(['/dev/shm/planted']);
    await plant('rm /dev/shm/planted');
    await plant(`KEPT=${planted} sleep 20 > /dev/null 2>&1 &`);
    expect(await places(PLANTED)).toEqual(['environment']);
    await plant(`echo ${planted} > /proc/1/fd/1`);
    const log = () => kubectl('logs', '-n', SHOP, 'deployment/checkout', '-c', 'app');
    expect(leaksIn({ app: await until(log, (text) => text.includes(PLANTED)) }, [PLANTED])).toEqual(['app']);
  });

  it('sees of its sidecar what probes and metrics see', async () => {
    const at = `http://127.0.0.1:${SIDECAR_PORTS.admin}`;
    expect(await curl(`${at}/readyz`)).toMatchObject({ status: '200' });
    expect(await curl(`${at}/metrics`)).toMatchObject({ status: '200', body: expect.stringContaining('airmesh_') });
    for (const path of ['/config', '/spend', '/records', '/config_dump', '/certs']) expect(await curl(`${at}${path}`), path).toMatchObject({ status: '404' });
    expect(await curl('-X', 'POST', `${at}/readyz`)).toMatchObject({ status: '405' });
    // And nothing else listens there: no administration of Envoy's.
    const sockets = (await inPod(['sh', '-c', 'cat /proc/net/tcp /proc/net/tcp6'])).out;
    const ports = [...sockets.matchAll(/^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:0000 0A/gm)].map(([, port = '']) => Number.parseInt(port, 16));
    expect([...new Set(ports)].toSorted((a, b) => a - b)).toEqual([5432, 8080, 8443, ...Object.values(SIDECAR_PORTS)].toSorted((a, b) => a - b));
  });

  it('leaves no key in what is logged or kept', async () => {
    const texts = {
      sidecar: await kubectl('logs', '-n', SHOP, 'deployment/checkout', '-c', 'airmesh-sidecar'),
      init: await kubectl('logs', '-n', SHOP, 'deployment/checkout', '-c', 'airmesh-init'),
      controller: await kubectl('logs', '-n', SYSTEM, 'deployment/airmesh'),
      resources: await kubectl('get', 'airmesh,events,pods', '-n', SHOP, '-l', 'app!=provider', '-o', 'yaml'),
    };
    expect(leaksIn(texts, [KEYS.first, 'PRIVATE KEY'])).toEqual([]);
    // Each was read, and what is there is found.
    for (const [name, text] of Object.entries(texts)) expect(leaksIn({ ...texts, [name]: `${text}${PLANTED}` }, [PLANTED])).toEqual([name]);
    expect(leaksIn(texts, ['port 15401', '"event":"state.applied"', '"event":"sidecar.joined"', 'kind: AIProvider'])).toEqual(Object.keys(texts));
    expect(texts.init).toContain('goes to port 15401');
  });
});

it('goes on by what it was last told when its sidecar is ended and comes back', async () => {
  const before = await billed();
  const ended = performance.now();
  await kubectl('exec', '-n', SHOP, 'deployment/checkout', '-c', 'airmesh-sidecar', '--', 'node', '-e', 'process.kill(1)');
  await until(pods, ([pod]) => pod?.status.initContainerStatuses.at(-1)?.restartCount === 1);
  const said = await until(
    () => call('checkout'),
    ({ ok }) => ok,
  );
  figures['sidecar_back_ms'] = Math.round(performance.now() - ended);
  expect(said.airmesh).toMatchObject({ provider: 'shop/openai' });
  expect((await billed()) - before).toBe(1);
});

it('lets nothing out but what is declared, where egress is enforced', async () => {
  await install('interception.egress=Enforced');
  await kubectl('rollout', 'restart', 'deployment/checkout', '-n', SHOP);
  await kubectl('rollout', 'status', 'deployment/checkout', '-n', SHOP, '--timeout=180s');
  await until(pods, ({ length }) => length === 1);
  expect(await kubectl('logs', '-n', SHOP, 'deployment/checkout', '-c', 'airmesh-init')).toContain('TCP of all ports');
  expect(await call('checkout', 'stream')).toMatchObject({ ok: true, airmesh: { provider: 'shop/openai' } });
  // A provider within the cluster by its name, and around the sidecar by its address.
  const [before, provider] = [await billed(), await addressOf('provider')];
  expect(await curl(...BODY, `http://provider.shop.svc:4010${CHAT}`)).toMatchObject({ status: '200' });
  expect(await curl(...BODY, `http://${provider}:4010${CHAT}`)).toMatchObject({ status: '403', body: expect.stringContaining('by its name') });
  expect((await billed()) - before).toBe(1);
  expect(await curl('http://other.shop.svc/')).toMatchObject({ status: '200' });
  expect((await inPod(['curl', '-sS', '--max-time', '4', 'telnet://other.shop.svc:5432'])).out).toBe('hello, I speak first\n');
  expect(await curl(`http://${NOWHERE}/`)).toMatchObject({ status: '403', body: expect.stringContaining('egress: Enforced') });
  for (const port of [443, 8443]) expect(await curl('-k', `https://${NOWHERE}:${port}/`)).toMatchObject({ status: '000', code: 35 });
  // HTTP/3 is answered at once that nobody takes it, wherever it goes.
  const datagram = `const s = require('node:dgram').createSocket('udp4'); s.on('error', (e) => { console.log(e.code); process.exit(); });
    s.connect(443, '${NOWHERE}', () => { s.send('x'); setTimeout(() => s.send('x', (e) => { if (e) { console.log(e.code); process.exit(); } }), 300); });
    setTimeout(() => process.exit(), 5000)`;
  expect((await inPod(['node', '-e', datagram])).out).toBe('ECONNREFUSED\n');
  // A node without IPv6 gives pods none; where there is any, it is redirected as well.
  const hasIpv6 = (await inPod(['sh', '-c', 'grep -v " lo$" /proc/net/if_inet6 | grep -v ^fe80'])).out !== '';
  if (hasIpv6) expect(await curl('-k', '-6', 'https://[2001:db8:113::10]/')).toMatchObject({ status: '000', code: 35 });
  else expect((await curl('-k', '-6', '--max-time', '3', 'https://[2001:db8:113::10]/')).status).toBe('000');
});
