/** What `airmesh render istio` writes, on a real Envoy shaped like Istio's sidecar, with the processor in a process of its own. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createServer as createTlsServer } from 'node:tls';
import type { Server as TlsServer, TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ensureEnvoy } from '../../../src/shell/envoy/index.ts';
import { startSimulator } from '../../../src/shell/simulator/index.ts';
import type { Simulator } from '../../../src/shell/simulator/index.ts';
import { TestAuthority } from '../../support/certificates.ts';
import { freePorts } from '../../support/mesh.ts';
import { istioSidecar } from '../../support/meshes/istio-proxy.ts';
import { kumaSidecar } from '../../support/meshes/kuma-proxy.ts';
import { renderedFor } from '../../support/meshes/objects.ts';

const [OPENAI, ANTHROPIC, OTHER] = ['api.openai.com', 'api.anthropic.com', 'other.example.com'];
const KEYS = { openai: 'sk-proj-0123456789abcdefghij', anthropic: 'sk-ant-0123456789abcdefghij' };

/** Keys are in Secrets in a cluster, and in the environment of a process that is by itself. */
const resources = (key: (provider: string) => string): string => `
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: openai, namespace: shop}
spec: {type: OpenAI, auth: {apiKey: ${key('openai')}}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: anthropic, namespace: shop}
spec: {type: Anthropic, auth: {apiKey: ${key('anthropic')}}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: checkout, namespace: shop}
spec:
  workloads: [checkout]
  rules:
  - {name: fast, match: {models: [gpt-4.1]}, backends: [{provider: openai}]}
  - {name: careful, match: {models: [claude-sonnet-4.5]}, backends: [{provider: anthropic}]}
`;

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

const SIDECARS = { istio: istioSidecar, kuma: kumaSidecar } as const;

