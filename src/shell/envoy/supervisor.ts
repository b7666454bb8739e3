import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import type { Json } from '../../core/envoyconfig/index.ts';
import { askAdmin, envoyState } from './admin.ts';
import type { EnvoyState } from './admin.ts';
import { writeConfiguration } from './files.ts';
import { hasEnded } from './processes.ts';

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
  | { readonly kind: 'started'; readonly pid: number }
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

/** Runs one Envoy: starts it, starts it again when it dies, hands it configuration, and says whether it took it. */
export class EnvoySupervisor {
  readonly #options: SupervisorOptions;
  #child: ChildProcess | undefined;
  #stopping = false;
  #startedAt = 0;
  #failures = 0;
  #lastError: string | undefined;
  /** What Envoy must have accepted for the present files to be in force. */
  #expected: { readonly accepted: number; readonly rejected: EnvoyState['rejected'] } | undefined;
  /** Where this process ends without stopping it. */
  readonly #kill = (): void => void this.#child?.kill('SIGKILL');

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  /** Writes the files and starts Envoy on them. */
  async start(files: ReadonlyMap<string, Json>): Promise<void> {
    writeConfiguration(this.#options.folder, files);
    process.once('exit', this.#kill);
    this.#spawn();
  }

  /**
   * Replaces the configuration; Envoy takes it up within a second. `whenReady` tells the outcome. It looks at files that changed
   * together in any order, and refuses a listener whose cluster it does not know yet: so clusters are written, and taken, first.
   */
  async apply(files: ReadonlyMap<string, Json>): Promise<void> {
    const before = await this.#state();
    const { clusters: first = [], others = [] } = Object.groupBy(files, ([name]) => (name === CLUSTERS ? 'clusters' : 'others'));
    const clusters = writeConfiguration(this.#options.folder, new Map(first));
    if (before !== undefined && clusters.length > 0) await this.#taken(before.accepted + clusters.length, before.rejected);
    const rest = writeConfiguration(this.#options.folder, new Map(others));
    this.#expected = before === undefined ? undefined : { accepted: before.accepted + clusters.length + rest.length, rejected: before.rejected };
  }

  async #taken(accepted: number, rejected: EnvoyState['rejected']): Promise<void> {
    for (const until = performance.now() + CLUSTERS_WITHIN_MS; performance.now() < until; await delay(POLL_MS)) {
      const state = await this.#state();
      if (state === undefined || state.accepted >= accepted || refusedSince(rejected, state).length > 0) return;
    }
  }

  async readiness(): Promise<EnvoyReadiness> {
    if (this.#child === undefined) return { ready: false, reason: 'Envoy is not running' };
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
    const child = this.#child;
    if (child === undefined) return void process.removeListener('exit', this.#kill);
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    await askAdmin(this.#options.adminSocket, 'POST', '/drain_listeners?graceful&skip_exit').catch(() => undefined);
    const until = performance.now() + drainMs;
    while (activeCalls() > 0 && performance.now() < until) await delay(POLL_MS);
    child.kill('SIGTERM');
    const killer = setTimeout(() => child.kill('SIGKILL'), 3000);
    await exited;
    clearTimeout(killer);
    process.removeListener('exit', this.#kill);
    rmSync(pidFile(this.#options.folder), { force: true });
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  #spawn(): void {
    const { binary, folder, concurrency } = this.#options;
    const child = spawn(
      binary,
      [
        '--config-path',
        join(folder, 'bootstrap.json'),
        '--disable-hot-restart',
        '--log-level',
        'warning',
        '--log-format',
        '%l %v',
        ...(concurrency === undefined ? [] : ['--concurrency', String(concurrency)]),
        '--drain-time-s',
        '5',
      ],
      // Of the environment, only what a program needs to run: no key reaches Envoy. In a session of its own, so that a
      // terminal's Ctrl-C does not reach it either: it would drop the calls that are to end first.
      { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'] ?? '', TMPDIR: process.env['TMPDIR'] ?? '/tmp' } },
    );
    this.#child = child;
    this.#startedAt = performance.now();
    this.#expected = undefined;
    for (const stream of [child.stdout, child.stderr]) if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.#log(line));
    child.once('error', (error) => this.#died(error.message));
    child.once('exit', (code, signal) => this.#died(signal === null ? `exit code ${code}` : signal));
    if (child.pid === undefined) return;
    writeFileSync(pidFile(this.#options.folder), String(child.pid), { mode: 0o600 });
    this.#options.onEvent({ kind: 'started', pid: child.pid });
  }

  #died(how: string): void {
    if (this.#child === undefined) return;
    this.#child = undefined;
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

const pidFile = (folder: string): string => join(folder, 'envoy.pid');

/**
 * Stops the Envoy that a former process of this folder left behind when it was killed: it would hold the ports. Only for
 * whoever has made sure that no other process uses the folder.
 */
export async function stopOrphan(folder: string): Promise<void> {
  if (!existsSync(pidFile(folder))) return;
  const pid = Number(readFileSync(pidFile(folder), 'utf8'));
  if (!Number.isInteger(pid) || pid <= 1 || !isOurEnvoy(pid, folder)) return;
  process.kill(pid, 'SIGTERM');
  if (await hasEnded(pid, 3_000)) return;
  process.kill(pid, 'SIGKILL');
  await hasEnded(pid, 3_000);
}

/** Whether that process is an Envoy started on this folder's configuration. */
function isOurEnvoy(pid: number, folder: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(join(folder, 'bootstrap.json'));
  } catch {
    return false;
  }
}
