import { spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { trustVariables } from '../../../src/core/interception/index.ts';
import type { InterceptionSettings, LeafCertificate } from '../../../src/core/control/index.ts';
import { ensureEnvoy } from '../../../src/shell/envoy/index.ts';
import { TestAuthority } from '../certificates.ts';
import { until } from '../mesh.ts';
import { Namespaces, OUTSIDE, ensureTools } from './namespaces.ts';
import type { Seen } from './outside.ts';
import type { SidecarOrders, SidecarStart } from './sidecar.ts';

const SIDECAR_UID = 1533;
const APPLICATION_UID = 1000;
const PORT = 15_401;

const here = (file: string): string => fileURLToPath(new URL(file, import.meta.url));

/** What providers take; nothing else is a key to them. */
export const KEYS = {
  openai: 'sk-provider-0123456789abcdef0123',
  anthropic: 'sk-ant-api03-0123456789abcdef0123456789',
  gemini: 'AIzaSy0123456789abcdef0123456789abcdefg',
} as const;
export const ROTATED_KEY = 'sk-rotated-0123456789abcdef012345';

export const PUBLIC_HOSTS = ['api.openai.com', 'api.anthropic.com', 'generativelanguage.googleapis.com', 'api.deepseek.com'] as const;

/** Whatever a caller says of models, each host's own provider serves its own, and one more is served by another. */
export const resources = (openaiKey: string = KEYS.openai): object[] => {
  const provider = (name: string, spec: object): object => ({
    apiVersion: 'airmesh.dev/v1alpha1',
    kind: 'AIProvider',
    metadata: { name, namespace: 'shop' },
    spec: { retries: { attempts: 0 }, ...spec },
  });
  return [
    provider('openai', { type: 'OpenAI', auth: { apiKey: { value: openaiKey } } }),
    provider('anthropic', { type: 'Anthropic', auth: { apiKey: { value: KEYS.anthropic } } }),
    provider('gemini', { type: 'Gemini', auth: { apiKey: { value: KEYS.gemini } } }),
    provider('vllm', {
      type: 'OpenAICompatible',
      baseUrl: 'http://vllm.models.svc:8000/v1',
      models: [{ name: 'house-model', providerModel: 'gpt-4.1', price: { inputPerMillion: 1, outputPerMillion: 1 } }],
    }),
    {
      apiVersion: 'airmesh.dev/v1alpha1',
      kind: 'AIRoute',
      metadata: { name: 'all', namespace: 'shop' },
      spec: {
        workloads: ['*'],
        rules: [
          { match: { models: ['claude-*'] }, backends: [{ provider: 'anthropic' }] },
          { match: { models: ['gemini-*'] }, backends: [{ provider: 'gemini' }] },
          { match: { models: ['house-model'] }, backends: [{ provider: 'vllm' }] },
          { backends: [{ provider: 'openai' }] },
        ],
      },
    },
    {
      apiVersion: 'airmesh.dev/v1alpha1',
      kind: 'AIBudget',
      metadata: { name: 'life', namespace: 'shop' },
      spec: { limit: { usd: '1000' }, window: { lifetime: true } },
    },
  ];
};

export const OPEN: InterceptionSettings = {
  egress: 'Open',
  passedHosts: ['pinned.example'],
  refusedHosts: ['refused.example'],
  clusterDomain: 'cluster.local',
};
export const ENFORCED: InterceptionSettings = {
  ...OPEN,
  egress: 'Enforced',
  networks: ['10.98.0.0/16'],
  addresses: new Map([['vllm.models', [OUTSIDE.models]]]),
};

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Load {
  /** Resolves when so many more calls have ended. */
  more(calls: number): Promise<void>;
  /** `faults` are the first few, `kinds` all that there were. */
  end(): Promise<{ readonly calls: number; readonly total: number; readonly faults: readonly string[]; readonly kinds: readonly string[] }>;
}

export interface Held {
  /** Resolves when the next echo came. */
  more(): Promise<void>;
  end(): Promise<{ readonly echoes: string }>;
}

/** A pod whose connections are redirected to a sidecar of its own, and what is around it. */
export class World {
  readonly folder: string;
  readonly namespaces: Namespaces;
  readonly trustFolder: string;
  #outside: ChildProcess | undefined;
  #sidecar: ChildProcess | undefined;
  #start: SidecarStart | undefined;
  #log = '';
  #readsDev = true;
  #authority: TestAuthority;
  #roots: string;
  readonly #public: TestAuthority;

  private constructor(folder: string, namespaces: Namespaces, authority: TestAuthority, publicAuthority: TestAuthority) {
    this.folder = folder;
    this.trustFolder = join(folder, 'trust');
    this.namespaces = namespaces;
    this.#authority = authority;
    this.#roots = authority.certificate;
    this.#public = publicAuthority;
  }

  /** Without a sidecar: a machine, and what is around it. */
  static bare(name: string): Promise<World> {
    return World.#create(name, (world) => world.#startOutside());
  }

  static create(name: string, settings: InterceptionSettings, ports: string, envoyVersion?: string): Promise<World> {
    return World.#create(name, (world) => world.#startAll(settings, ports, envoyVersion));
  }

  static async #create(name: string, start: (world: World) => Promise<void>): Promise<World> {
    ensureTools();
    const folder = mkdtempSync(join(tmpdir(), 'airmesh-interception-'));
    chmodSync(folder, 0o755);
    const namespaces = new Namespaces(`${name}${process.pid}`, [
      [OUTSIDE.providers, ...PUBLIC_HOSTS],
      [OUTSIDE.providers6, ...PUBLIC_HOSTS],
      [OUTSIDE.others, 'other.example', 'pinned.example', 'refused.example'],
      [OUTSIDE.others6, 'other6.example'],
      [OUTSIDE.models, 'vllm.models.svc', 'vllm.models'],
      [OUTSIDE.cluster, 'db.shop.svc'],
      [OUTSIDE.attacker, 'attacker.example'],
    ]);
    const world = new World(folder, namespaces, await TestAuthority.create('mesh'), await TestAuthority.create('public'));
    try {
      await start(world);
    } catch (error) {
      await world.stop();
      throw new Error(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n${world.#log}`, { cause: error });
    }
    return world;
  }

  /** In memory, as a pod's is; an older Envoy reads no file below /dev, wherever that is. */
  get stateDir(): string {
    return this.#readsDev ? join('/dev/shm', basename(this.folder)) : join(this.folder, 'state');
  }

  get publicCa(): string {
    return join(this.folder, 'public.pem');
  }

  async #startOutside(): Promise<void> {
    writeFileSync(this.publicCa, this.#public.certificate);
    this.#outside = this.namespaces.spawn(this.namespaces.outside, [process.execPath, here('outside.ts')], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    await this.#tell(this.#outside, {
      kind: 'start',
      settings: {
        providers: await this.#public.issue({ dns: PUBLIC_HOSTS }),
        others: await this.#public.issue({ dns: ['other.example', 'pinned.example', 'refused.example', 'other6.example'] }),
        attacker: await (await TestAuthority.create('attacker')).issue({ dns: [...PUBLIC_HOSTS, 'attacker.example'] }),
        keys: [...Object.values(KEYS), ROTATED_KEY],
      },
    });
  }

  /** Where any user can run it: the folder in which it is kept is its owner's. */
  async envoy(version?: string): Promise<string> {
    const path = join(this.folder, 'envoy-binary');
    if (!existsSync(path)) copyFileSync((await ensureEnvoy({ version, environment: process.env, onStep: () => undefined })).path, path);
    return path;
  }

  async #startAll(settings: InterceptionSettings, ports: string, version: string | undefined): Promise<void> {
    this.#readsDev = version === undefined || !version.startsWith('1.36.');
    await this.#startOutside();
    this.redirect(ports);
    const envoy = await this.envoy(version);
    const own = [this.stateDir, ...['trust', 'tmp', 'home'].map((name) => join(this.folder, name))];
    for (const each of own) {
      mkdirSync(each, { mode: 0o755 });
      chownSync(each, SIDECAR_UID, SIDECAR_UID);
    }
    const { stateDir, trustFolder, publicCa } = this;
    this.#start = { ...(await this.orders({ settings })), envoy, stateDir, trustFolder, publicCa, port: PORT };
    await this.startProcessor();
  }

  /** In a pod whose Envoy may still run, as whoever supervises it does. */
  async startProcessor(): Promise<void> {
    const sidecar = this.namespaces.spawn(this.namespaces.pod, [process.execPath, here('sidecar.ts')], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      // So that maps arrive as what they are.
      serialization: 'advanced',
      who: { uid: SIDECAR_UID },
      env: { HOME: join(this.folder, 'home'), TMPDIR: join(this.folder, 'tmp') },
    });
    this.#sidecar = sidecar;
    for (const stream of [sidecar.stdout, sidecar.stderr]) stream?.on('data', (chunk: Buffer) => (this.#log += chunk.toString('utf8')));
    await this.#tell(sidecar, { kind: 'start', start: this.#start });
  }

  /** As the init container does; again, after which nothing has changed. */
  redirect(ports: string, ...more: readonly string[]): Ran {
    const args = [
      process.execPath,
      here('../../../src/main/cli.ts'),
      'init',
      '--to-port',
      String(PORT),
      '--except',
      String(SIDECAR_UID),
      '--ports',
      ports,
      ...more,
    ];
    const { status, stdout, stderr } = spawnSync('ip', ['netns', 'exec', this.namespaces.pod, ...args], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`init ended with ${status}: ${stderr}`);
    return { code: status, out: stdout, err: stderr };
  }

  async orders({
    settings,
    openaiKey,
    others = [],
  }: {
    readonly settings: InterceptionSettings;
    readonly openaiKey?: string;
    readonly others?: readonly object[];
  }): Promise<SidecarOrders> {
    const leaves: Record<string, LeafCertificate> = {};
    for (const host of PUBLIC_HOSTS) leaves[host] = { ...(await this.#authority.issue({ dns: [host] })), notAfter: Date.now() + 3_600_000 };
    return { resources: [...resources(openaiKey), ...others], leaves, roots: this.#roots, interception: settings };
  }

  /** What a controller would push. Resolves when it is in force. */
  async push(orders: SidecarOrders): Promise<void> {
    const refused = (await this.#tell(this.#require(this.#sidecar), { kind: 'orders', orders })) as { readonly refused?: readonly string[] };
    if (refused.refused !== undefined) throw new Error(refused.refused.join('; '));
  }

  /** Another authority signs from now on; the former one is trusted as before. `announce` only makes it known. */
  async nextAuthority(): Promise<{ announce(): string; sign(): void }> {
    const next = await TestAuthority.create('mesh-next');
    return {
      announce: () => (this.#roots = `${this.#roots}\n${next.certificate}`),
      sign: () => void (this.#authority = next),
    };
  }

  /** Whom applications trust, by the variables that an injector sets. */
  environment(): Record<string, string> {
    return Object.fromEntries(trustVariables(this.trustFolder).map(({ name, value }) => [name, value]));
  }

  /** Runs a program in the pod, as an application, to its end. */
  run(
    command: readonly string[],
    {
      env = {},
      input,
      uid = APPLICATION_UID,
      timeoutMs = 60_000,
    }: { readonly env?: Record<string, string>; readonly input?: string | Buffer; readonly uid?: number; readonly timeoutMs?: number } = {},
  ): Promise<Ran> {
    const home = { HOME: this.folder, OPENAI_API_KEY: 'airmesh-injected', ANTHROPIC_API_KEY: 'airmesh-injected', GEMINI_API_KEY: 'airmesh-injected' };
    const child = this.namespaces.spawn(this.namespaces.pod, command, {
      who: { uid },
      env: { ...home, ...this.environment(), ...env },
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: timeoutMs,
    });
    let out = '';
    let error = '';
    child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
    child.stderr?.on('data', (chunk: Buffer) => (error += chunk.toString('utf8')));
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input ?? '');
    return new Promise((resolve) => child.once('close', (code) => resolve({ code: code ?? -1, out, err: error })));
  }

  /** A program that calls until it is told to end, writes a dot for each call, and tells how it went. */
  load(command: readonly string[]): Load {
    const env = { HOME: this.folder, ...this.environment() };
    const child = this.namespaces.spawn(this.namespaces.pod, command, { who: { uid: APPLICATION_UID }, env, stdio: ['pipe', 'pipe', 'pipe'] });
    let out = '';
    let dots = 0;
    child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
    child.stderr?.on('data', (chunk: Buffer) => (dots += chunk.toString('utf8').split('.').length - 1));
    return {
      more: (calls) => {
        const enough = dots + calls;
        return until(`${calls} more calls`, () => dots >= enough || child.exitCode !== null, 60_000);
      },
      end: () => {
        child.stdin?.end();
        return new Promise((resolve) => child.once('close', () => resolve(JSON.parse(out) as never)));
      },
    };
  }

  /** Keeps a connection until it is told to end: what came back of what was sent. */
  hold(host: string, port: number): Held {
    const child = this.namespaces.spawn(this.namespaces.pod, [process.execPath, here('programs/hold.mjs'), host, String(port)], {
      who: { uid: APPLICATION_UID },
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    let [out, echoes] = ['', 0];
    child.stdout?.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
    child.stderr?.on('data', (chunk: Buffer) => (echoes += chunk.length));
    return {
      more: async () => {
        const now = echoes;
        await until('an echo', () => echoes > now || child.exitCode !== null);
      },
      end: () => {
        child.stdin?.end();
        return new Promise((resolve) => child.once('close', () => resolve(JSON.parse(out) as never)));
      },
    };
  }

  /** `curl`, with what it is asked for: the answer's status at the end, `000` where there was none. */
  async curl(...args: readonly string[]): Promise<{ readonly status: string; readonly body: string; readonly err: string; readonly code: number }> {
    const { out, err, code } = await this.run(['curl', '-sS', '--max-time', '20', '-w', '\n%{http_code}', ...args]);
    const at = out.lastIndexOf('\n');
    return { status: out.slice(at + 1), body: out.slice(0, at), err, code };
  }

  /** What came to the servers outside since it was last asked. */
  async seen(): Promise<{ readonly seen: readonly Seen[]; readonly raw: readonly string[] }> {
    return (await this.#tell(this.#require(this.#outside), { kind: 'tell' })) as never;
  }

  /** Hosts for which the sidecar says that the application sent keys of its own. */
  async ownKeysFor(): Promise<readonly string[]> {
    return ((await this.#tell(this.#require(this.#sidecar), { kind: 'own keys' })) as { readonly hosts: readonly string[] }).hosts;
  }

  log(): string {
    return this.#log;
  }

  /** Kills the processor, not Envoy, as a power cut would. */
  async killProcessor(): Promise<void> {
    const sidecar = this.#require(this.#sidecar);
    const ended = new Promise((resolve) => sidecar.once('exit', resolve));
    sidecar.kill('SIGKILL');
    await ended;
  }

  envoyPid(): number | undefined {
    const file = join(this.stateDir, 'envoy', 'envoy.pid');
    return existsSync(file) ? Number(readFileSync(file, 'utf8')) : undefined;
  }

  /** Memory of the processor and of Envoy, in MiB. */
  residentMib(): readonly number[] {
    const pids = [this.#require(this.#sidecar).pid, this.envoyPid()];
    return pids.map((pid) => Math.round(Number(/VmRSS:\s+(\d+)/.exec(readable(`/proc/${pid}/status`))?.[1] ?? 0) / 1024));
  }

  /** What the processor and Envoy have computed since they started, in milliseconds. */
  cpuMs(): readonly number[] {
    return [this.#require(this.#sidecar).pid, this.envoyPid()].map((pid) => {
      // Behind the name, which may hold anything. Source: proc_pid_stat(5): utime and stime, in hundredths of a second.
      const fields = readable(`/proc/${pid}/stat`).split(') ').at(-1)?.split(' ') ?? [];
      return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 10;
    });
  }

  async stats(filter: string): Promise<string> {
    const sockets = spawnSync('find', [join(this.folder, 'tmp'), '-name', 'envoy.sock'], { encoding: 'utf8' })
      .stdout.trim()
      .split('\n');
    return (await this.run(['curl', '-sS', '--unix-socket', sockets[0] ?? '', `http://envoy/stats?filter=${filter}`], { uid: SIDECAR_UID })).out;
  }

  async stop(): Promise<void> {
    const envoy = this.envoyPid();
    const sidecar = this.#sidecar;
    if (sidecar !== undefined && sidecar.exitCode === null && sidecar.signalCode === null && sidecar.connected) {
      const ended = new Promise((resolve) => sidecar.once('exit', resolve));
      sidecar.send({ kind: 'stop' });
      await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 40_000).unref())]);
    }
    for (const child of [sidecar, this.#outside]) child?.kill('SIGKILL');
    // Left behind where its processor was killed.
    if (envoy !== undefined && readable(`/proc/${envoy}/cmdline`).includes(this.stateDir)) process.kill(envoy, 'SIGKILL');
    this.namespaces.remove();
    for (const folder of [this.folder, this.stateDir]) rmSync(folder, { recursive: true, force: true });
  }

  #require(child: ChildProcess | undefined): ChildProcess {
    if (child === undefined) throw new Error('it is not started');
    return child;
  }

  /** Sends a message, and waits for the answer. */
  #tell(child: ChildProcess, message: object): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null): void => reject(new Error(`the process ended with ${code}`));
      child.once('exit', onExit);
      child.once('message', (answer: { readonly kind: string; readonly reason?: string }) => {
        child.removeListener('exit', onExit);
        if (answer.kind === 'failed') reject(new Error(answer.reason));
        else resolve(answer);
      });
      child.send(message);
    });
  }
}

function readable(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
