/** A gateway with a real Envoy: each call is governed by whoever proves to make it, and by nothing that it merely says. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as plainRequest } from 'node:http';
import { request as tlsRequest } from 'node:https';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { KnownWorkload } from '../../src/core/policy/index.ts';
import { err, ok } from '../../src/core/units/index.ts';
import { startGateway } from '../../src/main/gateway/gateway.ts';
import type { RunningMesh } from '../../src/main/mesh/mesh.ts';
import { ensureEnvoy } from '../../src/shell/envoy/index.ts';
import type { CallerReviewer } from '../../src/shell/gateway/index.ts';
import { startSimulator } from '../../src/shell/simulator/index.ts';
import type { Simulator } from '../../src/shell/simulator/index.ts';
import { createLogger } from '../../src/shell/telemetry/index.ts';
import { TestAuthority, writeCertificates } from '../support/certificates.ts';
import type { IssuedCertificate } from '../support/certificates.ts';
import { freePorts } from '../support/mesh.ts';

const KEY = 'hs_0123456789abcdef0123456789abcdef';
const DOMAIN = 'cluster.local';

/** Tokens that this cluster knows; one by whoever it was made for. */
const TOKENS: ReadonlyMap<string, KnownWorkload> = new Map([
  ['e30.checkout.sig', { namespace: 'shop', name: 'checkout', serviceAccount: 'checkout', labels: { tier: 'gold' } }],
  ['e30.search.sig', { namespace: 'shop', name: 'search', serviceAccount: 'search', labels: {} }],
  ['e30.late.sig', { namespace: 'shop', name: 'late', serviceAccount: 'late', labels: { tier: 'gold' } }],
]);

const resources = (url: string): string => `
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: relay, namespace: shop}
spec: {type: OpenAICompatible, baseUrl: "${url}/v1", auth: {apiKey: {env: GATEWAY_KEY}}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: gold, namespace: shop}
spec:
  workloadSelector: {matchLabels: {tier: gold}}
  rules: [{name: all, match: {models: [gpt-4.1]}, backends: [{provider: relay}]}]
---
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: search, namespace: shop}
spec:
  workloads: [search]
  rules: [{name: all, match: {models: [deepseek-v3.2]}, backends: [{provider: relay}]}]
---
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: each, namespace: shop}
spec: {per: [Workload], limit: {requests: 1000}, window: {calendar: Day, timeZone: UTC}}
`;

interface Answer {
  readonly status: number;
  readonly text: string;
}

