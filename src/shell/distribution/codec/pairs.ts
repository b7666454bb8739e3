import { list, text } from '../../wire/index.ts';
import type { Raw } from '../../wire/index.ts';

export const rawPairs = (pairs: Iterable<readonly [string, string]>): Raw[] => [...pairs].map(([name, value]) => ({ name, value }));

/** In their order. */
export function readPairs(raw: Raw, field: string, most: number): [string, string][] {
  return list(raw, field, most, (pair) => [text(pair, 'name'), text(pair, 'value')]);
}
