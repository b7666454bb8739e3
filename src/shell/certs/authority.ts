import { inspect } from 'node:util';
import { err, ok } from '../../core/units/index.ts';
import type { EpochMs, Result } from '../../core/units/index.ts';
import { constraintFault } from './constraints.ts';
import { readDocument, writeDocument } from './document.ts';
import type { KeyedCertificate } from './keyed.ts';
import { namesFault } from './names.ts';
import { Root, inSeconds } from './root.ts';
import { phaseOf, planRoots } from './rotation.ts';
import type { Plan } from './rotation.ts';
import { StoreUnreachable } from './store.ts';
import type { AuthorityFault, AuthorityStore, Kept } from './store.ts';
import { SKEW_MS } from './terms.ts';
import type { AuthorityTerms } from './terms.ts';

/** So many others can be first, one after the other. */
const MAX_ATTEMPTS = 16;

export interface AuthorityParts {
  readonly store: AuthorityStore;
  readonly terms: AuthorityTerms;
  readonly now: () => EpochMs;
}

/** Whom a leaf is for, at least one name of any kind. */
export interface LeafWishes {
  readonly dns?: readonly string[];
  readonly ips?: readonly string[];
  readonly uris?: readonly string[];
  readonly lifetimeMs: number;
  /** Whether its holder may show it to servers as well. */
  readonly isClient?: boolean;
}

/** What `tend` found. */
export interface Tended {
  /** Whether the bundle is another one than before. */
  readonly isBundleNew: boolean;
}

/**
 * A certificate authority whose roots follow each other by themselves. Several processes that share a store are one authority:
 * whoever is first makes what is due, and the others take it over.
 *
 * `tend` is to be called every hour or so; all else works from memory, so that a store out of reach stops nothing.
 */
export class Authority {
  readonly #parts: AuthorityParts;
  #roots: readonly Root[] = [];
  /** The text that they were read from: it is looked at often, and seldom changes. */
  #text: string | undefined;
  /** The bundle of which `tend` last told. */
  #told = '';

  private constructor(parts: AuthorityParts) {
    this.#parts = parts;
  }

  /** The error: what is kept is damaged, or cannot be reached. Nothing is made in its place: others may still trust it. */
  static async open(parts: AuthorityParts): Promise<Result<Authority, AuthorityFault>> {
    const authority = new Authority(parts);
    const tended = await authority.tend();
    return tended.ok ? ok(authority) : tended;
  }

  /** All roots that are to be trusted now: the present one, the next, and former ones whose leaves have not ended. PEM. */
  bundle(): string {
    const now = this.#parts.now();
    return this.#roots
      .filter((root) => phaseOf(root, now) !== 'Ended')
      .map(({ certificate }) => `${certificate}\n`)
      .join('');
  }

  /**
   * A leaf with a key of its own, ECDSA P-256. Valid from five minutes ago, as clocks differ; its end is in whole seconds, and
   * within the root's. The error says which name no certificate can be had for. Throws on a lifetime that the terms do not allow.
   */
  async issue({ dns = [], ips = [], uris = [], lifetimeMs, isClient = false }: LeafWishes): Promise<Result<KeyedCertificate, AuthorityFault>> {
    const { terms, now, store } = this.#parts;
    if (!(lifetimeMs > 0 && lifetimeMs <= terms.maxLeafMs)) throw new RangeError(`a leaf of ${lifetimeMs} ms; the most is ${terms.maxLeafMs} ms`);
    const refused = namesFault(dns, ips, uris) ?? constraintFault(terms.constraints, dns, ips);
    if (refused !== undefined) return err({ where: `a certificate of the ${terms.name} authority`, reason: refused });
    let issuedAt = now();
    let signer = this.#signerAt(issuedAt);
    if (signer === undefined) {
      // Nobody has tended it for a root's time, as when the machine slept.
      const tended = await this.tend();
      if (!tended.ok) return tended;
      issuedAt = now();
      signer = this.#signerAt(issuedAt);
    }
    if (signer === undefined) return err({ where: store.place, reason: 'no root signs now' });
    const notAfter = inSeconds(Math.min(issuedAt + lifetimeMs, signer.endsAt));
    return ok(await signer.issue({ dns, ips, uris, notBefore: inSeconds(issuedAt - SKEW_MS), notAfter, isClient }));
  }

  /** Takes over what others did, and does what is due. The error changes nothing: what is in memory goes on. */
  async tend(): Promise<Result<Tended, AuthorityFault>> {
    try {
      const settled = await this.#settle();
      if (!settled.ok) return settled;
      const before = this.#told;
      this.#told = this.bundle();
      return ok({ isBundleNew: this.#told !== before });
    } catch (error) {
      if (error instanceof StoreUnreachable) return err({ where: this.#parts.store.place, reason: error.message });
      throw error;
    }
  }

  toJSON(): unknown {
    return { authority: this.#parts.terms.name, roots: this.#roots };
  }

  [inspect.custom](): string {
    return `Authority ${this.#parts.terms.name} with ${this.#roots.length} roots`;
  }

  /** Until the roots are as the store has them, and nothing is due. */
  async #settle(): Promise<Result<true, AuthorityFault>> {
    const { store, terms } = this.#parts;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const kept = await store.read();
      const found = this.#rootsOf(kept);
      if (!found.ok) return found;
      const now = this.#parts.now();
      const plan = planRoots(found.value, now, terms.signsMs);
      if (plan === 'ClockIsBehind')
        return err({ where: store.place, reason: `roots were made later than this machine's clock says it is (${new Date(now).toISOString()})` });
      const keyless = plan.keep.find(({ hasKey }) => !hasKey);
      if (keyless !== undefined)
        return err({ where: store.place, reason: `the root that signs until ${new Date(keyless.signsUntil).toISOString()} has no key` });
      if (kept !== undefined && !isDue(plan, found.value)) return ok(true);
      const made = await Promise.all(plan.make.map((times) => Root.make(terms, now, times)));
      const roots = [...plan.withoutKey.map((root) => (root.hasKey ? root.withoutKey() : root)), ...plan.keep, ...made].toSorted(
        (one, other) => one.signsFrom - other.signsFrom,
      );
      const text = writeDocument(terms.name, roots);
      if (!(await store.replace(kept?.revision, text))) continue;
      this.#take(text, roots);
      return ok(true);
    }
    return err({ where: store.place, reason: `others changed it ${MAX_ATTEMPTS} times while it was being changed here` });
  }

  /** What was removed from under a running authority is put back: others trust it. */
  #rootsOf(kept: Kept | undefined): Result<readonly Root[], AuthorityFault> {
    const { store, terms } = this.#parts;
    if (kept === undefined || kept.text === this.#text) return ok(this.#roots);
    const read = readDocument(kept.text, terms.name, store.place);
    if (read.ok) this.#take(kept.text, read.value);
    return read;
  }

  #take(text: string, roots: readonly Root[]): void {
    this.#text = text;
    this.#roots = roots;
  }

  #signerAt(now: EpochMs): Root | undefined {
    return this.#roots.find((root) => root.hasKey && phaseOf(root, now) === 'Present');
  }
}

function isDue({ make, keep, withoutKey }: Plan<Root>, roots: readonly Root[]): boolean {
  return make.length > 0 || keep.length + withoutKey.length < roots.length || withoutKey.some(({ hasKey }) => hasKey);
}