describe.each(['1.36.4', '1.40.0'])('a gateway with Envoy %s', (version) => {
  let folder = '';
  let simulator: Simulator;
  let running: RunningMesh;
  let authority: TestAuthority;
  let port = 0;
  let adminPort = 0;
  let log = '';
  let isDown = false;
  let reviews = 0;
  /** All that went to the provider. */
  let sent = '';
  let tap: Server;

  const tokens: CallerReviewer = {
    review: async (token) => {
      reviews++;
      await Promise.resolve();
      if (isDown) throw new Error('no answer');
      const workload = TOKENS.get(token);
      return workload === undefined ? err('the API server does not take it') : ok({ workload, validUntil: Date.now() + 600_000 });
    },
  };

  const send = (path: string, body: unknown, headers: Readonly<Record<string, string>>, client?: IssuedCertificate): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port, path, method: 'POST', headers: { 'content-type': 'application/json', ...headers }, agent: false } as const;
      const outgoing = tlsRequest(
        { ...options, ca: authority.certificate, servername: 'gateway.test', ...(client === undefined ? {} : { cert: client.certificate, key: client.key }) },
        (answer) => {
          let text = '';
          answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }));
        },
      );
      outgoing.on('error', reject);
      outgoing.end(JSON.stringify(body));
    });

  const chat = (model = 'gpt-4.1'): unknown => ({ model, messages: [{ role: 'user', content: 'Hello' }] });
  const call = (token: string | undefined, more: Readonly<Record<string, string>> = {}, model?: string): Promise<Answer> =>
    send('/v1/chat/completions', chat(model), { ...(token === undefined ? {} : { authorization: `Bearer ${token}` }), ...more });
  const codeOf = ({ text }: Answer): unknown => (JSON.parse(text) as { error: { code: string } }).error.code;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'airmesh-gateway-'));
    authority = await TestAuthority.create('gateway');
    const own = writeCertificates(folder, 'own', await authority.issue({ dns: ['gateway.test'] }), authority.certificate);
    simulator = await startSimulator({ host: '127.0.0.1', port: 0, keys: [KEY] });
    const file = join(folder, 'resources.yaml');
    tap = createServer((socket) => {
      const inner = connect(simulator.port, '127.0.0.1');
      socket.on('data', (bytes: Buffer) => (sent += bytes.toString('latin1')));
      socket.pipe(inner).pipe(socket);
      socket.on('error', () => inner.destroy());
      inner.on('error', () => socket.destroy());
    }).listen(0, '127.0.0.1');
    await once(tap, 'listening');
    writeFileSync(file, resources(`http://127.0.0.1:${(tap.address() as AddressInfo).port}`));
    [port = 0, adminPort = 0] = await freePorts(2);
    const envoy = await ensureEnvoy({ version, environment: process.env, onStep: () => undefined });
    running = await startGateway({
      paths: [file],
      listen: { host: '127.0.0.1', port },
      tls: { certificateFile: own.certificate, keyFile: own.key, clientAuthoritiesFile: own.authorities },
      trustDomains: [DOMAIN],
      tokens,
      admin: { host: '127.0.0.1', port: adminPort },
      stateDir: join(folder, 'state'),
      envoy: { path: envoy.path, concurrency: 1 },
      environment: { ...process.env, GATEWAY_KEY: KEY },
      simulate: 'never',
      logger: createLogger({ level: 'debug', format: 'json', colour: false, destination: { write: (text) => void (log += text), flush: () => undefined } }),
    });
  });

  afterAll(async () => {
    await running.stop();
    tap.close();
    await simulator.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('takes a service account’s token as the API key, wherever an SDK puts it', async () => {
    expect((await call('e30.checkout.sig')).status).toBe(200);
    for (const header of ['x-api-key', 'x-goog-api-key', 'api-key']) expect((await call(undefined, { [header]: 'e30.checkout.sig' })).status).toBe(200);
    expect((await send('/v1beta/models/gpt-4.1:generateContent?key=e30.checkout.sig', { contents: [{ parts: [{ text: 'Hi' }] }] }, {})).status).toBe(200);
    // What goes to the provider, byte by byte: its key, and no token.
    expect(sent).toContain(KEY);
    expect(sent).not.toContain('e30.');
    // And nothing by which it could tell where calls come by.
    expect(sent).not.toMatch(/\r\nx-/i);
  });

  it.each([
    ['nothing', undefined, {}],
    ['another key', 'sk-proj-0123456789abcdefghij', {}],
    ['another workload’s name', undefined, { 'x-airmesh-workload': 'shop/checkout' }],
    ['the header by which proxies pass on certificates', undefined, { 'x-forwarded-client-cert': `URI=spiffe://${DOMAIN}/ns/shop/sa/checkout` }],
  ])('refuses who shows %s', async (_name, token, headers) => {
    const answer = await call(token, headers);
    expect(answer.status).toBe(401);
    expect(codeOf(answer)).toBe('unauthenticated');
  });

  it('refuses in the caller’s dialect', async () => {
    const answer = await send('/v1/messages', { ...(chat() as object), max_tokens: 10 }, { 'anthropic-version': '2023-06-01' });
    expect(answer.status).toBe(401);
    expect(JSON.parse(answer.text)).toMatchObject({ type: 'error', error: { type: 'authentication_error' } });
  });

  it('governs each call by its caller, whatever it says besides', async () => {
    expect((await call('e30.search.sig', {}, 'deepseek-v3.2')).status).toBe(200);
    const elsewhere = await call('e30.search.sig', { 'x-airmesh-workload': 'shop/checkout', 'x-airmesh-backend': 'shop/relay' });
    expect(elsewhere.status).toBe(403);
    expect(elsewhere.text).toContain('shop/search may not call');
  });

  it('takes a certificate of the mesh instead, which names a service account', async () => {
    const certificate = await authority.issue({ uris: [`spiffe://${DOMAIN}/ns/shop/sa/search`] });
    expect((await send('/v1/chat/completions', chat('deepseek-v3.2'), {}, certificate)).status).toBe(200);
    // It counts before a token.
    expect((await send('/v1/chat/completions', chat('gpt-4.1'), { authorization: 'Bearer e30.checkout.sig' }, certificate)).status).toBe(403);
  });

  it('believes no certificate of another trust domain, and lets in none of another authority', async () => {
    const foreign = await authority.issue({ uris: ['spiffe://elsewhere/ns/shop/sa/search'] });
    expect((await send('/v1/chat/completions', chat('deepseek-v3.2'), {}, foreign)).status).toBe(401);
    const other = await (await TestAuthority.create('other')).issue({ uris: [`spiffe://${DOMAIN}/ns/shop/sa/search`] });
    await expect(send('/v1/chat/completions', chat('deepseek-v3.2'), {}, other)).rejects.toThrow();
  });

  it('goes on for those whom it knows while nobody can tell, and for no others', async () => {
    isDown = true;
    expect((await call('e30.checkout.sig')).status).toBe(200);
    const stranger = await call('e30.late.sig');
    expect([stranger.status, codeOf(stranger)]).toEqual([503, 'processor_unavailable']);
    isDown = false;
    expect((await call('e30.late.sig')).status).toBe(200);
  });

  it('meets many new callers at once', async () => {
    const before = reviews;
    const answers = await Promise.all(Array.from({ length: 20 }, (_, index) => call(index % 2 === 0 ? 'e30.late.sig' : 'e30.checkout.sig')));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(reviews - before).toBe(20);
  });

  it('keeps each workload’s own account, and shows no token', async () => {
    const text = await new Promise<string>((resolve, reject) => {
      plainRequest({ host: '127.0.0.1', port: adminPort, path: '/spend' }, (answer) => {
        let body = '';
        answer.on('data', (chunk: Buffer) => (body += chunk.toString()));
        answer.on('end', () => resolve(body));
      })
        .on('error', reject)
        .end();
    });
    const spend = JSON.parse(text) as unknown;
    expect(JSON.stringify(spend)).toContain('shop/late');
    expect(JSON.stringify(spend)).toContain('shop/search');
    for (const shown of [text, log]) expect(shown).not.toMatch(/e30\.|hs_0123/);
  });
});
