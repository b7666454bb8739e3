import { homedir } from 'node:os';
import { isAbsolute, join } from 'node:path';

/**
 * Where the books are kept unless `--state` says otherwise: the user's state folder (XDG Base Directory Specification,
 * `XDG_STATE_HOME`, which counts only when absolute), or macOS's place for what an application keeps.
 */
export function defaultStateFolder(environment: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform, home: string = homedir()): string {
  const named = environment['AIRMESH_STATE'];
  if (named !== undefined && named !== '') return named;
  const xdg = environment['XDG_STATE_HOME'];
  if (xdg !== undefined && isAbsolute(xdg)) return join(xdg, 'airmesh');
  return platform === 'darwin' ? join(home, 'Library', 'Application Support', 'airmesh') : join(home, '.local', 'state', 'airmesh');
}
