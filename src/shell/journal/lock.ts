import { readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Another process uses the folder. */
export class FolderInUse extends Error {
  readonly pid: number;

  constructor(folder: string, pid: number) {
    super(`the state folder ${folder} is in use by process ${pid}; stop it, or name another folder with --state`);
    this.pid = pid;
  }
}

/** Makes a folder one process's own until it is released. A lock whose process is gone is taken over. */
export function lockFolder(folder: string): { release(): void } {
  const path = join(folder, 'lock');
  const content = JSON.stringify({ pid: process.pid, started: startTime(process.pid) });
  for (let attempt = 0; ; attempt++) {
    try {
      writeFileSync(path, content, { flag: 'wx', mode: 0o600 });
      return { release: () => unlinkSync(path) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = holderOf(path);
    if (attempt > 3 || (holder !== undefined && isRunning(holder))) throw new FolderInUse(folder, holder?.pid ?? 0);
    unlinkSync(path);
  }
}

/** The process that uses a folder now; `undefined`: none does. */
export function folderHolder(folder: string): number | undefined {
  const holder = holderOf(join(folder, 'lock'));
  return holder !== undefined && isRunning(holder) ? holder.pid : undefined;
}

interface Holder {
  readonly pid: number;
  readonly started: string | undefined;
}

function holderOf(path: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Holder;
  } catch {
    return undefined;
  }
}

/** The same process, not another that was given its number since. */
function isRunning({ pid, started }: Holder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ESRCH') return false;
  }
  const now = startTime(pid);
  return now === undefined || started === undefined || now === started;
}

/** Field 22 of /proc/PID/stat, in clock ticks since boot; `undefined` where there is no /proc. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
