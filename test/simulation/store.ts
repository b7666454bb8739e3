import { keyOf } from '../../src/core/leases/index.ts';
import type { Entry } from '../../src/core/leases/index.ts';

/** What the authority's store must be: a term that only rises, and entries that are kept all or none, while the term is the writer's. */
export class Store {
  term = 0;
  /** While it is not, nobody hears from it; what was on its way to it may have got there. */
  isReachable = true;
  readonly rows = new Map<string, Entry>();

  /** A new term for a new authority: from now on, all before it are refused. */
  lead(): number {
    this.term += 1;
    return this.term;
  }

  commit(term: number, entries: readonly Entry[]): boolean {
    if (term !== this.term) return false;
    for (const entry of entries) this.rows.set(rowKey(entry), entry);
    return true;
  }
}

export function rowKey(entry: Entry): string {
  switch (entry.kind) {
    case 'lease':
      return `lease ${entry.lease}`;
    case 'account':
      return keyOf(entry);
    case 'share':
      return `${entry.lease}\n${keyOf(entry)}`;
  }
}
