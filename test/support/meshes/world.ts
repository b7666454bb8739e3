/** What a mesh's sidecar lives in: providers behind TLS, another service on the same port, and a real Envoy with what `airmesh render` writes. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request } from 'node:http';
import type { IncomingMessage, Server } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createServer as createTlsServer } from 'node:tls';
import type { Server as TlsServer, TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { ensureEnvoy } from '../../../src/shell/envoy/index.ts';
import { startSimulator } from '../../../src/shell/simulator/index.ts';
import type { Simulator } from '../../../src/shell/simulator/index.ts';
import { TestAuthority } from '../certificates.ts';
import { freePorts } from '../mesh.ts';
import { istioSidecar } from './istio-proxy.ts';
import { kumaSidecar } from './kuma-proxy.ts';
import { renderedFor } from './objects.ts';

export const [OPENAI, ANTHROPIC, OTHER] = ['api.openai.com', 'api.anthropic.com', 'other.example.com'] as const;
export const KEYS = { openai: 'sk-proj-0123456789abcdefghij', anthropic: 'sk-ant-0123456789abcdefghij' };

/** Of `shop/checkout`. Keys are in Secrets in a cluster, and in the environment of a process that is by itself. */
export const resources = (key: (provider: string) => string, more = ''): string => `
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
${more}`;

export const inSecrets = (key: string): string => `{secretRef: {name: keys, key: ${key}}}`;
const inEnvironment = (provider: string): string => `{env: MESH_${provider.toUpperCase()}_KEY}`;

export const chat = (model: string, more: Readonly<Record<string, unknown>> = {}): Readonly<Record<string, unknown>> => ({
  model,
  messages: [{ role: 'user', content: 'Hello' }],
  ...more,
});

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

export interface Settled {
  readonly workload: string;
  readonly provider?: string;
  readonly ending?: string;
  readonly estimated?: boolean;
  readonly refused?: string;
}

const SIDECARS = { istio: istioSidecar, kuma: kumaSidecar } as const;

export interface MeshWorldWishes {
  readonly mesh: keyof typeof SIDECARS;
  readonly version: string;
  /** Budgets and what else there is; the port is that of the mesh's own listener. */
  readonly more?: (port: number) => string;
  /** Who serves the processor's socket: a process that `startProcessor` starts, if nobody says otherwise. */
  readonly processor?: 'process' | 'elsewhere';
}

export class MeshWorld {
  readonly folder = mkdtempSync(join(tmpdir(), 'airmesh-sidecar-'));
  /** What the provider's side was called by, in TLS. */
  readonly names: string[] = [];
  /** Headers of the calls that the other service saw. */
  readonly otherSaw: Readonly<Record<string, unknown>>[] = [];
  /** Of the calls that came to a provider in plain HTTP. */
  readonly plainSaw: Readonly<Record<string, unknown>>[] = [];
  /** Its certificates are the public authorities' here. */
  caFile = '';
  simulator!: Simulator;
  processor: ChildProcess | undefined;
  #upstream!: TlsServer;
  #other!: Server;
  #plain!: Server;
  #envoy: ChildProcess | undefined;
  #port = 0;

  static async start(wishes: MeshWorldWishes): Promise<MeshWorld> {
    const world = new MeshWorld();
    try {
      await world.#start(wishes);
    } catch (error) {
      await world.stop();
      throw error;
    }
    return world;
  }

  /** Where the mesh's Envoy takes calls in. */
  get port(): number {
    return this.#port;
  }

  get socket(): string {
    return join(this.folder, 'p.sock');
  }

  /** Where the providers' hosts are, in TLS. */
  get upstream(): AddressInfo {
    return this.#upstream.address() as AddressInfo;
  }

