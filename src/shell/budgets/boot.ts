import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** Names the run of the machine in which the journal was last in use. */
const BOOT_FILE = 'boot';

/**
 * Random for each start of the machine. A journal that was written in the same run is whole up to the last write,
 * however its process ended; after another start it is whole up to the last flush. `null` where the system does not say.
 * Source: proc(5), /proc/sys/kernel/random/boot_id.
 */
export function bootId(): string | null {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return null;
  }
}

/** The run in which the folder was last in use; `undefined` where it never was. */
export function readBoot(folder: string): string | undefined {
  try {
    return readFileSync(join(folder, BOOT_FILE), 'utf8').trim();
  } catch {
    return undefined;
  }
}

export function writeBoot(folder: string, boot: string): void {
  const path = join(folder, BOOT_FILE);
  const partial = `${path}.partial`;
  const descriptor = openSync(partial, 'w', 0o600);
  try {
    writeSync(descriptor, `${boot}\n`);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(partial, path);
}
