import { statSync, watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { resourceFiles } from './read.ts';

/** Editors write a file in several steps; what is read in between is not what its author means. */
const SETTLE_MS = 50;

/** What else lies in a folder may change all the time; it is not waited for longer than this. */
const LONGEST_SETTLE_MS = 250;

/** File notifications get lost (network file systems, replaced folders), so the files' times are compared as well. */
const POLL_MS = 250;

/** Says whenever a file of resources changes; it reads none, as that may take long. Stops when `close` is called. */
export function watchResources(paths: readonly string[], onChange: () => void): { close(): void } {
  let known = resourceFiles(paths);
  let seen = stampsOf(known);
  let settling: NodeJS.Timeout | undefined;
  let unsettledSince: number | undefined;
  let watchers: FSWatcher[] = [];

  const check = (): void => {
    unsettledSince = undefined;
    const before = seen;
    known = resourceFiles(paths);
    seen = stampsOf(known);
    if (seen.all === before.all) return;
    observe();
    if (seen.files !== before.files) onChange();
  };
  const soon = (): void => {
    unsettledSince ??= performance.now();
    clearTimeout(settling);
    settling = setTimeout(check, Math.max(0, Math.min(SETTLE_MS, unsettledSince + LONGEST_SETTLE_MS - performance.now())));
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
    if (stampsOf(known).all !== seen.all) soon();
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

/** Times, sizes and inodes, as texts to compare. A folder's change when anything comes or goes in it, which its files may not be about. */
function stampsOf(paths: readonly string[]): { readonly all: string; readonly files: string } {
  const stamps = paths.map((path) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    return { isFolder: stat?.isDirectory() === true, text: stat === undefined ? `${path}?` : `${path}:${stat.ino}:${stat.size}:${stat.mtimeMs}` };
  });
  const textOf = (some: typeof stamps): string => some.map(({ text }) => text).join('\n');
  return { all: textOf(stamps), files: textOf(stamps.filter(({ isFolder }) => !isFolder)) };
}
