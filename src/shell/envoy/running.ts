import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { isEnvoyOf, signalEnvoy } from './orphan.ts';
import { hasEnded } from './processes.ts';

/** Nobody is told of the end of a process that is not a child. */
const WATCH_MS = 100;
/** Its last thread, which is when its ports are free. */
const ENDS_WITHIN_MS = 3_000;

/** An Envoy that runs, whoever started it. */
export interface RunningEnvoy {
  /** `undefined` where it could not be started. */
  readonly pid: number | undefined;
  kill(signal: NodeJS.Signals): void;
  /** Resolves with how it ended. */
  readonly ended: Promise<string>;
}

/** Starts one. `onLine`: of what it logs. */
export function spawnEnvoy([binary = '', ...args]: readonly string[], onLine: (line: string) => void): RunningEnvoy {
  // Of the environment, only what a program needs to run: no key reaches Envoy. In a session of its own, so that a
  // terminal's Ctrl-C does not reach it either: it would drop the calls that are to end first.
  const child = spawn(binary, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '', TMPDIR: process.env['TMPDIR'] ?? '/tmp' },
  });
  for (const stream of [child.stdout, child.stderr]) createInterface({ input: stream }).on('line', onLine);
  return {
    pid: child.pid,
    kill: (signal) => void child.kill(signal),
    ended: new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    }),
  };
}

/** One that another process started on this folder. What it logs goes nowhere: its pipes ended with that process. */
export function followEnvoy(pid: number, folder: string): RunningEnvoy {
  const end = async (): Promise<string> => {
    while (isEnvoyOf(pid, folder)) await delay(WATCH_MS);
    await hasEnded(pid, ENDS_WITHIN_MS);
    return 'as no child of this process, so how is not known';
  };
  return { pid, kill: (signal) => signalEnvoy(pid, folder, signal), ended: end() };
}
