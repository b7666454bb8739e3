import type { BudgetReport, LostLease, SpendEntry, SpendReport, SpendTable } from '../../shell/spending/index.ts';
import { csvLine } from '../terminal/csv.ts';
import { bar, printable, table } from '../terminal/table.ts';
import type { Column } from '../terminal/table.ts';
import type { Paint } from '../terminal/terminal.ts';

const BAR_WIDTH = 20;
const right = { align: 'right' } as const;

/** The report of /spend as tables, and what should be known besides. */
export function spendView(report: SpendReport, warnings: readonly string[], paint: Paint): string {
  const parts = report.totals.requests === 0 && report.budgets.length === 0 ? ['Nothing was spent yet.'] : sections(report, paint);
  return [...parts, ...warned(warnings, paint)].join('\n\n');
}

/** One table of `/spend?by=`. */
export function tableView({ by, rows }: SpendTable, warnings: readonly string[], paint: Paint): string {
  const parts = rows.length === 0 ? ['Nothing was spent then.'] : [section(`by ${by}`, rows, paint)];
  return [...parts, ...warned(warnings, paint)].join('\n\n');
}

/** The same for a spreadsheet, whole figures. */
export function spendCsv({ by, rows }: SpendTable): string {
  const head = [by, 'requests', 'estimated_requests', 'input_tokens', 'cached_input_tokens', 'output_tokens', 'reasoning_tokens', 'cost_usd', 'cost_cny'];
  const lines = rows.map((row) => [
    row.name,
    row.requests,
    row.estimatedRequests,
    row.inputTokens,
    row.cachedInputTokens,
    row.outputTokens,
    row.reasoningTokens,
    row.costUsd,
    row.costCny,
  ]);
  return [head, ...lines].map(csvLine).join('\n');
}

function warned(warnings: readonly string[], paint: Paint): string[] {
  return warnings.length === 0 ? [] : [warnings.map((warning) => paint('yellow', `! ${printable(warning, 300)}`)).join('\n')];
}

function sections(report: SpendReport, paint: Paint): string[] {
  return [
    section('by workload', report.byWorkload, paint),
    section('by model', report.byModel, paint),
    section('by provider', report.byProvider, paint),
    section('in all', [report.totals], paint),
    ...(report.budgets.length === 0 ? [] : [budgets(report.budgets, paint)]),
    ...(report.lost.length === 0 ? [] : [lostLeases(report.lost, paint)]),
  ];
}

function section(title: string, entries: readonly SpendEntry[], paint: Paint): string {
  const figures = ['requests', 'input', 'cached', 'output', 'reasoning', 'USD', 'CNY', 'estimated'];
  const columns: Column[] = [{ title }, ...figures.map((figure) => ({ title: figure, ...right }))];
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
  const amounts = ['posted', 'held', 'free', 'limit'].map((title) => ({ title, ...right }));
  const columns: Column[] = [{ title: 'budget' }, { title: 'for' }, { title: '' }, ...amounts, { title: 'until' }];
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
      report.windowEnd ?? 'no end',
    ];
  });
  return table(columns, rows, (text) => paint('bold', text));
}

/** What processors had when they were lost with their disks, and no record tells. */
function lostLeases(leases: readonly LostLease[], paint: Paint): string {
  const columns: Column[] = [
    { title: 'lost with its disk' },
    { title: 'lease', ...right },
    { title: 'budget' },
    { title: 'for' },
    { title: 'charged', ...right },
  ];
  const rows = leases.map(({ processor, lease, budget, subject, unit, amount }) => [
    printable(processor),
    String(lease),
    printable(budget),
    subject === '' ? 'all' : printable(subject),
    unit === 'usd' ? money(amount) : `${amount} ${unit}`,
  ]);
  return table(columns, rows, (text) => paint('bold', text));
}

/** To a hundredth of a cent; less only where that shows nothing. */
function money(decimal: string): string {
  const value = Number(decimal);
  return value !== 0 && Math.abs(value) < 0.0001 ? value.toFixed(7) : value.toFixed(4);
}
