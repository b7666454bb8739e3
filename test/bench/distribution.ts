/**
 * How fast a changed route reaches all sidecars, how fast they come back all at once, and what memory a controller takes for
 * them: `node test/bench/distribution.ts [SIDECARS] [WORKLOADS]`. Real streams, TLS and tokens; the sidecars are in two
 * processes of their own and acknowledge each state by its version, as a machine has not the cores to unpack a thousand. Who the API server would say
 * that a token is, is known here without asking. One of 300 routes selects all workloads, and that one changes.
 */
import { fork } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SidecarState } from '../../src/core/control/index.ts';
import { compile, parseResource } from '../../src/core/policy/index.ts';
import type { Resource } from '../../src/core/policy/index.ts';
import { encodeReport } from '../../src/shell/distribution/codec/report.ts';
import { schema } from '../../src/shell/distribution/codec/schema.ts';
import { Distributor } from '../../src/shell/distribution/index.ts';
import type { DistributionEvent, SidecarReport } from '../../src/shell/distribution/index.ts';
import { POLICY_METHODS } from '../../src/shell/distribution/methods.ts';
import { knownModels } from '../../src/shell/prices/index.ts';
import { CertificateFiles, Dialer, Roots, TokenFile, WireServer, byToken } from '../../src/shell/wire/index.ts';
import { TestAuthority, writeCertificates } from '../support/certificates.ts';
import { TestCluster, writeToken } from '../support/tokens.ts';

const ROUTES = 300;
const PROVIDERS = 5;
const ROUNDS = 10;
const PROCESSES = 2;
const ROOT = 'airmesh-system';

const clock = { epochMs: () => Date.now(), monotonicMs: () => performance.now() };
const known = knownModels();
const toSidecar = schema('ToSidecar');
const route = (namespace: string, name: string, workloads: readonly string[], maxOutputTokens: number): object => ({
  kind: 'AIRoute',
  metadata: { name, namespace },
  spec: { workloads, rules: [{ match: { models: ['gpt-4.1', `${name}-*`] }, backends: [{ provider: `${ROOT}/p0` }], transform: { maxOutputTokens } }] },
});

/** All that there is to say, with one route that is for everybody; `round` changes that one. */
function resourcesOf(round: number): Resource[] {
  const providers = Array.from({ length: PROVIDERS }, (_, index) => ({
    kind: 'AIProvider',
    metadata: { name: `p${index}`, namespace: ROOT },
    spec: { type: 'OpenAI', auth: { apiKey: { secretRef: { name: 'k', key: 'k' } } }, allowedRoutes: { namespaces: { from: 'All' } } },
  }));
  const routes = Array.from({ length: ROUTES - 1 }, (_, index) => route(`team-${index % 30}`, `r${index}`, ['*'], 100));
  return [...providers, ...routes, route(ROOT, 'everyone', ['*'], 1_000 + round)].map((document) => {
    const parsed = parseResource({ apiVersion: 'airmesh.dev/v1alpha1', ...document });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
    return parsed.value;
  });
}

function statesOf(round: number, workloads: readonly { readonly namespace: string; readonly name: string }[]): ReadonlyMap<string, SidecarState> {
  const boundaries = { rootNamespace: ROOT, namespaces: new Map() };
  const { snapshots } = compile(resourcesOf(round), workloads, {
    own: [],
    known,
    simulatedUrl: undefined,
    readCertificates: (pem: string) => ({ ok: true, value: pem }) as const,
    boundaries,
  });
  const keys = new Map([[`${ROOT}/p0`, { type: 'OpenAI' as const, value: 'sk-0123456789abcdefghij' }]]);
  return new Map([...snapshots].map(([id, snapshot]) => [id, { version: snapshot.version, snapshot, keys }]));
}

/** A controller at a port, and when each sidecar said that it applied which version. */
class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), 'airmesh-bench-'));
  readonly cluster = new TestCluster('bench');
  readonly applied = new Map<string, { readonly version: string; readonly at: number }>();
  readonly #authority: TestAuthority;
  readonly #files: CertificateFiles;
  distributor: Distributor;
  #server: WireServer;
  port = 0;

  private constructor(authority: TestAuthority, files: CertificateFiles) {
    this.#authority = authority;
    this.#files = files;
    [this.distributor, this.#server] = this.#make();
  }

  static async create(): Promise<Bench> {
    const authority = await TestAuthority.create('bench');
    const folder = mkdtempSync(join(tmpdir(), 'airmesh-bench-'));
    const files = CertificateFiles.open(
      writeCertificates(folder, 'controller', await authority.issue({ dns: ['localhost'] }), authority.certificate),
      (message) => console.log(message),
    );
    rmSync(folder, { recursive: true });
    if (!files.ok) throw new Error(files.error);
    files.value.close();
    return new Bench(authority, files.value);
  }

  get roots(): string {
    return this.#authority.certificate;
  }

  async listen(): Promise<void> {
    this.port = (await this.#server.listen({ host: '127.0.0.1', port: this.port, certificates: this.#files, callers: 'with certificates or tokens' })) ?? 0;
  }

  /** As a controller that is killed and comes back. */
  async restart(states: ReadonlyMap<string, SidecarState>): Promise<void> {
    this.distributor.close();
    await this.#server.close(0);
    [this.distributor, this.#server] = this.#make();
    this.distributor.publish(states);
    await this.listen();
  }

  async close(): Promise<void> {
    this.distributor.close();
    await this.#server.close(0);
    rmSync(this.folder, { recursive: true });
  }

  #make(): [Distributor, WireServer] {
    const tell = (event: DistributionEvent): void => {
      if (event.kind === 'state_applied') this.applied.set(event.pod.uid, { version: event.version, at: performance.now() });
      if (event.kind === 'violation') console.log(event.message);
    };
    const distributor = new Distributor({ clock, tell, onChange: () => undefined });
    const services = [distributor.service()];
    return [distributor, new WireServer({ services, clock, authenticate: byToken(this.cluster), absence: () => distributor.absence(), tell })];
  }
}

/** The sidecars of one process. */
function follow(port: string, folder: string, uids: readonly string[]): void {
  const pem = readFileSync(join(folder, 'roots'), 'utf8');
  for (const uid of uids) {
    let report: SidecarReport = { program: 'bench', keys: [], ownKeysFor: [] };
    const dialer: Dialer = new Dialer({
      addresses: [`localhost:${port}`],
      access: { roots: new Roots(pem), token: new TokenFile(join(folder, uid)) },
      clock,
      method: POLICY_METHODS.Follow,
      onOpen: () => dialer.send(encodeReport(report)),
      onClosed: () => undefined,
      onMessage: (bytes) => {
        const answer = toSidecar.read(bytes);
        const state = answer.ok ? (answer.value['state'] as { readonly version: string } | null) : null;
        if (state === null || state === undefined) return undefined;
        report = { ...report, applied: state.version };
        dialer.send(encodeReport(report));
        return undefined;
      },
    });
  }
}

const until = async (condition: () => boolean): Promise<void> => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
};
const percentile = (sorted: readonly number[], part: number): number => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0);
/** Of this process since it began: on a machine that does much else, the figure that holds. */
const cpuMs = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
};
const mebibytes = (bytes: number): number => Math.round(bytes / 1_048_576);