describe.each([
  ['istio', '1.36.4'],
  ['istio', '1.40.0'],
  ['kuma', '1.36.4'],
  ['kuma', '1.40.0'],
] as const)('a sidecar of %s with Envoy %s', (mesh, version) => {
  let folder = '';
  /** What the provider's side was called by, in TLS. */
  const names: string[] = [];
  let simulator: Simulator;
  let upstream: TlsServer;
  let other: Server;
  let envoy: ChildProcess;
  let processor: ChildProcess;
  let port = 0;
  let envoyLog = '';
  const otherSaw: Readonly<Record<string, unknown>>[] = [];

  const startProcessor = async (file: string): Promise<ChildProcess> => {
    const child = spawn(
      process.execPath,
      [fileURLToPath(new URL('../../support/meshes/processor.ts', import.meta.url)), file, 'shop/checkout', join(folder, 'p.sock'), join(folder, 'state')],
      {
        env: { ...process.env, MESH_OPENAI_KEY: KEYS.openai, MESH_ANTHROPIC_KEY: KEYS.anthropic },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    await once(createInterface({ input: child.stdout ?? process.stdin }), 'line');
    return child;
  };

  const call = (host: string, path: string, body: unknown, headers: Readonly<Record<string, string>> = {}, method = 'POST'): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const sent = request(
        { host: '127.0.0.1', port, path, method, headers: { host, 'content-type': 'application/json', authorization: 'Bearer placeholder', ...headers } },
        (answer) => {
          let text = '';
          answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text }));
          answer.on('error', reject);
        },
      );
      sent.on('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });

  const chat = (model: string, more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> => ({
    model,
    messages: [{ role: 'user', content: 'Hello' }],
    ...more,
  });

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'airmesh-sidecar-'));
    simulator = await startSimulator({ host: '127.0.0.1', port: 0, keys: [KEYS.openai, KEYS.anthropic] });
    const authority = await TestAuthority.create('stand-in for public authorities');
    const leaf = await authority.issue({ dns: [OPENAI, ANTHROPIC] });
    const caFile = join(folder, 'ca.pem');
    writeFileSync(caFile, authority.certificate);
    upstream = createTlsServer({ cert: leaf.certificate, key: leaf.key }, (socket: TLSSocket) => {
      names.push(String(socket.servername));
      const inner = connect(simulator.port, '127.0.0.1');
      socket.pipe(inner).pipe(socket);
      socket.on('error', () => inner.destroy());
      inner.on('error', () => socket.destroy());
    }).listen(0, '127.0.0.1');
    other = createServer((incoming, answer) => {
      otherSaw.push(incoming.headers);
      incoming.resume();
      incoming.on('end', () => answer.end('other'));
    }).listen(0, '127.0.0.1');
    await Promise.all([once(upstream, 'listening'), once(other, 'listening')]);
    const [file, forCluster] = [join(folder, 'resources.yaml'), join(folder, 'cluster.yaml')];
    writeFileSync(
      file,
      resources((provider) => `{env: MESH_${provider.toUpperCase()}_KEY}`),
    );
    writeFileSync(
      forCluster,
      resources((key) => `{secretRef: {name: keys, key: ${key}}}`),
    );
    const { objects } = await renderedFor(mesh, forCluster);
    const text = JSON.stringify(objects).replaceAll('/run/airmesh/processor.sock', join(folder, 'p.sock'));
    [port = 0] = await freePorts(1);
    const place = {
      port,
      adminSocket: join(folder, 'admin.sock'),
      resolve: { host: '127.0.0.1', port: (upstream.address() as AddressInfo).port },
      trustedCaFile: caFile,
      other: { host: OTHER, port: (other.address() as AddressInfo).port },
    };
    writeFileSync(join(folder, 'envoy.json'), JSON.stringify(SIDECARS[mesh](JSON.parse(text), place)));
    processor = await startProcessor(file);
    const { path } = await ensureEnvoy({ version, environment: process.env, onStep: () => undefined });
    envoy = spawn(path, ['-c', join(folder, 'envoy.json'), '--concurrency', '1', '--log-level', 'info', '--disable-hot-restart'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const lines = createInterface({ input: envoy.stderr ?? process.stdin });
    await new Promise<void>((resolve, reject) => {
      lines.on('line', (line) => {
        envoyLog += `${line}\n`;
        if (line.includes('starting main dispatch loop')) resolve();
      });
      envoy.once('exit', () => reject(new Error(envoyLog)));
    });
  });

  afterAll(async () => {
    envoy.kill('SIGKILL');
    processor.kill('SIGKILL');
    upstream.close();
    other.close();
    await simulator.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('governs a provider’s host: the key is the processor’s, TLS is to the provider by its name', async () => {
    const answer = await call(OPENAI, '/v1/chat/completions', chat('gpt-4.1'));
    expect(answer.status, answer.text).toBe(200);
    expect(answer.text).toContain('"usage"');
    expect(names.at(-1)).toBe(OPENAI);
    // The simulated provider takes no key but the true one.
    expect(answer.headers['x-airmesh-request-id']).toMatch(/^call-/);
  });

  it('streams', async () => {
    const answer = await call(OPENAI, '/v1/chat/completions', chat('gpt-4.1', { stream: true }));
    expect(answer.status).toBe(200);
    expect(answer.text.trimEnd()).toMatch(/data: \[DONE\]$/);
  });

  it('goes where the processor says, with that provider’s key, whatever host was called', async () => {
    const answer = await call(OPENAI, '/v1/chat/completions', chat('claude-sonnet-4.5'));
    expect(answer.status, answer.text).toBe(200);
    expect(names.at(-1)).toBe(ANTHROPIC);
    const direct = await call(ANTHROPIC, '/v1/messages', { ...chat('claude-sonnet-4.5'), max_tokens: 20 });
    expect(direct.status, direct.text).toBe(200);
    expect(JSON.parse(direct.text)).toMatchObject({ type: 'message' });
  });

  it('takes bodies of megabytes, and requests without any', async () => {
    const long = await call(OPENAI, '/v1/chat/completions', chat('gpt-4.1', { user: 'lorem '.repeat(250_000) }));
    expect(long.status, long.text.slice(0, 300)).toBe(200);
    const models = await call(OPENAI, '/v1/models', undefined, {}, 'GET');
    expect(models.status).toBe(200);
    expect(models.text).toContain('gpt-4.1');
  });

  it('refuses in the caller’s dialect', async () => {
    const refused = await call(OPENAI, '/v1/chat/completions', chat('gpt-unknown'));
    expect(refused.status).toBe(404);
    expect(JSON.parse(refused.text)).toMatchObject({ error: { code: 'model_not_found' } });
  });

  it.each([
    ['a provider', { 'x-airmesh-backend': 'shop/openai' }],
    ['another workload', { 'x-airmesh-workload': 'shop/admin', 'x-airmesh-backend': 'shop/anthropic' }],
  ])('lets nobody choose %s by a header', async (_name, headers) => {
    const before = names.length;
    const answer = await call(OPENAI, '/v1/files/x/unknown', undefined, { ...headers, authorization: 'Bearer own-key' }, 'GET');
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(names.length).toBe(before);
    const governed = await call(OPENAI, '/v1/chat/completions', chat('gpt-4.1'), headers);
    expect(governed.status).toBe(200);
    expect(governed.headers['x-airmesh-request-id']).toBeDefined();
  });

  it('leaves other hosts on the port untouched, down to their headers', async () => {
    const seen = otherSaw.length;
    const answer = await call(OTHER, '/v1/chat/completions', chat('gpt-4.1'), { 'x-airmesh-backend': 'kept', 'x-envoy-max-retries': '0' });
    expect([answer.status, answer.text]).toEqual([200, 'other']);
    expect(otherSaw.length).toBe(seen + 1);
    expect(otherSaw.at(-1)).toMatchObject({ authorization: 'Bearer placeholder', 'x-airmesh-backend': 'kept' });
    expect(answer.headers['x-airmesh-request-id']).toBeUndefined();
  });

  it('fails closed for providers and open for the rest when the processor is gone, and all is settled', async () => {
    let output = '';
    processor.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    processor.kill('SIGTERM');
    await once(processor, 'exit');
    const settled = JSON.parse(output) as { workload: string; provider?: string; ending?: string; refused?: string }[];
    expect(settled.length).toBeGreaterThan(6);
    expect(new Set(settled.map(({ workload }) => workload))).toEqual(new Set(['shop/checkout']));
    expect(settled.filter(({ ending }) => ending !== undefined).every(({ ending }) => ending === 'finished')).toBe(true);
    const before = names.length;
    for (const headers of [{}, { 'x-airmesh-backend': 'shop/openai' }])
      expect((await call(OPENAI, '/v1/chat/completions', chat('gpt-4.1'), headers)).status).toBe(503);
    expect(names.length).toBe(before);
    expect((await call(OTHER, '/', undefined, {}, 'GET')).text).toBe('other');
    processor = await startProcessor(join(folder, 'resources.yaml'));
    expect((await call(OPENAI, '/v1/chat/completions', chat('gpt-4.1'))).status).toBe(200);
  });
});
