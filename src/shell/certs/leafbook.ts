import type { EpochMs } from '../../core/units/index.ts';
import type { Authority } from './authority.ts';
import type { KeyedCertificate } from './keyed.ts';
import { renewalTime } from './renewal.ts';
import type { AuthorityFault } from './store.ts';

/** Calls go on for a third of it when controllers are down. */
const LIFETIME_MS = 7 * 86_400_000;

export interface LeafBookParts {
  readonly authority: Pick<Authority, 'issue'>;
  readonly now: () => EpochMs;
  /** In [0, 1). */
  readonly chance: () => number;
  readonly lifetimeMs?: number;
}

/** What there is for those that were asked for. */
export interface Leaves {
  /** By holder, then by host. A host for which none can be had is absent. */
  readonly of: ReadonlyMap<string, ReadonlyMap<string, KeyedCertificate>>;
  readonly faults: readonly (AuthorityFault & { readonly host: string })[];
  /** When the first of them is to be made anew; absent where there are none. */
  readonly dueAt?: EpochMs;
}

interface Entry {
  readonly leaf: KeyedCertificate;
  readonly dueAt: EpochMs;
}

/**
 * Leaves for hosts that sidecars intercept. Each holder (a workload) has keys of its own, so that one sidecar's are of no use
 * against another's application. They stay the same until they are due.
 */
export class LeafBook {
  readonly #parts: LeafBookParts;
  #entries: ReadonlyMap<string, ReadonlyMap<string, Entry>> = new Map();

  constructor(parts: LeafBookParts) {
    this.#parts = parts;
  }

  /** Leaves for exactly these hosts of each holder. What is missing or due is issued; what is not asked for is forgotten. */
  async tend(wanted: ReadonlyMap<string, readonly string[]>): Promise<Leaves> {
    const faults = new Map<string, AuthorityFault & { readonly host: string }>();
    const entries = new Map<string, ReadonlyMap<string, Entry>>();
    for (const [holder, hosts] of wanted) {
      const own = new Map<string, Entry>();
      for (const host of hosts) {
        const entry = await this.#entryFor(host, this.#entries.get(holder)?.get(host));
        if ('leaf' in entry) own.set(host, entry);
        else faults.set(host, { ...entry, host });
      }
      entries.set(holder, own);
    }
    this.#entries = entries;
    const dueTimes = [...entries.values()].flatMap((own) => [...own.values()].map(({ dueAt }) => dueAt));
    return {
      of: new Map([...entries].map(([holder, own]) => [holder, new Map([...own].map(([host, { leaf }]) => [host, leaf]))])),
      faults: [...faults.values()],
      ...(dueTimes.length === 0 ? {} : { dueAt: dueTimes.reduce((first, each) => Math.min(first, each)) }),
    };
  }

  /** A leaf that is due and can't be made anew stays as long as it is valid. */
  async #entryFor(host: string, kept: Entry | undefined): Promise<Entry | AuthorityFault> {
    const { authority, now, chance, lifetimeMs = LIFETIME_MS } = this.#parts;
    if (kept !== undefined && now() < kept.dueAt) return kept;
    const issued = await authority.issue({ dns: [host], lifetimeMs });
    if (issued.ok) return { leaf: issued.value, dueAt: renewalTime(now(), issued.value.notAfter, chance()) };
    return kept !== undefined && now() < kept.leaf.notAfter ? kept : issued.error;
  }
}
