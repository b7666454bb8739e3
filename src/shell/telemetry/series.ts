/**
 * Combinations of label values that a metric may have. Names of models come from callers, and each new one would
 * otherwise cost memory here and in every monitoring system, for ever.
 */
export const MAX_CALL_SERIES = 300;

/** Accounts of budgets that are shown one by one; a budget per header value can have any number. */
export const MAX_BUDGET_SERIES = 300;

const MAX_LABEL_LENGTH = 128;

/** What everything beyond a bound is counted under. */
export const OTHER = 'other';

/** A label value as it is shown: bounded in length. */
export function labelValue(text: string): string {
  return text.length > MAX_LABEL_LENGTH ? `${text.slice(0, MAX_LABEL_LENGTH - 1)}…` : text;
}

/** The first `limit` distinct keys keep a value of their own; later ones share `overflow`. */
export class BoundedSeries<T> {
  readonly #limit: number;
  readonly #overflow: T;
  readonly #entries = new Map<string, T>();
  #overflowed = 0;

  constructor(limit: number, overflow: T) {
    this.#limit = limit;
    this.#overflow = overflow;
  }

  get(key: string, make: () => T): T {
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    if (this.#entries.size >= this.#limit) {
      this.#overflowed += 1;
      return this.#overflow;
    }
    const made = make();
    this.#entries.set(key, made);
    return made;
  }

  /** How often the shared value was given. */
  get overflowed(): number {
    return this.#overflowed;
  }
}
