import { setTimeout as delay } from 'node:timers/promises';
import type { BudgetReport, SpendEntry, SpendReport } from '../../shell/budgets/index.ts';
import { EXIT } from '../exit-codes.ts';
import { StartError } from '../start-error.ts';
import { bar, printable, table } from '../terminal/table.ts';
import { painter } from '../terminal/terminal.ts';
import type { Paint, Terminal } from '../terminal/terminal.ts';

export interface SpendFlags {
  readonly admin: URL;
  readonly since?: string;
  readonly watch: boolean;
  readonly json: boolean;
}

const WATCH_MS = 1000;
const BAR_WIDTH = 20;

/** Who spent what, from the server that runs. */
export async function spend(flags: SpendFlags, terminal: Terminal): Promise<number> {
  const paint = painter(terminal.colour);
  do {
    const report = await ask(flags);
    const text = flags.json ? `${JSON.stringify(report, undefined, 2)}\n` : `${view(report, paint)}\n`;
    terminal.out(flags.watch && terminal.interactive ? `\u001b[2J\u001b[H${text}` : text);
    if (flags.watch) await delay(WATCH_MS);
  } while (flags.watch);
  return EXIT.ok;
}

async function ask({ admin, since }: SpendFlags): Promise<SpendReport> {
  const url = new URL('/spend', admin);
  if (since !== undefined) url.searchParams.set('since', since);
  const answer = await fetch(url, { signal: AbortSignal.timeout(10_000) }).catch((error: unknown) => {
    throw new StartError(`No Airmesh answers at ${admin.origin}.`, 'Start it with npm start, or name another with --admin.', { cause: error });
  });
  if (!answer.ok) throw new StartError(`${url.href} answered ${answer.status}: ${(await answer.text()).slice(0, 300)}`, 'Mend the question.');
  return (await answer.json()) as SpendReport;
}

function view(report: SpendReport, paint: Paint): string {
  if (report.totals.requests === 0 && report.budgets.length === 0) return 'Nothing was spent yet.';
  const parts = [section('by workload', report.byWorkload, paint), section('by model', report.byModel, paint), section('by provider', report.byProvider, paint), section('in all', [report.totals], paint)];
  return [...parts, ...(report.budgets.length === 0 ? [] : [budgets(report.budgets, paint)])].join('\n\n');
}

const right = { align: 'right' } as const;

function section(title: string, entries: readonly SpendEntry[], paint: Paint): string {
  const columns = [{ title }, { title: 'requests', ...right }, { title: 'input', ...right }, { title: 'cached', ...right }, { title: 'output', ...right }, { title: 'reasoning', ...right }, { title: 'USD', ...right }, { title: 'CNY', ...right }, { title: 'estimated', ...right }];
  const rows = entries.map((entry) => [
    printable(entry.name),
    ...[entry.requests, entry.inputTokens, entry.cachedInputTokens, entry.outputTokens, entry.reasoningTokens].map((figure) => figure.toLocaleString('en')),
    money(entry.costUsd),
    money(entry.costCny),
    entry.estimatedRequests === 0 ? '' : String(entry.estimatedRequests),
  ]);
  return table(columns, rows, (text) => paint('bold', text));
}

function budgets(reports: readonly BudgetReport[], paint: Paint): string {
  const columns = [{ title: 'budget' }, { title: 'for' }, { title: '' }, { title: 'posted', ...right }, { title: 'held', ...right }, { title: 'free', ...right }, { title: 'limit', ...right }, { title: 'until' }];
  const rows = reports.map((report) => {
    const share = Number(report.posted) / Number(report.limit);
    const shown = (text: string): string => (report.unit === 'usd' ? money(text) : `${text} ${report.unit}`);
    return [
      printable(report.budget),
      report.subject === '' ? 'all' : printable(report.subject),
      paint(share > 0.9 ? 'red' : share > 0.7 ? 'yellow' : 'green', bar(share, Number(report.pending) / Number(report.limit), BAR_WIDTH)),
      shown(report.posted),
      shown(report.pending),
      shown(report.free),
      shown(report.limit),
      report.windowEnd ?? 'for ever',
    ];
  });
  return table(columns, rows, (text) => paint('bold', text));
}

/** To a hundredth of a cent; less only where that shows nothing. */
function money(decimal: string): string {
  const value = Number(decimal);
  return value !== 0 && Math.abs(value) < 0.0001 ? value.toFixed(7) : value.toFixed(4);
}
