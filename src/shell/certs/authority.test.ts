import { execFileSync } from 'node:child_process';
import { X509Certificate, createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Authority } from './authority.ts';
import { DAY_MS, START, SetClock, certificatesOf, issue, openAuthority, opensslVerify } from './certs.test-support.ts';
import { MemoryAuthorityStore } from './memory-store.ts';
import { Root } from './root.ts';
import { StoreUnreachable } from './store.ts';
import { AUTHORITIES, SKEW_MS } from './terms.ts';

const OPENAI = 'api.openai.com';

describe('a leaf', () => {
  it('is verified by Node and by OpenSSL, with the present root', async () => {
    const authority = await openAuthority(new SetClock());
    const leaf = await issue(authority, { dns: [OPENAI] });
    const parsed = new X509Certificate(leaf.certificate);
    const [present = '', next = ''] = certificatesOf(authority.bundle());
    expect(parsed.verify(new X509Certificate(present).publicKey)).toBe(true);
    expect(parsed.verify(new X509Certificate(next).publicKey)).toBe(false);
    expect(parsed.checkIssued(new X509Certificate(present))).toBe(true);
    expect(parsed.checkPrivateKey(createPrivateKey(leaf.key))).toBe(true);
    expect(parsed.checkHost(OPENAI)).toBe(OPENAI);
    expect(parsed.ca).toBe(false);
    expect(opensslVerify(authority.bundle(), leaf.certificate, START, '-verify_hostname', OPENAI)).toBe('OK');
    expect(opensslVerify(authority.bundle(), leaf.certificate, START, '-verify_hostname', 'api.anthropic.com')).toContain('hostname mismatch');
    expect(opensslVerify(next, leaf.certificate, START)).toContain('unable to get local issuer');
  });

  it('is valid from five minutes ago to its end', async () => {
    const authority = await openAuthority(new SetClock());
    const leaf = await issue(authority, { dns: [OPENAI], lifetimeMs: DAY_MS });
    expect(leaf.notAfter).toBe(START + DAY_MS - 500);
    const verdicts = [START - SKEW_MS, START - SKEW_MS - 2000, leaf.notAfter - 1000, leaf.notAfter].map((at) =>
      opensslVerify(authority.bundle(), leaf.certificate, at),
    );
    expect(verdicts).toEqual(['OK', expect.stringContaining('not yet valid'), 'OK', expect.stringContaining('expired')]);
  });

  it('has keys and a serial number of its own, and says no more than it must', async () => {
    const authority = await openAuthority(new SetClock());
    const leaves = await Promise.all(Array.from({ length: 20 }, () => issue(authority, { dns: [OPENAI] })));
    const parsed = leaves.map(({ certificate }) => new X509Certificate(certificate));
    expect(new Set(parsed.map(({ serialNumber }) => serialNumber)).size).toBe(20);
    expect(new Set(leaves.map(({ key }) => key)).size).toBe(20);
    expect(parsed.every(({ serialNumber }) => /^[4-7][0-9A-F]{31}$/.test(serialNumber))).toBe(true);
    expect(parsed[0]?.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
    // serverAuth alone.
    expect(parsed[0]?.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(parsed[0]?.subjectAltName).toBe(`DNS:${OPENAI}`);
  });

  it('holds names, addresses and URIs, and serves as a client where that is wished', async () => {
    const authority = await openAuthority(new SetClock(), AUTHORITIES.controlPlane('mesh'));
    const wishes = { dns: ['airmesh.mesh.svc'], ips: ['127.0.0.1', '::1'], uris: ['spiffe://cluster.local/ns/mesh/sa/airmesh'] };
    const leaf = new X509Certificate((await issue(authority, { ...wishes, isClient: true })).certificate);
    expect(leaf.subjectAltName).toBe('DNS:airmesh.mesh.svc, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, URI:spiffe://cluster.local/ns/mesh/sa/airmesh');
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
  });

  it('is taken by a TLS client that trusts the bundle and nothing else', async () => {
    const clock = new SetClock();
    clock.now = Date.now();
    const authority = await openAuthority(clock);
    const { certificate, key } = await issue(authority, { dns: [OPENAI] });
    const server = createServer({ cert: certificate, key }, (socket) => socket.end()).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const client = connect({ host: '127.0.0.1', port, servername: OPENAI, ca: authority.bundle() });
    await once(client, 'secureConnect');
    expect(client.authorized).toBe(true);
    client.destroy();
    server.close();
  });

  it.each([
    ['no name', {}, 'no name is given'],
    ['a name in capitals', { dns: ['API.openai.com'] }, 'no DNS name in lower case'],
    ['a name with a line break', { dns: ['a\n.com'] }, 'no DNS name'],
    ['an address as a name', { dns: ['10.0.0.1'] }, 'no DNS name'],
    ['a name as an address', { ips: [OPENAI] }, 'no IP address'],
    ['what is no URI', { uris: ['spiffe'] }, 'no URI'],
    ['an address, of the interception authority', { ips: ['10.0.0.1'] }, 'certifies no addresses'],
  ])('is refused for %s', async (_name, wishes, reason) => {
    const issued = await (await openAuthority(new SetClock())).issue({ ...wishes, lifetimeMs: DAY_MS });
    expect(issued.ok ? '' : issued.error.reason).toContain(reason);
  });

  it('is refused for a name outside the control plane', async () => {
    const authority = await openAuthority(new SetClock(), AUTHORITIES.controlPlane('mesh'));
    for (const dns of [OPENAI, 'airmesh.other.svc', 'xmesh.svc'])
      expect(await authority.issue({ dns: [dns], lifetimeMs: DAY_MS })).toMatchObject({ ok: false });
    expect(await authority.issue({ dns: ['mesh.svc'], lifetimeMs: DAY_MS })).toMatchObject({ ok: true });
  });

  it('of longer life than the terms allow is a mistake of the program', async () => {
    const authority = await openAuthority(new SetClock());
    await expect(authority.issue({ dns: [OPENAI], lifetimeMs: 15 * DAY_MS })).rejects.toThrow(RangeError);
  });
});

describe('a root', () => {
  const forge = async (terms: ReturnType<typeof AUTHORITIES.interception>, dns: string[], ips: string[]): Promise<string> => {
    const root = await Root.make(terms, START, { signsFrom: START, signsUntil: START + DAY_MS });
    const leaf = await root.issue({ dns, ips, uris: [], notBefore: START, notAfter: START + DAY_MS, isClient: false });
    return opensslVerify(root.certificate, leaf.certificate, START + 2000);
  };

  it('is of no use for names outside its constraints to who steals its key', async () => {
    expect(await forge(AUTHORITIES.controlPlane('mesh'), ['airmesh.mesh.svc'], [])).toBe('OK');
    expect(await forge(AUTHORITIES.controlPlane('mesh'), [OPENAI], [])).toContain('permitted subtree violation');
    expect(await forge(AUTHORITIES.interception(), [OPENAI], [])).toBe('OK');
    expect(await forge(AUTHORITIES.interception(), [], ['10.0.0.1'])).toContain('excluded subtree violation');
    expect(await forge(AUTHORITIES.interception(), [], ['fd00::1'])).toContain('excluded subtree violation');
  });

  it('signs certificates and nothing else, and no other authority', async () => {
    const authority = await openAuthority(new SetClock());
    const [present = ''] = certificatesOf(authority.bundle());
    const parsed = new X509Certificate(present);
    expect(parsed.ca).toBe(true);
    expect(parsed.subject).toMatch(/^O=Airmesh\nCN=Airmesh interception [0-9a-f]{8}$/);
    const text = x509Text(present);
    expect(text).toMatch(/Basic Constraints: critical\s+CA:TRUE, pathlen:0/);
    expect(text).toMatch(/Key Usage: critical\s+Certificate Sign, CRL Sign/);
    expect(text).toMatch(/Name Constraints: critical/);
  });

  it('of one authority is not trusted by who trusts the other', async () => {
    const [one, other] = [await openAuthority(new SetClock()), await openAuthority(new SetClock(), AUTHORITIES.controlPlane('mesh'))];
    const leaf = await issue(one, { dns: ['x.mesh.svc'] });
    expect(opensslVerify(one.bundle(), leaf.certificate, START)).toBe('OK');
    expect(opensslVerify(other.bundle(), leaf.certificate, START)).toContain('unable to get local issuer');
  });
});

describe('an authority', () => {
  it('shows no key to whatever prints it', async () => {
    const store = new MemoryAuthorityStore();
    const authority = await openAuthority(new SetClock(), AUTHORITIES.interception(), store);
    const leaf = await issue(authority, { dns: [OPENAI] });
    const kept = JSON.parse((await store.read())?.text ?? '') as { readonly roots: readonly { readonly key: string }[] };
    const secrets = [leaf.key, ...kept.roots.map(({ key }) => key)].flatMap((pem) => pem.match(/^[A-Za-z0-9+/=]{20,}$/gm) ?? []);
    expect(secrets).toHaveLength(9);
    for (const shown of [authority, leaf].flatMap((it) => [
      JSON.stringify(it),
      inspect(it, { depth: 10, showHidden: true }),
      JSON.stringify({ ...it }),
      String(it),
    ]))
      expect(secrets.filter((secret) => shown.includes(secret))).toEqual([]);
    expect(leaf.key).toContain('PRIVATE KEY');
  });

  it('is the same one after a restart, and for all who share its store', async () => {
    const [clock, store, terms] = [new SetClock(), new MemoryAuthorityStore(), AUTHORITIES.interception()];
    const authorities = await Promise.all(Array.from({ length: 5 }, () => openAuthority(clock, terms, store)));
    const bundles = new Set(authorities.map((authority) => authority.bundle()));
    expect(bundles.size).toBe(1);
    expect(certificatesOf([...bundles][0] ?? '')).toHaveLength(2);
    for (const authority of authorities) {
      const leaf = await issue(authority, { dns: [OPENAI] });
      expect(opensslVerify(authorities[0]?.bundle() ?? '', leaf.certificate, START)).toBe('OK');
    }
  });

  it('is put back when its store loses it, and is not made anew', async () => {
    const clock = new SetClock();
    const kept = new MemoryAuthorityStore();
    let isLost = false;
    const store = { place: 'memory', read: async () => (isLost ? undefined : kept.read()), replace: kept.replace.bind(kept) };
    const authority = await openAuthority(clock, AUTHORITIES.interception(), store);
    const before = authority.bundle();
    const written: string[] = [];
    isLost = true;
    store.replace = (_expected, text) => {
      written.push(text);
      return Promise.resolve(true);
    };
    expect(await authority.tend()).toEqual({ ok: true, value: { isBundleNew: false } });
    expect(authority.bundle()).toBe(before);
    for (const certificate of certificatesOf(before)) expect(written[0]).toContain(JSON.stringify(certificate).slice(1, -1));
  });

  it('goes on while its store does not answer', async () => {
    const [clock, kept] = [new SetClock(), new MemoryAuthorityStore()];
    let isDown = false;
    const store = {
      place: 'Secret mesh/authority',
      read: () => (isDown ? Promise.reject(new StoreUnreachable('no answer')) : kept.read()),
      replace: kept.replace.bind(kept),
    };
    const authority = await openAuthority(clock, AUTHORITIES.interception(), store);
    isDown = true;
    clock.now += 200 * DAY_MS;
    expect(await authority.tend()).toEqual({ ok: false, error: { where: 'Secret mesh/authority', reason: 'no answer' } });
    const leaf = await issue(authority, { dns: [OPENAI] });
    expect(opensslVerify(authority.bundle(), leaf.certificate, clock.now)).toBe('OK');
    expect(await Authority.open({ store, terms: AUTHORITIES.interception(), now: clock.read })).toMatchObject({ ok: false });
  });

  it('makes nothing when the clock is behind its roots', async () => {
    const [clock, store, terms] = [new SetClock(), new MemoryAuthorityStore(), AUTHORITIES.interception()];
    const authority = await openAuthority(clock, terms, store);
    clock.now = 0;
    const tended = await authority.tend();
    expect(tended.ok ? '' : tended.error.reason).toContain('1970-01-01');
    clock.now = START - SKEW_MS + 1000;
    expect(await authority.tend()).toMatchObject({ ok: true });
  });
});

function x509Text(pem: string): string {
  return execFileSync('openssl', ['x509', '-noout', '-text'], { input: pem, encoding: 'utf8' });
}
