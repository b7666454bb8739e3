import { readFileSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 5;

/** Whether a process holds nothing any more, its ports among it, within so long. */
export async function hasEnded(pid: number, withinMs: number): Promise<boolean> {
  for (const until = performance.now() + withinMs; threadsOf(pid).some((thread) => isRunning(pid, thread)); await delay(POLL_MS))
    if (performance.now() > until) return false;
  return true;
}

/** Files are shared, and are closed with the last thread: the first may be dead long before. */
function threadsOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** A zombie holds nothing but its number. The state is the first field behind the name, which may hold anything. Source: proc_pid_stat(5). */
function isRunning(pid: number, thread: string): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8');
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2));
  } catch {
    return false;
  }
}
