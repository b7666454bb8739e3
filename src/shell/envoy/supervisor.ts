import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Json } from '../../core/envoyconfig/index.ts';
import { askAdmin, envoyState } from './admin.ts';
import type { EnvoyState } from './admin.ts';
import { isWritten, writeConfiguration } from './files.ts';
import { BOOTSTRAP, forgetPid, isStartedBy, keepPid, envoyIn, stopOrphan } from './orphan.ts';
import { followEnvoy, spawnEnvoy } from './running.ts';
import type { RunningEnvoy } from './running.ts';

export interface SupervisorOptions {
  readonly binary: string;
  /** For the configuration, the pid file and the sockets; one process's own. */
  readonly folder: string;
  readonly adminSocket: string;
  /** Worker threads; the machine's cores where absent. */
  readonly concurrency?: number | undefined;
  readonly onEvent: (event: EnvoyEvent) => void;
}

export type EnvoyEvent =
  | { readonly kind: 'started' | 'adopted'; readonly pid: number }
  /** One that was left cannot be taken over: another is started in its place. */
  | { readonly kind: 'replaced'; readonly pid: number; readonly reason: string }
  | { readonly kind: 'died'; readonly how: string; readonly restartInMs: number }
  | { readonly kind: 'log'; readonly level: string; readonly message: string };

export type EnvoyReadiness = { readonly ready: true } | { readonly ready: false; readonly reason: string };

const FIRST_RESTART_MS = 100;
const LONGEST_RESTART_MS = 10_000;
/** Running this long makes the next death a first one again. */
const STABLE_MS = 30_000;
const POLL_MS = 25;
/** What all else refers to. */
const CLUSTERS = 'cds.json';
/** Clusters are waited for so long; then the rest is written all the same. */
const CLUSTERS_WITHIN_MS = 2_000;
/** One that is taken over may resolve new names first, as at any change. */
const ADOPTED_WITHIN_MS = 10_000;

