import { keyOf } from '../../core/leases/index.ts';
import type { Entry } from '../../core/leases/index.ts';

/**
 * The newest entry of each key, in the order in which those came: what is gone stays behind what it takes with it. A key
 * that is gone never returns: numbers of leases are given once, and a window that is over is not opened again.
 */
export function newestOf(entries: Iterable<Entry>): Entry[] {
  const newest = new Map<string, Entry>();
  for (const entry of entries) {
    const key = keyFor(entry);
    newest.delete(key);
    newest.set(key, entry);
  }
  return [...newest.values()];
}

function keyFor(entry: Entry): string {
  switch (entry.kind) {
    case 'lease':
      return String(entry.lease);
    case 'account':
      return keyOf(entry);
    case 'share':
      return `${entry.lease}\n${keyOf(entry)}`;
  }
}
