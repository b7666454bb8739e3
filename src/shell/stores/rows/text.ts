import type { CallRecord } from '../../../core/call/index.ts';

/** A bigint in JSON: a string of digits with an `n` behind it. No name or id of ours has that form. */
const BIGINT = /^-?\d+n$/;

/** JSON that keeps bigints. */
export function toText(value: unknown): string {
  return JSON.stringify(withoutBigints(value));
}

/** Several times as fast as a replacer function, which is asked about every part. */
function withoutBigints(value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(withoutBigints);
  const copy: Record<string, unknown> = {};
  for (const name in value) copy[name] = withoutBigints((value as Record<string, unknown>)[name]);
  return copy;
}

export function fromText(text: string): unknown {
  return JSON.parse(text, (_key, part: unknown) => (typeof part === 'string' && BIGINT.test(part) ? BigInt(part.slice(0, -1)) : part));
}

/** A record, several times as fast as `fromText`: its bigints are where they are. */
export function recordFromText(text: string): CallRecord {
  const record = JSON.parse(text) as { -readonly [Field in keyof CallRecord]: CallRecord[Field] };
  record.heldNanoUsd = bigintOf(record.heldNanoUsd);
  record.chargedNanoUsd = bigintOf(record.chargedNanoUsd);
  if (record.costNanoUsd !== undefined) record.costNanoUsd = bigintOf(record.costNanoUsd);
  record.posted = record.posted.map((posted) => ({ ...posted, amount: bigintOf(posted.amount) }));
  return record;
}

/** Of rows that hold a record each. */
export function recordsIn(rows: readonly unknown[]): CallRecord[] {
  return (rows as readonly { readonly record: string }[]).map(({ record }) => recordFromText(record));
}

const bigintOf = (text: unknown): bigint => BigInt(String(text).slice(0, -1));
