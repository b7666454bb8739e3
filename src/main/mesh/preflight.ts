import { mkdirSync } from 'node:fs';
import { BooksUnusable } from '../../shell/stores/sqlite/index.ts';
import { NoEnvoy, isFree, portHolder, stopOrphan } from '../../shell/envoy/index.ts';
import { FolderInUse, folderHolder } from '../../shell/journal/index.ts';
import type { Address } from '../ports.ts';
import { StartError } from '../start-error.ts';

/** Makes sure that there is a state folder, and that no other process uses it. */
export function requireOwn(stateDir: string): void {
  mkdirSync(stateDir, { recursive: true, mode: 0o700 });
  const holder = folderHolder(stateDir);
  if (holder !== undefined) throw new FolderInUse(stateDir, holder);
}

/** Stops an Envoy that a former process left in its folder, unless another process has the state folder by now. */
export async function leaveNone(stateDir: string, envoyFolder: string): Promise<void> {
  if (folderHolder(stateDir) === undefined) await stopOrphan(envoyFolder);
}

/** Every address must be free before anything is started, but for what `except` holds; a taken one is reported with who holds it. */
export async function requireFree(addresses: readonly (Address & { readonly option: string })[], except?: number): Promise<void> {
  const seen = new Map<string, string>();
  for (const { host, port, option } of addresses) {
    const key = `${host}:${port}`;
    const other = seen.get(key);
    if (port !== 0 && other !== undefined) throw new StartError(`${other} and ${option} name the same address ${key}.`, 'Give each a port of its own.');
    seen.set(key, option);
    if (await isFree(host, port)) continue;
    const holder = portHolder(port);
    if (holder !== undefined && holder.pid === except) continue;
    throw new StartError(
      `${key} (${option}) is taken${holder === undefined ? '' : ` by ${holder.name} (pid ${holder.pid})`}.`,
      `Stop that process, or choose another port with ${option}.`,
    );
  }
}

/** What the pieces report when they cannot start → what to tell a person. Anything else is a bug and stays one. */
export function asStartError(error: unknown, stateDir: string): unknown {
  if (error instanceof FolderInUse)
    return new StartError(error.message, 'Only one Airmesh may use a state folder: two would each spend the whole budget.', { cause: error });
  if (error instanceof NoEnvoy) return new StartError(error.message, 'Airmesh needs a real Envoy.', { cause: error });
  if (error instanceof BooksUnusable) return unusableBooks(error, stateDir);
  const { code = '', path = stateDir } = (error ?? {}) as NodeJS.ErrnoException;
  // What making a folder, with those above it, says on a disk that is read-only.
  const why = code === 'ENOENT' && path === stateDir ? 'cannot be made: its disk may be read-only' : FOLDER_FAULTS.get(code);
  if (why === undefined) return error;
  if (!path.startsWith(stateDir)) return new StartError(`${path} ${why}.`, 'Mend it, and start again.', { cause: error });
  return new StartError(`The state folder ${stateDir} ${why}.`, 'Budgets cannot be kept without it. Mend it, or name another with --state.', { cause: error });
}

const FOLDER_FAULTS: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'may not be written'],
  ['EPERM', 'may not be written'],
  ['EROFS', 'is on a read-only file system'],
  ['ENOSPC', 'is on a full disk'],
  ['EDQUOT', 'is on a disk where the quota is used up'],
  ['EFBIG', 'is where files may not grow as large as a journal needs (`ulimit -f`)'],
  ['EIO', 'is on a disk that fails'],
  ['ENOTDIR', 'is not a folder'],
  ['EEXIST', 'is not a folder'],
]);

function unusableBooks(error: BooksUnusable, stateDir: string): StartError {
  const message = `The ledger in the state folder ${stateDir} cannot be used: ${error.message}.`;
  const hint =
    error.fault === 'newer'
      ? 'Nothing was changed.'
      : 'Nothing was changed. See that there is room, and that this user may read and write it; or name another folder with --state.';
  return new StartError(message, hint, { cause: error });
}