  async #start({ mesh, version, more = () => '', processor = 'process' }: MeshWorldWishes): Promise<void> {
    this.simulator = await startSimulator({ host: '127.0.0.1', port: 0, keys: [KEYS.openai, KEYS.anthropic] });
    await this.#serve();
    const forCluster = join(this.folder, 'cluster.yaml');
    [this.#port = 0] = await freePorts(1);
    writeFileSync(join(this.folder, 'resources.yaml'), resources(inEnvironment, more(this.#port)));
    writeFileSync(forCluster, resources(inSecrets, more(this.#port)));
    const { objects } = await renderedFor(mesh, forCluster);
    const text = JSON.stringify(objects).replaceAll('/run/airmesh/processor.sock', this.socket);
    const place = {
      port: this.#port,
      plainPort: (this.#plain.address() as AddressInfo).port,
      adminSocket: join(this.folder, 'admin.sock'),
      resolve: { host: '127.0.0.1', port: this.upstream.port },
      trustedCaFile: this.caFile,
      other: { host: OTHER, port: (this.#other.address() as AddressInfo).port },
    };
    writeFileSync(join(this.folder, 'envoy.json'), JSON.stringify(SIDECARS[mesh](JSON.parse(text), place)));
    if (processor === 'process') await this.startProcessor();
    await this.#startEnvoy(version);
  }

  async #serve(): Promise<void> {
    const authority = await TestAuthority.create('stand-in for public authorities');
    const leaf = await authority.issue({ dns: [OPENAI, ANTHROPIC] });
    this.caFile = join(this.folder, 'ca.pem');
    writeFileSync(this.caFile, authority.certificate);
    this.#upstream = createTlsServer({ cert: leaf.certificate, key: leaf.key }, (socket: TLSSocket) => {
      this.names.push(String(socket.servername));
      const inner = connect(this.simulator.port, '127.0.0.1');
      socket.pipe(inner).pipe(socket);
      socket.on('error', () => inner.destroy());
      socket.on('close', () => inner.destroy());
      inner.on('error', () => socket.destroy());
    }).listen(0, '127.0.0.1');
    this.#other = createServer((incoming, answer) => {
      this.otherSaw.push(incoming.headers);
      incoming.resume();
      incoming.on('end', () => answer.end('other'));
    }).listen(0, '127.0.0.1');
    this.#plain = createServer((incoming, answer) => {
      const { method, url, headers } = incoming;
      this.plainSaw.push(headers);
      const inner = request({ host: '127.0.0.1', port: this.simulator.port, path: url, method, headers }, (reply) => {
        answer.writeHead(reply.statusCode ?? 0, reply.headers);
        reply.pipe(answer);
      });
      inner.on('error', () => answer.destroy());
      incoming.pipe(inner);
    }).listen(0, '127.0.0.1');
    await Promise.all([this.#upstream, this.#other, this.#plain].map((server) => once(server, 'listening')));
  }

  async startProcessor(): Promise<void> {
    const program = fileURLToPath(new URL('processor.ts', import.meta.url));
    this.processor = spawn(process.execPath, [program, join(this.folder, 'resources.yaml'), 'shop/checkout', this.socket, join(this.folder, 'state')], {
      env: { ...process.env, MESH_OPENAI_KEY: KEYS.openai, MESH_ANTHROPIC_KEY: KEYS.anthropic },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    await once(createInterface({ input: this.processor.stdout ?? process.stdin }), 'line');
  }

  /** Asks the processor to end; what it settled. */
  async stopProcessor(): Promise<readonly Settled[]> {
    const { processor } = this;
    if (processor === undefined) throw new Error('there is no processor');
    let output = '';
    processor.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
    processor.kill('SIGTERM');
    await once(processor, 'exit');
    return JSON.parse(output) as Settled[];
  }

  async #startEnvoy(version: string): Promise<void> {
    const { path } = await ensureEnvoy({ version, environment: process.env, onStep: () => undefined });
    const envoy = spawn(path, ['-c', join(this.folder, 'envoy.json'), '--concurrency', '1', '--log-level', 'info', '--disable-hot-restart'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#envoy = envoy;
    let log = '';
    const lines = createInterface({ input: envoy.stderr });
    await new Promise<void>((resolve, reject) => {
      lines.on('line', (line) => {
        log += `${line}\n`;
        if (line.includes('starting main dispatch loop')) resolve();
      });
      envoy.once('exit', () => reject(new Error(log)));
    });
  }

  call(host: string, path: string, body: unknown, headers: Readonly<Record<string, string>> = {}, method = 'POST'): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          host: '127.0.0.1',
          port: this.#port,
          path,
          method,
          headers: { host, 'content-type': 'application/json', authorization: 'Bearer placeholder', ...headers },
        },
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
  }

  async stop(): Promise<void> {
    this.#envoy?.kill('SIGKILL');
    this.processor?.kill('SIGKILL');
    this.#upstream?.close();
    this.#other?.close();
    this.#plain?.close();
    await this.simulator?.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
