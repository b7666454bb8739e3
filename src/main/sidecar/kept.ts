import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { SidecarState } from '../../core/control/index.ts';
import { err, ok } from '../../core/units/index.ts';
import type { Result } from '../../core/units/index.ts';
import { decodeState, encodeState } from '../../shell/distribution/index.ts';
import { messageOf } from '../mesh/message-of.ts';
import { StartError } from '../start-error.ts';

/** Kinds of file systems that are memory, by the number that statfs(2) gives them: tmpfs and ramfs. */
const IN_MEMORY: ReadonlySet<number> = new Set([0x01_02_19_94, 0x85_84_58_f6]);

const FILE = 'policies';

/**
 * The last state that was applied, with its keys, for a restart while no controller is there. In a file that only this
 * user can read; in a pod, on memory that only the sidecar mounts.
 */
export class KeptState {
  readonly #path: string;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Throws a StartError where the folder is no memory: keys would come to lie on a disk. `allowDisk`: that is wanted. */
  static in(folder: string, allowDisk: boolean): KeptState {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    if (!allowDisk && !IN_MEMORY.has(statfsSync(folder).type))
      throw new StartError(
        `The state folder ${folder} is on a disk, and keys would come to lie there.`,
        'Mount memory there (in Kubernetes, an emptyDir with medium: Memory), or allow it with --state-on-disk.',
      );
    return new KeptState(join(folder, FILE));
  }

  /** `undefined`: there is none. An error where it cannot be used. */
  read(): Result<SidecarState, string> | undefined {
    let bytes: Buffer;
    try {
      bytes = readFileSync(this.#path);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'ENOENT' ? undefined : err(messageOf(error));
    }
    const state = decodeState(bytes);
    return state.ok ? ok(state.value) : state;
  }

  /** At once, in the place of the former. Throws what the file system does. */
  write(state: SidecarState): void {
    const next = `${this.#path}.next`;
    rmSync(next, { force: true });
    writeFileSync(next, encodeState(state), { mode: 0o600, flag: 'wx' });
    chmodSync(next, 0o600);
    renameSync(next, this.#path);
  }
}
