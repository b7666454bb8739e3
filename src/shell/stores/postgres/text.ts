import { hash } from 'node:crypto';

/**
 * A text as PostgreSQL can keep it: no NUL, no half of a surrogate pair. Different texts stay different, but for such halves,
 * which no UTF-8 has either.
 */
export function toColumn(text: string): string {
  const whole = text.toWellFormed();
  return MARKED.test(whole) ? whole.replaceAll('\\', String.raw`\\`).replaceAll('\0', String.raw`\0`) : whole;
}

export function fromColumn(column: string): string {
  return column.includes('\\') ? column.replaceAll(/\\([\\0])/g, (_, mark) => (mark === '0' ? '\0' : '\\')) : column;
}

/**
 * Stands for a key of any length: an index takes no more than a third of a page. Half of SHA-256, as a UUID is written; who
 * looks for two keys with the same one tries 2^64.
 */
export function digest(...key: readonly (string | number)[]): string {
  return hash('sha256', JSON.stringify(key), 'hex').slice(0, DIGEST_LENGTH);
}

/** What cannot be kept, and what marks it. */
// oxlint-disable-next-line no-control-regex
const MARKED = /[\0\\]/;
const DIGEST_LENGTH = 32;
