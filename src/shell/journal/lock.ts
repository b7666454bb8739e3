import { accessSync, constants, existsSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

const NAME = 'lock';
/** Source: sqlite.org/rescode.html. */
const BUSY = 5;
/** What SQLite makes of the file system's words, and those words. */
const FILE_SYSTEM: ReadonlyMap<number, string> = new Map([
  [8, 'EROFS'],
  [10, 'EIO'],
  [13, 'ENOSPC'],
]);
/** What nobody refers to any more would be collected, and its lock with it. */
const held = new Set<DatabaseSync>();

/** Another process uses the folder. */
export class FolderInUse extends Error {
  readonly pid: number;

  constructor(folder: string, pid: number) {
    super(`the state folder ${folder} is in use by process ${pid}; stop it, or name another folder with --state`);
    this.pid = pid;
  }
}

/**
 * Makes a folder one process's own until it is released, or the process ends in any way: the system keeps the lock, by the
 * exclusive transaction of a database that stays empty. The file `lock` says only whose it is. Throws FolderInUse, and what the
 * file system says.
 */
export function lockFolder(folder: string): { release(): void } {
  const path = join(folder, NAME);
  const guard = join(folder, `${NAME}.db`);
  accessSync(folder, constants.W_OK);
  // Never opened otherwise where it is there: a process that closes a file lets go all that it has locked of it.
  if (!existsSync(guard)) writeFileSync(guard, '', { flag: 'a', mode: 0o600 });
  const database = new DatabaseSync(guard);
  try {
    // No journal: nothing is ever written, and a full disk has no room for one.
    database.exec('PRAGMA journal_mode = OFF; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    const { errcode = 0 } = error as { readonly errcode?: number };
    if (errcode === BUSY) throw new FolderInUse(folder, holderOf(path)?.pid ?? 0);
    const code = FILE_SYSTEM.get(errcode);
    throw code === undefined ? error : Object.assign(new Error(`${code}: ${guard} cannot be locked`, { cause: error }), { code, path: guard });
  }
  held.add(database);
  writeFileSync(path, JSON.stringify({ pid: process.pid, started: startTime(process.pid) }), { mode: 0o600 });
  return {
    release: () => {
      unlinkSync(path);
      held.delete(database);
      database.close();
    },
  };
}

/** The process that uses a folder now; `undefined`: none does. */
export function folderHolder(folder: string): number | undefined {
  const holder = holderOf(join(folder, NAME));
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
