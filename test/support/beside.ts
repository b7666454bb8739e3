/** One pod for tests: what its controller publishes, what the kubelet mounts, and the sidecar in it. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { SidecarState } from '../../src/core/control/index.ts';
import { compile, parseResource } from '../../src/core/policy/index.ts';
import { startSidecar } from '../../src/main/sidecar/sidecar.ts';
import type { SidecarOptions } from '../../src/main/sidecar/sidecar.ts';
import type { TestController } from '../../src/shell/distribution/service.test-support.ts';
import { ensureEnvoy } from '../../src/shell/envoy/index.ts';
import { knownModels } from '../../src/shell/prices/index.ts';
import { createLogger } from '../../src/shell/telemetry/index.ts';
import type { Pod } from '../../src/shell/wire/index.ts';
import { readCertificates } from '../../src/shell/trust/index.ts';
import { freePorts } from './mesh.ts';

const known = knownModels();
let versions = 0;

/** What a controller would make of these resources for a workload, with these keys by provider. */
export function stateFrom(resources: string, workload: string, keys: Readonly<Record<string, string>> = {}): SidecarState {
  const [namespace = '', name = ''] = workload.split('/');
  const parsed = parseAllDocuments(resources).map((document) => parseResource(document.toJS()));
  const good = parsed.flatMap((resource) => (resource.ok ? [resource.value] : []));
  if (good.length !== parsed.length) throw new Error(JSON.stringify(parsed.filter(({ ok }) => !ok)));
  const compiled = compile(good, [{ namespace, name }], { own: [], known, simulatedUrl: undefined, readCertificates });
  const snapshot = compiled.snapshots.get(workload);
  if (snapshot === undefined) throw new Error('no snapshot');
  versions += 1;
  const material = Object.entries(keys).map(([ref, value]) => [ref, { type: 'OpenAICompatible', value }] as const);
  return { version: `version-${versions}`, snapshot, keys: new Map(material) };
}

export interface TestPod {
  readonly pod: Pod;
  readonly baseURL: string;
  readonly admin: string;
  readonly stateDir: string;
  readonly tokenPath: string;
  readonly log: () => string;
  /** As a kubelet does when the container has ended; what is mounted stays. */
  start(): Promise<void>;
  stop(): Promise<void>;
  /** The pod goes, with what it had mounted. */
  remove(): Promise<void>;
}

/** Memory where the machine has it at the usual place. */
const MEMORY = '/dev/shm';

/** A pod that is not started yet, with an Envoy of its own, or where `serve` says so, for another's. */
export async function podOf(controller: TestController, workload: string, changes: Partial<SidecarOptions> = {}): Promise<TestPod> {
  const pod = controller.cluster.addPod(workload);
  const stateDir = mkdtempSync(join(MEMORY, 'airmesh-state-'));
  const [listen = 0, admin = 0] = await freePorts(2);
  const envoy = await ensureEnvoy({ environment: process.env, onStep: () => undefined });
  const { path: tokenPath } = controller.accessFor(pod);
  let log = '';
  let running: { stop(): Promise<void> } | undefined;
  const stop = async (): Promise<void> => {
    await running?.stop();
    running = undefined;
  };
  const start = async (): Promise<void> => {
    running = await startSidecar({
      controllers: [controller.address],
      controllerRoots: controller.authority.certificate,
      tokenPath,
      stateDir,
      allowDisk: false,
      admin: { host: '127.0.0.1', port: admin },
      proxy: { envoy: { path: envoy.path, concurrency: 1 }, listen: { host: '127.0.0.1', port: listen } },
      environment: process.env,
      logger: createLogger({ level: 'debug', format: 'json', colour: false, destination: { write: (text) => void (log += text), flush: () => undefined } }),
      ...changes,
    });
  };
  return {
    pod,
    baseURL: `http://127.0.0.1:${listen}/v1`,
    admin: `http://127.0.0.1:${admin}`,
    stateDir,
    tokenPath,
    log: () => log,
    start,
    stop,
    remove: async () => {
      await stop();
      rmSync(stateDir, { recursive: true, force: true });
    },
  };
}

/** A folder that is on no memory; where all of a machine is, there is none. */
export const diskFolder = (): string => mkdtempSync(join(tmpdir(), 'airmesh-disk-'));
