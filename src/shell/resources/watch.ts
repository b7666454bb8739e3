import { statSync, watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { readResources } from './read.ts';
import type { ReadResult } from './read.ts';

/** Editors write a file in several steps; what is read in between is not what its author means. */
const SETTLE_MS = 50;

/** File notifications get lost (network file systems, replaced folders), so the files' times are compared as well. */
const POLL_MS = 500;

/** Reads again whenever a file changes, and says so. Stops when `close` is called. */
export function watchResources(paths: readonly string[], onChange: (result: ReadResult) => void): { close(): void } {
  let known = readResources(paths).files;
  let seen = stamps(known);
  let settling: NodeJS.Timeout | undefined;
  let watchers: FSWatcher[] = [];

  const check = (): void => {
    const result = readResources(paths);
    const now = stamps(result.files);
    if (now === seen) return;
    seen = now;
    known = result.files;
    observe();
    onChange(result);
  };
  const soon = (): void => {
    clearTimeout(settling);
    settling = setTimeout(check, SETTLE_MS);
  };
  const observe = (): void => {
    for (const watcher of watchers) watcher.close();
    watchers = [];
    for (const path of paths) {
      try {
        watchers.push(watch(path, { persistent: false }, soon).on('error', () => undefined));
      } catch {
        // The poll below sees what cannot be watched.
      }
    }
  };
  observe();
  const poll = setInterval(() => {
    if (stamps(known) !== seen) soon();
  }, POLL_MS);
  poll.unref();
  return {
    close: () => {
      clearInterval(poll);
      clearTimeout(settling);
      for (const watcher of watchers) watcher.close();
    },
  };
}

/** Times, sizes and inodes of files, as one text to compare. */
function stamps(files: readonly string[]): string {
  return files
    .map((file) => {
      const stat = statSync(file, { throwIfNoEntry: false });
      return stat === undefined ? `${file}?` : `${file}:${stat.ino}:${stat.size}:${stat.mtimeMs}`;
    })
    .join('\n');
}
