import type { Row as StoredRow } from '../rows/index.ts';
import type { Row } from './session.ts';
import { fromColumn } from './text.ts';

/** As it was before it was made fit for a column. Of JSON in a column nothing was changed, and this would. */
export function rowFrom(row: Row): StoredRow {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, typeof value === 'string' ? fromColumn(value) : (value as number | null)]));
}
