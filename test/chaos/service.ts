import { createServer } from 'node:net';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureEnvoy } from '../../src/shell/envoy/index.ts';
import { flagged } from '../support/airmesh-process.ts';
import { TestAuthority, writeCertificates } from '../support/certificates.ts';
import { Program } from './parts.ts';

export interface Processor {
  readonly program: Program;
  /** By its certificate. */
  readonly identity: string;
  readonly baseURL: string;
  readonly admin: string;
  readonly stateDir: string;
}

export interface Service {
  readonly controllers: readonly Program[];
  /** Administration of each. */
  readonly admins: readonly string[];
  readonly processors: readonly Processor[];
  readonly provider: Program;
  readonly providerUrl: string;
  stop(): Promise<void>;
}

export interface ServiceOptions {
  readonly store: string;
  readonly controllers: number;
  readonly processors: number;
  /** Resources, with `${url}` where the provider is. */
  readonly resources: (url: string) => string;
}

/** Ports that connections are made from begin here, or higher. Source: ip(7), ip_local_port_range. */
const FIRST_EPHEMERAL = 32_768;
const FIRST_PORT = 10_000;

/** Ports that nobody listens on, and that no connection takes while their listener is down. */
async function lastingPorts(count: number): Promise<number[]> {
  const free = new Set<number>();
  while (free.size < count) {
    const port = FIRST_PORT + Math.floor(Math.random() * (FIRST_EPHEMERAL - FIRST_PORT));
    if (await isFree(port)) free.add(port);
  }
  return [...free];
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const listens = await new Promise<boolean>((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return listens;
}

/** Controllers on one store, processors with a real Envoy each, and one provider: all in processes of their own, with mutual TLS between them. */
export async function startService({ store, controllers, processors, resources }: ServiceOptions): Promise<Service> {
  const folder = mkdtempSync(join(tmpdir(), 'airmesh-chaos-'));
  const [providerPort = 0, ...ports] = await lastingPorts(1 + 2 * (controllers + processors));
  const providerUrl = `http://127.0.0.1:${providerPort}`;
  const resourceFile = join(folder, 'resources.yaml');
  writeFileSync(resourceFile, resources(providerUrl));
  const authority = await TestAuthority.create('chaos');
  const serving = writeCertificates(folder, 'controller', await authority.issue({ dns: ['localhost'], ips: ['127.0.0.1'] }), authority.certificate);
  const addresses = ports.slice(0, controllers).map((port) => `127.0.0.1:${port}`);
  const admins = ports.slice(controllers, 2 * controllers);
  // What one of them has compiled, the others need not.
  const environment = { NODE_COMPILE_CACHE: join(folder, 'compiled') };
  const envoy = await ensureEnvoy({ environment: process.env, onStep: () => undefined });
  const service = {
    provider: new Program('the provider', ['simulate', '--listen', String(providerPort)], environment),
    providerUrl,
    controllers: addresses.map((address, index) => {
      const flags = { listen: address, admin: admins[index], store, 'tls-cert': serving.certificate, 'tls-key': serving.key, 'client-ca': serving.authorities };
      return new Program(`controller ${index}`, ['controller', resourceFile, ...flagged(flags)], environment);
    }),
    admins: admins.map((port) => `http://127.0.0.1:${port}`),
    processors: await Promise.all(
      Array.from({ length: processors }, async (_, index): Promise<Processor> => {
        const [listen, admin] = ports.slice(2 * controllers + 2 * index);
        const stateDir = join(folder, `state-${index}`);
        mkdirSync(stateDir);
        const identity = `spiffe://test/processor/${index}`;
        const issued = await authority.issue({ uris: [identity] });
        const own = writeCertificates(folder, `processor-${index}`, issued, authority.certificate);
        const flags = { listen, admin, state: stateDir, envoy: envoy.path, concurrency: 1, 'log-level': 'warn', ledger: addresses.join(',') };
        const credentials = { 'ledger-ca': own.authorities, 'ledger-cert': own.certificate, 'ledger-key': own.key };
        const program = new Program(`processor ${index}`, ['run', resourceFile, ...flagged({ ...flags, ...credentials })], environment);
        return { program, identity, baseURL: `http://127.0.0.1:${listen}/v1`, admin: `http://127.0.0.1:${admin}`, stateDir };
      }),
    ),
  };
  const programs = [service.provider, ...service.controllers, ...service.processors.map(({ program }) => program)];
  await Promise.all(programs.map((program) => program.revive()));
  return {
    ...service,
    stop: async () => {
      for (const program of programs.toReversed()) await program.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
