import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureEnvoy } from '../../src/shell/envoy/index.ts';
import { TestAuthority, writeCertificates } from '../support/certificates.ts';
import { freePorts } from '../support/mesh.ts';
import { Program } from './parts.ts';

export interface Processor {
  readonly program: Program;
  readonly baseURL: string;
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

/** Controllers on one store, processors with a real Envoy each, and one provider: all in processes of their own, with mutual TLS between them. */
export async function startService({ store, controllers, processors, resources }: ServiceOptions): Promise<Service> {
  const folder = mkdtempSync(join(tmpdir(), 'airmesh-chaos-'));
  const [providerPort = 0, ...ports] = await freePorts(1 + 2 * (controllers + processors));
  const providerUrl = `http://127.0.0.1:${providerPort}`;
  const resourceFile = join(folder, 'resources.yaml');
  writeFileSync(resourceFile, resources(providerUrl));
  const authority = await TestAuthority.create('chaos');
  const serving = writeCertificates(folder, 'controller', await authority.issue({ dns: ['localhost'], ips: ['127.0.0.1'] }), authority.certificate);
  const addresses = ports.slice(0, controllers).map((port) => `127.0.0.1:${port}`);
  const admins = ports.slice(controllers, 2 * controllers);
  const envoy = await ensureEnvoy({ environment: process.env, onStep: () => undefined });
  const service = {
    provider: new Program('the provider', ['simulate', '--listen', String(providerPort)]),
    providerUrl,
    controllers: addresses.map(
      (address, index) =>
        new Program(`controller ${index}`, [
          'controller',
          resourceFile,
          '--listen',
          address,
          '--admin',
          String(admins[index]),
          '--store',
          store,
          '--tls-cert',
          serving.certificate,
          '--tls-key',
          serving.key,
          '--client-ca',
          serving.authorities,
        ]),
    ),
    admins: admins.map((port) => `http://127.0.0.1:${port}`),
    processors: await Promise.all(
      Array.from({ length: processors }, async (_, index): Promise<Processor> => {
        const [listen, admin] = ports.slice(2 * controllers + 2 * index);
        const stateDir = join(folder, `state-${index}`);
        mkdirSync(stateDir);
        const issued = await authority.issue({ uris: [`spiffe://test/processor/${index}`] });
        const own = writeCertificates(folder, `processor-${index}`, issued, authority.certificate);
        const program = new Program(`processor ${index}`, [
          'run',
          resourceFile,
          '--listen',
          String(listen),
          '--admin',
          String(admin),
          '--state',
          stateDir,
          '--envoy',
          envoy.path,
          '--concurrency',
          '1',
          '--ledger',
          addresses.join(','),
          '--ledger-ca',
          own.authorities,
          '--ledger-cert',
          own.certificate,
          '--ledger-key',
          own.key,
          '--log-level',
          'warn',
        ]);
        return { program, baseURL: `http://127.0.0.1:${listen}/v1`, stateDir };
      }),
    ),
  };
  const programs = [service.provider, ...service.controllers, ...service.processors.map(({ program }) => program)];
  for (const program of programs) await program.revive();
  return {
    ...service,
    stop: async () => {
      for (const program of programs.toReversed()) await program.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
