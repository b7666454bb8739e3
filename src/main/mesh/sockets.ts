import { lstatSync, mkdirSync, mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * A folder for the sockets between the processor and its Envoy, of this user alone. Where it lies follows from the state folder
 * itself, whatever it is called: who uses that next finds an Envoy that was left. Another one where somebody else has that name.
 */
export function openSocketFolder(stateDir: string): string {
  const { dev, ino } = statSync(stateDir, { bigint: true });
  const folder = join(tmpdir(), `airmesh-${dev.toString(36)}-${ino.toString(36)}`);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    if (!isOwn(folder)) return mkdtempSync(join(tmpdir(), 'airmesh-'));
  }
  return folder;
}

function isOwn(path: string): boolean {
  const { mode, uid } = lstatSync(path);
  return (mode & 0o170_077) === 0o040_000 && uid === process.getuid?.();
}
