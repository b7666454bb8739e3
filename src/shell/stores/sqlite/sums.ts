import type { DatabaseSync } from 'node:sqlite';
import type { SpendQuery, SpendRow } from '../../../core/call/index.ts';
import { FIGURE_COLUMNS, GROUPING_COLUMNS, daysOf, keyedFiguresIn, spendRows, sumsTable } from '../rows/index.ts';
import type { KeyedFigures, Row } from '../rows/index.ts';

const SUMS = Object.keys(FIGURE_COLUMNS)
  .map((name) => `CAST(SUM(${name}) AS TEXT) AS ${name}`)
  .join(', ');

/** Sums in a processor's own books, where a workload is kept with its namespace in one column. */
export function spendIn(database: DatabaseSync, query: SpendQuery): SpendRow[] {
  const { by } = query;
  const { from, to } = daysOf(query);
  const isByWorkload = by === 'workload' || by === 'namespace';
  const columns = isByWorkload ? 'workload' : GROUPING_COLUMNS[by].join(', ');
  const rows = database.prepare(`SELECT ${columns}, ${SUMS} FROM ${sumsTable(by)} WHERE day BETWEEN ? AND ? GROUP BY ${columns}`).all(from, to) as Row[];
  return spendRows(
    by,
    rows.map((row): KeyedFigures => (isByWorkload ? { ...keyedFiguresIn(by, row), ...workloadIn(row) } : keyedFiguresIn(by, row))),
  );
}

/** No namespace holds a `/`. */
function workloadIn(row: Row): Pick<KeyedFigures, 'namespace' | 'workload'> {
  const [namespace = '', ...workload] = String(row['workload']).split('/');
  return { namespace, workload: workload.join('/') };
}
