import type { Status } from '../../core/control/index.ts';
import { err, ok } from '../../core/units/index.ts';
import type { EpochMs, Result } from '../../core/units/index.ts';
import type { Dashboard, Readiness } from '../admin/index.ts';
import { spendReport, spendTable } from '../spending/index.ts';
import type { SpendReport, SpendSource, SpendTable } from '../spending/index.ts';
import { budgetsSection } from './budgets.ts';
import { NOTHING, html } from './html.ts';
import type { Html } from './html.ts';
import { resourcesSection } from './resources.ts';
import { daysSection, lostSection, sumsSection, tableSection } from './spending.ts';
import { STYLE } from './style.ts';

/** What the page shows, asked for anew each time. */
export interface OverviewSources {
  /** The program's. */
  readonly version: string;
  readonly spending: SpendSource;
  readonly readiness: () => Promise<Readiness> | Readiness;
  /** Of a cluster; absent where resources are files. */
  readonly resources?: () => readonly ResourceRow[];
  readonly now: () => EpochMs;
}

/** A resource, and what its status says. */
export interface ResourceRow {
  readonly kind: string;
  /** `namespace/name` */
  readonly id: string;
  readonly status: Status;
}

const DAY_MS = 86_400_000;
const TODAY = '1';
const PERIODS: ReadonlyMap<string, string> = new Map([
  [TODAY, 'today'],
  ['7', '7 days'],
  ['30', '30 days'],
  ['all', 'all'],
]);
const DEFAULT_PERIOD = '7';
/** So that who leaves it open sees what is so now. */
const REFRESH_S = 15;

/** For an administration server. */
export const dashboardOf = (sources: OverviewSources): Dashboard => ({ page: (parameters) => overviewOf(sources, parameters), style: STYLE });

/** The page for `?days=`, whole days of UTC up to now. An error says which parameter is wrong. */
export async function overviewOf(sources: OverviewSources, parameters: ReadonlyMap<string, string>): Promise<Result<string, string>> {
  const days = parameters.get('days') ?? DEFAULT_PERIOD;
  if (!PERIODS.has(days)) return err(`days is none of ${[...PERIODS.keys()].join(', ')}`);
  const now = sources.now();
  const sinceMs = days === 'all' ? 0 : Math.floor(now / DAY_MS) * DAY_MS - (Number(days) - 1) * DAY_MS;
  const [report, byDay, readiness] = await Promise.all([
    spendReport(sources.spending, { sinceMs }),
    // One day alone is no course.
    days === TODAY ? undefined : spendTable(sources.spending, 'day', { sinceMs }),
    sources.readiness(),
  ]);
  return ok(pageOf({ days, now, version: sources.version, report, byDay, readiness, resources: sources.resources?.() }));
}

interface Shown {
  readonly days: string;
  readonly now: EpochMs;
  readonly version: string;
  readonly report: SpendReport;
  readonly byDay: SpendTable | undefined;
  readonly readiness: Readiness;
  readonly resources: readonly ResourceRow[] | undefined;
}

function pageOf({ days, now, version, report, byDay, readiness, resources }: Shown): string {
  const period = ([value, name]: readonly [string, string]): Html =>
    value === days ? html`<a href="?days=${value}" aria-current="page">${name}</a>` : html`<a href="?days=${value}">${name}</a>`;
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta http-equiv="refresh" content="${REFRESH_S}" />
        <title>Airmesh</title>
        <link rel="stylesheet" href="style.css" />
      </head>
      <body>
        <header>
          <h1>Airmesh</h1>
          <span>${version}</span>
          <nav>${[...PERIODS].map(period)}</nav>
        </header>
        <main>
          ${toldSection(readiness)} ${sumsSection(report.totals)} ${byDay === undefined ? NOTHING : daysSection(byDay)} ${budgetsSection(report.budgets)}
          ${tableSection('By workload', report.byWorkload)} ${tableSection('By model', report.byModel)} ${tableSection('By provider', report.byProvider)}
          ${lostSection(report.lost)} ${resources === undefined ? NOTHING : resourcesSection(resources)}
        </main>
        <footer>As of ${new Date(now).toISOString()}. Days are UTC's. The same figures: /spend, /records, /metrics, or <code>airmesh spend</code>.</footer>
      </body>
    </html> `.text;
}

/** What keeps it from its work, and what people should know though calls go on. */
function toldSection({ reasons, warnings }: Readiness): Html {
  const section = (kind: string, title: string, lines: readonly string[]): Html =>
    lines.length === 0
      ? NOTHING
      : html`<section class="told ${kind}">
          <h2>${title}</h2>
          ${lines.map((line) => html`<p>${line}</p>`)}
        </section>`;
  return html`${section('bad', 'Not ready', reasons)}${section('', 'To be looked at', warnings)}`;
}