async function run(sidecars: number, workloadCount: number): Promise<void> {
  const bench = await Bench.create();
  const workloads = Array.from({ length: workloadCount }, (_, index) => ({ namespace: `team-${index % 30}`, name: `w${index}` }));
  const workloadOf = new Map<string, string>();
  const uids: string[] = [];
  writeToken(join(bench.folder, 'roots'), bench.roots);
  for (let index = 0; index < sidecars; index += 1) {
    const workload = workloads[index % workloadCount];
    if (workload === undefined) throw new Error('no workload');
    const pod = bench.cluster.addPod(`${workload.namespace}/${workload.name}`);
    writeToken(join(bench.folder, pod.uid), bench.cluster.tokenFor(pod));
    workloadOf.set(pod.uid, `${workload.namespace}/${workload.name}`);
    uids.push(pod.uid);
  }
  let states = statesOf(0, workloads);
  bench.distributor.publish(states);
  await bench.listen();
  const areAllApplied = (): boolean => uids.every((uid) => bench.applied.get(uid)?.version === states.get(workloadOf.get(uid) ?? '')?.version);

  const began = performance.now();
  const share = Math.ceil(sidecars / PROCESSES);
  const children = Array.from({ length: PROCESSES }, (_, index) => {
    const child = fork(fileURLToPath(import.meta.url), ['follow', String(bench.port), bench.folder]);
    child.send(uids.slice(index * share, (index + 1) * share));
    return child;
  });
  await until(areAllApplied);
  console.log(
    `${sidecars} sidecars of ${workloadCount} workloads, ${ROUTES} routes: the first state applied by all ${Math.round(performance.now() - began)} ms after they began`,
  );

  const latencies: number[] = [];
  const compiles: number[] = [];
  const spent: number[] = [];
  for (let round = 1; round <= ROUNDS; round += 1) {
    const compiledFrom = cpuMs();
    states = statesOf(round, workloads);
    const publishedAt = performance.now();
    const publishedCpu = cpuMs();
    compiles.push(publishedCpu - compiledFrom);
    bench.distributor.publish(states);
    await until(areAllApplied);
    spent.push(cpuMs() - publishedCpu);
    for (const uid of uids) latencies.push((bench.applied.get(uid)?.at ?? 0) - publishedAt);
  }
  latencies.sort((a, b) => a - b);
  compiles.sort((a, b) => a - b);
  spent.sort((a, b) => a - b);
  console.log(`a changed route acknowledged: p50 ${percentile(latencies, 0.5)} ms, p99 ${percentile(latencies, 0.99)} ms, last ${percentile(latencies, 1)} ms`);
  console.log(`of the controller's CPU, medians: ${percentile(spent, 0.5)} ms for that, and ${percentile(compiles, 0.5)} ms for compiling before`);
  console.log(`memory: ${mebibytes(process.memoryUsage.rss())} MiB resident, ${mebibytes(process.memoryUsage().heapUsed)} of it heap`);

  const restarted = performance.now();
  const restartedCpu = cpuMs();
  await bench.restart(states);
  const areAllBack = (): boolean => bench.distributor.views().filter(({ isConnected, applied }) => isConnected && applied !== undefined).length === sidecars;
  await until(areAllBack);
  console.log(
    `all back ${Math.round(performance.now() - restarted)} ms after the controller was gone, for ${Math.round(cpuMs() - restartedCpu)} ms of its CPU`,
  );
  console.log(`memory: ${mebibytes(process.memoryUsage.rss())} MiB resident`);
  for (const child of children) child.kill();
  await bench.close();
}

const [first = '1000', second = '100', folder = ''] = process.argv.slice(2);
if (first === 'follow') {
  process.once('disconnect', () => process.exit());
  process.once('message', (uids: string[]) => follow(second, folder, uids));
} else await run(Number(first), Number(second));
