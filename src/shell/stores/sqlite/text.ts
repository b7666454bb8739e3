/** A bigint in JSON: a string of digits with an `n` behind it. No name or id of ours has that form. */
const BIGINT = /^-?\d+n$/;

/** JSON that keeps bigints. */
export function toText(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => (typeof part === 'bigint' ? `${part}n` : part));
}

export function fromText(text: string): unknown {
  return JSON.parse(text, (_key, part: unknown) => (typeof part === 'string' && BIGINT.test(part) ? BigInt(part.slice(0, -1)) : part));
}
