/** What is kept of an authority, and which state of it this is. */
export interface Kept {
  readonly text: string;
  /** Told to `replace`: nothing happened in between. */
  readonly revision: string;
}

/**
 * Where an authority's roots and keys are kept, for all controllers that share it. What it holds is opaque to it, and secret.
 * Both methods throw `StoreUnreachable` where the answer cannot be had.
 */
export interface AuthorityStore {
  /** For people: what and where, such as `Secret airmesh-system/airmesh-interception`. */
  readonly place: string;
  /** `undefined`: nothing is kept yet. */
  read(): Promise<Kept | undefined>;
  /** Keeps `text` instead of the state that `expected` names (`undefined`: nothing). `false`: another was first, and nothing changed. */
  replace(expected: string | undefined, text: string): Promise<boolean>;
}

/** The store did not answer; what is in memory goes on. Says nothing of what it holds. */
export class StoreUnreachable extends Error {
  override readonly name = 'StoreUnreachable';
}

/** What is wrong with what is kept, and where; quotes none of it. */
export interface AuthorityFault {
  /** Such as `Secret airmesh-system/airmesh-interception: roots[1].key`. */
  readonly where: string;
  readonly reason: string;
}
