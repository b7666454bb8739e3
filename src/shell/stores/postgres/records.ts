import type { CallRecord } from '../../../core/call/index.ts';
import { FIGURE_COLUMNS, tallyOf, toText } from '../rows/index.ts';
import type { Figures, Tally } from '../rows/index.ts';
import type { Ask, Statement } from './session.ts';
import { digest, toColumn } from './text.ts';

/** What one processor has told. */
export interface ToldRecords {
  readonly processor: string;
  readonly records: readonly CallRecord[];
}

const FIGURES = Object.keys(FIGURE_COLUMNS);
const FIGURE_TYPES = FIGURES.map((name) => `${name} numeric`).join(', ');
const added = (table: string): string => FIGURES.map((name) => `${name} = ${table}.${name} + excluded.${name}`).join(', ');

const KEEP = `
INSERT INTO airmesh_records (key, processor, id, ended_at, record)
SELECT row.* FROM json_to_recordset($1::json) AS row (key uuid, processor text, id text, ended_at bigint, record text) ORDER BY row.key
ON CONFLICT (key) DO NOTHING RETURNING key`;

/**
 * In the order of their keys, so that two controllers never wait for each other. What a processor posts counts for leases of its
 * own; and in windows that no share has, together: buckets of rolling ones are many.
 */
const COUNT = `
WITH totals AS (
  INSERT INTO airmesh_totals
  SELECT row.* FROM json_to_recordset($1::json) AS row (day int, key uuid, namespace text, workload text, model text, provider text, ${FIGURE_TYPES}) ORDER BY day, key
  ON CONFLICT (day, key) DO UPDATE SET ${added('airmesh_totals')}),
subjects AS (
  INSERT INTO airmesh_subjects
  SELECT row.* FROM json_to_recordset($2::json) AS row (day int, key uuid, budget text, subject text, ${FIGURE_TYPES}) ORDER BY day, key
  ON CONFLICT (day, key) DO UPDATE SET ${added('airmesh_subjects')})
INSERT INTO airmesh_posted (lease, window_key, limit_id, subject, "window", amount)
SELECT lease, CASE WHEN has_share THEN window_key ELSE no_window_key END AS key, min(limit_id), min(subject), CASE WHEN has_share THEN "window" ELSE 0 END, sum(amount)
FROM (
  SELECT row.*, EXISTS (SELECT FROM airmesh_shares WHERE airmesh_shares.lease = row.lease AND airmesh_shares.window_key = row.window_key) AS has_share
  FROM json_to_recordset($3::json)
    AS row (processor text, lease bigint, window_key uuid, no_window_key uuid, limit_id text, subject text, "window" bigint, amount numeric)
  JOIN airmesh_leases ON airmesh_leases.lease = row.lease AND airmesh_leases.processor = row.processor
) AS own
GROUP BY 1, 2, 5 ORDER BY 1, 2
ON CONFLICT (lease, window_key) DO UPDATE SET amount = airmesh_posted.amount + excluded.amount`;

/** Within a transaction: keeps what is new of them, and counts it. */
export async function keepRecords(ask: Ask, told: readonly ToldRecords[]): Promise<void> {
  const byKey = new Map(told.flatMap(({ processor, records }) => records.map((record) => [digest(processor, record.id), { processor, record }] as const)));
  const rows = [...byKey].map(([key, { processor, record }]) => ({
    key,
    processor: toColumn(processor),
    id: toColumn(record.id),
    ended_at: record.endedAt,
    record: toText(record),
  }));
  const kept = await ask({ name: 'keep', text: KEEP, values: [JSON.stringify(rows)] });
  const added = kept.flatMap(({ key }) => byKey.get(String(key).replaceAll('-', '')) ?? []);
  if (added.length > 0) await ask(countStatement(added));
}

function countStatement(added: readonly { readonly processor: string; readonly record: CallRecord }[]): Statement {
  const { totals, subjects } = tallyOf(added.map(({ record }) => record));
  const values = [totals.map(totalRow), subjects.map(subjectRow), postedRows(added)];
  return { name: 'count', text: COUNT, values: values.map((rows) => JSON.stringify(rows)) };
}

function totalRow({ day, namespace, workload, model, provider, figures }: Tally['totals'][number]): object {
  const names = { namespace: toColumn(namespace), workload: toColumn(workload), model: toColumn(model), provider: toColumn(provider) };
  return { day, key: digest(namespace, workload, model, provider), ...names, ...figuresRow(figures) };
}

function subjectRow({ day, budget, subject, figures }: Tally['subjects'][number]): object {
  return { day, key: digest(budget, subject), budget: toColumn(budget), subject: toColumn(subject), ...figuresRow(figures) };
}

function* eachPosted(
  added: readonly { readonly processor: string; readonly record: CallRecord }[],
): Generator<Tally['posted'][number] & { readonly processor: string }> {
  for (const [processor, own] of Map.groupBy(added, (each) => each.processor))
    for (const posted of tallyOf(own.map(({ record }) => record)).posted) yield { processor, ...posted };
}

function postedRows(added: readonly { readonly processor: string; readonly record: CallRecord }[]): object[] {
  return [...eachPosted(added)].map(({ processor, lease, limit, subject, windowStart, amount }) => ({
    processor: toColumn(processor),
    lease,
    window_key: digest(limit, subject, windowStart),
    no_window_key: digest(limit, subject, 0),
    limit_id: toColumn(limit),
    subject: toColumn(subject),
    window: windowStart,
    amount: String(amount),
  }));
}

function figuresRow(figures: Figures): object {
  return Object.fromEntries(Object.entries(FIGURE_COLUMNS).map(([column, figure]) => [column, String(figures[figure])]));
}
