import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startRun } from '../../src/main/mesh/run.ts';
import type { Running } from '../../src/main/ports.ts';
import { ensureEnvoy } from '../../src/shell/envoy/index.ts';
import { createLogger } from '../../src/shell/telemetry/index.ts';
import type { SpendReport } from '../../src/shell/spending/index.ts';

export interface TestMesh {
  /** Root of the API for the workload `default`, as an SDK wants it. */
  readonly baseURL: string;
  readonly admin: string;
  readonly stateDir: string;
  readonly resourceFile: string;
  /** Everything that was logged so far. */
  readonly log: () => string;
  baseURLOf(workload: string): string;
  /** Writes other resources; they take effect by themselves. */
  write(resources: string): void;
  spend(): Promise<SpendReport>;
  stop(): Promise<void>;
}

export interface TestMeshOptions {
  readonly resources: string;
  readonly envoyVersion?: string;
  readonly workloads?: readonly string[];
  readonly environment?: NodeJS.ProcessEnv;
  /** To go on with a former mesh's state. */
  readonly stateDir?: string;
}

/** Starts everything with a real Envoy on free ports, in folders that go away with it. */
export async function startTestMesh(options: TestMeshOptions): Promise<TestMesh> {
  const folder = mkdtempSync(join(tmpdir(), 'airmesh-test-'));
  const resourceFile = join(folder, 'resources.yaml');
  writeFileSync(resourceFile, options.resources);
  const environment = { ...process.env, ...options.environment };
  const envoy = await ensureEnvoy({ version: options.envoyVersion, environment, onStep: () => undefined });
  const names = options.workloads ?? [];
  const [listen = 0, admin = 0, ...ports] = await freePorts(2 + names.length);
  const workloads = names.map((name, index) => ({ name, host: '127.0.0.1', port: ports[index] ?? 0 }));
  let log = '';
  const stateDir = options.stateDir ?? join(folder, 'state');
  const mesh: Running = await startRun({
    paths: [resourceFile],
    listen: { host: '127.0.0.1', port: listen },
    admin: { host: '127.0.0.1', port: admin },
    workloads,
    stateDir,
    envoy: { path: envoy.path, concurrency: 1 },
    environment,
    simulate: 'never',
    logger: createLogger({ level: 'debug', format: 'json', colour: false, destination: { write: (text) => void (log += text), flush: () => undefined } }),
  });
  const adminUrl = `http://127.0.0.1:${admin}`;
  return {
    baseURL: `http://127.0.0.1:${listen}/v1`,
    admin: adminUrl,
    stateDir,
    resourceFile,
    log: () => log,
    baseURLOf: (workload) => `http://127.0.0.1:${workloads.find(({ name }) => name === workload)?.port ?? listen}/v1`,
    write: (resources) => writeFileSync(resourceFile, resources),
    spend: async () => (await (await fetch(`${adminUrl}/spend`)).json()) as SpendReport,
    stop: async () => {
      await mesh.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Ports that nobody listens on; all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => {
    const address = server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  });
  await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
  return ports;
}

/** Waits until a condition holds; fails with its name when it does not. */
export async function until(what: string, condition: () => Promise<boolean> | boolean, withinMs = 40_000): Promise<void> {
  const end = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`not within ${withinMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
