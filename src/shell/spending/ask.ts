import { SPEND_GROUPINGS } from '../../core/call/index.ts';
import type { CallRecord, RecordQuery, SpendGrouping } from '../../core/call/index.ts';
import { err, ok } from '../../core/units/index.ts';
import type { EpochMs, Result } from '../../core/units/index.ts';
import { spendReport, spendTable } from './report.ts';
import type { Period, SpendReport, SpendSource, SpendTable } from './report.ts';

/** Records in one answer. */
const MAX_PAGE = 1_000;

type Parameters = ReadonlyMap<string, string>;

/** Records that ended in a period, those first that ended first. */
export interface RecordPage {
  readonly records: readonly CallRecord[];
  /** What `after` is for the next page; `null` where there is none. */
  readonly next: string | null;
}

/** `/spend`: with `by` one table, without it all that people look for. An error says which parameter is wrong. */
export async function answerSpend(source: SpendSource, parameters: Parameters): Promise<Result<SpendReport | SpendTable, string>> {
  const period = readPeriod(parameters);
  if (!period.ok) return period;
  const by = parameters.get('by');
  if (by === undefined) return ok(await spendReport(source, period.value));
  if (!isGrouping(by)) return err(`by=${shown(by)} is none of ${SPEND_GROUPINGS.join(', ')}`);
  return ok(await spendTable(source, by, period.value));
}

/** `/records`: one page. Nothing that writes waits for it. */
export async function answerRecords(source: SpendSource, parameters: Parameters): Promise<Result<RecordPage, string>> {
  const period = readPeriod(parameters);
  if (!period.ok) return period;
  const count = Number(parameters.get('count') ?? MAX_PAGE);
  if (!Number.isInteger(count) || count < 1 || count > MAX_PAGE)
    return err(`count=${shown(parameters.get('count') ?? '')} is not a number from 1 to ${MAX_PAGE}`);
  const after = readAfter(parameters.get('after'));
  if (!after.ok) return after;
  const records = await source.records({ ...period.value, count, ...(after.value === undefined ? {} : { after: after.value }) });
  const last = records.length === count ? records.at(-1) : undefined;
  return ok({ records, next: last === undefined ? null : `${last.endedAt},${last.id}` });
}

function readPeriod(parameters: Parameters): Result<Period, string> {
  const [since, until] = [readTime(parameters, 'since'), readTime(parameters, 'until')];
  if (!since.ok) return since;
  if (!until.ok) return until;
  return ok({ sinceMs: since.value ?? 0, ...(until.value === undefined ? {} : { untilMs: until.value }) });
}

function readTime(parameters: Parameters, name: string): Result<EpochMs | undefined, string> {
  const text = parameters.get(name);
  if (text === undefined) return ok(undefined);
  const time = Date.parse(text);
  return Number.isNaN(time) ? err(`${name}=${shown(text)} is not a time; write one such as 2026-01-31 or 2026-01-31T12:00:00Z`) : ok(time);
}

/** An ending and an id, as `next` writes them. */
function readAfter(text: string | undefined): Result<RecordQuery['after'], string> {
  if (text === undefined) return ok(undefined);
  const [, endedAt = '', id = ''] = /^(\d{1,16}),(.+)$/s.exec(text) ?? [];
  return id === '' ? err(`after=${shown(text)} is not what a page before has said`) : ok({ endedAt: Number(endedAt), id });
}

const isGrouping = (text: string): text is SpendGrouping => (SPEND_GROUPINGS as readonly string[]).includes(text);

const shown = (text: string): string => (text.length > 64 ? `${text.slice(0, 64)}…` : text);
