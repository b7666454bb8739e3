import { readFileSync, readlinkSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hasEnded } from './processes.ts';

const ENDS_WITHIN_MS = 3_000;

/** What Envoy reads at its start alone; a process that names it was started on this folder. */
export const BOOTSTRAP = 'bootstrap.json';

const pidFile = (folder: string): string => join(folder, 'envoy.pid');

export const keepPid = (folder: string, pid: number): void => writeFileSync(pidFile(folder), String(pid), { mode: 0o600 });
export const forgetPid = (folder: string): void => rmSync(pidFile(folder), { force: true });

/** The Envoy that runs on this folder's configuration, whoever started it; `undefined`: none does. */
export function envoyIn(folder: string): number | undefined {
  let pid: number;
  try {
    pid = Number(readFileSync(pidFile(folder), 'utf8'));
  } catch {
    return undefined;
  }
  return Number.isInteger(pid) && pid > 1 && isEnvoyOf(pid, folder) ? pid : undefined;
}

/**
 * Stops the one that a former process of this folder left behind when it was killed: it would hold the ports. Only for whoever
 * has made sure that no other process uses the folder.
 */
export async function stopOrphan(folder: string): Promise<void> {
  const pid = envoyIn(folder);
  if (pid === undefined) return;
  signalEnvoy(pid, folder, 'SIGTERM');
  if (!(await hasEnded(pid, ENDS_WITHIN_MS))) {
    signalEnvoy(pid, folder, 'SIGKILL');
    await hasEnded(pid, ENDS_WITHIN_MS);
  }
  forgetPid(folder);
}

/** Whether that process is an Envoy on this folder's configuration, and runs: who has ended has no command line. */
export const isEnvoyOf = (pid: number, folder: string): boolean => commandLine(pid).includes(join(folder, BOOTSTRAP));

/** Whether a process was started by exactly this command, from the very file that now has the program's name. */
export function isStartedBy(pid: number, command: readonly string[]): boolean {
  try {
    return commandLine(pid) === command.map((word) => `${word}\0`).join('') && readlinkSync(`/proc/${pid}/exe`) === realpathSync(command[0] ?? '');
  } catch {
    return false;
  }
}

/** Never to another process that was given the number since. */
export function signalEnvoy(pid: number, folder: string, signal: NodeJS.Signals): void {
  if (!isEnvoyOf(pid, folder)) return;
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended in this moment.
  }
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}