/** Runs one Envoy: starts it or takes it over, starts it again when it dies, hands it configuration, and says whether it took it. */
export class EnvoySupervisor {
  readonly #options: SupervisorOptions;
  #running: RunningEnvoy | undefined;
  #stopping = false;
  #startedAt = 0;
  #failures = 0;
  #lastError: string | undefined;
  /** What Envoy must have accepted for the present files to be in force. */
  #expected: { readonly accepted: number; readonly rejected: EnvoyState['rejected'] } | undefined;
  /** Where this process ends without stopping it. */
  readonly #kill = (): void => this.#running?.kill('SIGKILL');

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /**
   * Writes the files, and starts Envoy on them unless a former process of this folder left one that can go on. Only for whoever
   * has made sure that no other process uses the folder.
   */
  async start(files: ReadonlyMap<string, Json>): Promise<void> {
    process.once('exit', this.#kill);
    const { folder, onEvent } = this.#options;
    const left = envoyIn(folder);
    if (left !== undefined) {
      const reason = await this.#adopt(left, files);
      if (reason === undefined) return;
      onEvent({ kind: 'replaced', pid: left, reason });
      await stopOrphan(folder);
    }
    writeConfiguration(folder, files);
    this.#spawn();
  }

  /** Goes on with an Envoy that serves meanwhile. Returns why it cannot. */
  async #adopt(pid: number, files: ReadonlyMap<string, Json>): Promise<string | undefined> {
    const { folder, onEvent } = this.#options;
    const { bootstrap = [], watched = [] } = Object.groupBy(files, ([name]) => (name === BOOTSTRAP ? 'bootstrap' : 'watched'));
    if (!isStartedBy(pid, this.#command())) return 'it was started in another way';
    if (!isWritten(folder, new Map(bootstrap))) return 'what it read at its start has changed since, or it was to end';
    if ((await this.#state())?.live !== true) return 'it does not serve';
    const adopted = followEnvoy(pid, folder);
    this.#follow(adopted);
    // Also what is there already: whether Envoy took it is not known.
    await this.#hand(new Map(watched), { evenUnchanged: true });
    const readiness = await this.whenReady(ADOPTED_WITHIN_MS);
    // It has died meanwhile, and another is started as ever.
    if (this.#running !== adopted) return undefined;
    if (readiness.ready) onEvent({ kind: 'adopted', pid });
    else this.#running = undefined;
    return readiness.ready ? undefined : readiness.reason;
  }

  /**
   * Replaces the configuration; Envoy takes it up within a second. `whenReady` tells the outcome. It looks at files that changed
   * together in any order, and refuses a listener whose cluster it does not know yet: so clusters are written, and taken, first.
   */
  apply(files: ReadonlyMap<string, Json>): Promise<void> {
    return this.#hand(files, { evenUnchanged: false });
  }

  async #hand(files: ReadonlyMap<string, Json>, how: { readonly evenUnchanged: boolean }): Promise<void> {
    const before = await this.#state();
    const { clusters: first = [], others = [] } = Object.groupBy(files, ([name]) => (name === CLUSTERS ? 'clusters' : 'others'));
    const clusters = writeConfiguration(this.#options.folder, new Map(first), how);
    if (before !== undefined && clusters.length > 0) await this.#taken(before.accepted + clusters.length, before.rejected);
    const rest = writeConfiguration(this.#options.folder, new Map(others), how);
    this.#expected = before === undefined ? undefined : { accepted: before.accepted + clusters.length + rest.length, rejected: before.rejected };
  }

  async #taken(accepted: number, rejected: EnvoyState['rejected']): Promise<void> {
    for (const until = performance.now() + CLUSTERS_WITHIN_MS; performance.now() < until; await delay(POLL_MS)) {
      const state = await this.#state();
      if (state === undefined || state.accepted >= accepted || refusedSince(rejected, state).length > 0) return;
    }
  }

  async readiness(): Promise<EnvoyReadiness> {
    if (this.#running === undefined) return { ready: false, reason: 'Envoy is not running' };
    const state = await this.#state();
    if (state === undefined) return { ready: false, reason: 'Envoy does not answer yet' };
    if (!state.live) return { ready: false, reason: 'Envoy is starting' };
    // What it refused of a configuration that another has taken the place of is over.
    const refused = refusedSince(this.#expected?.rejected, state);
    if (refused.length > 0) {
      return {
        ready: false,
        reason: `Envoy refused a configuration (${refused.join(', ')})${this.#lastError === undefined ? '' : `: ${this.#lastError}`}`,
      };
    }
    if (this.#expected !== undefined && state.accepted < this.#expected.accepted)
      return { ready: false, reason: 'Envoy has not taken up the latest configuration yet' };
    return { ready: true };
  }

  /** Resolves when Envoy runs the present configuration, or with the reason why it does not within the time. */
  async whenReady(withinMs: number): Promise<EnvoyReadiness> {
    const until = performance.now() + withinMs;
    for (;;) {
      const readiness = await this.readiness();
      if (readiness.ready || performance.now() > until) return readiness;
      await delay(POLL_MS);
    }
  }

  /** Stops taking connections, lets calls in flight end for so long, and ends it. */
  async stop(drainMs: number, activeCalls: () => number): Promise<void> {
    this.#stopping = true;
    const { folder, adminSocket } = this.#options;
    const running = this.#running;
    if (running === undefined) return void process.removeListener('exit', this.#kill);
    // Nobody takes over one that takes no connections any more.
    rmSync(join(folder, BOOTSTRAP), { force: true });
    await askAdmin(adminSocket, 'POST', '/drain_listeners?graceful&skip_exit').catch(() => undefined);
    const until = performance.now() + drainMs;
    while (activeCalls() > 0 && performance.now() < until) await delay(POLL_MS);
    running.kill('SIGTERM');
    const killer = setTimeout(() => running.kill('SIGKILL'), 3000);
    await running.ended;
    clearTimeout(killer);
    process.removeListener('exit', this.#kill);
    forgetPid(folder);
  }

  get pid(): number | undefined {
    return this.#running?.pid;
  }

  #command(): readonly string[] {
    const { binary, folder, concurrency } = this.#options;
    const workers = concurrency === undefined ? [] : ['--concurrency', String(concurrency)];
    const logged = ['--log-level', 'warning', '--log-format', '%l %v'];
    return [binary, '--config-path', join(folder, BOOTSTRAP), '--disable-hot-restart', ...logged, ...workers, '--drain-time-s', '5'];
  }

  #spawn(): void {
    const spawned = spawnEnvoy(this.#command(), (line) => this.#log(line));
    this.#expected = undefined;
    this.#follow(spawned);
    if (spawned.pid === undefined) return;
    keepPid(this.#options.folder, spawned.pid);
    this.#options.onEvent({ kind: 'started', pid: spawned.pid });
  }

  #follow(running: RunningEnvoy): void {
    this.#running = running;
    this.#startedAt = performance.now();
    void running.ended.then((how) => {
      if (this.#running === running) this.#died(how);
    });
  }

  #died(how: string): void {
    this.#running = undefined;
    if (this.#stopping) return;
    if (performance.now() - this.#startedAt > STABLE_MS) this.#failures = 0;
    const restartInMs = Math.min(LONGEST_RESTART_MS, FIRST_RESTART_MS * 2 ** this.#failures++);
    this.#options.onEvent({ kind: 'died', how: this.#lastError === undefined ? how : `${how}: ${this.#lastError}`, restartInMs });
    setTimeout(() => {
      if (!this.#stopping) this.#spawn();
    }, restartInMs);
  }

  #log(line: string): void {
    const [, level = 'info', message = line] = /^(trace|debug|info|warning|error|critical) (.*)$/.exec(line) ?? [];
    if (level === 'error' || level === 'critical') this.#lastError = message;
    if (message.includes('rejected') || message.includes('Unable to parse')) this.#lastError = message;
    this.#options.onEvent({ kind: 'log', level, message });
  }

  async #state(): Promise<EnvoyState | undefined> {
    return envoyState(this.#options.adminSocket).catch(() => undefined);
  }
}

/** Of what more was refused than before. */
const refusedSince = (before: EnvoyState['rejected'] = new Map(), { rejected }: EnvoyState): string[] =>
  [...rejected].flatMap(([what, count]) => (count > (before.get(what) ?? 0) ? [what] : []));
