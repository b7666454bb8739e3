import type { AdminSources } from './sources.ts';

/** An answer, before it is written. */
export interface Page {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

interface PageDefinition {
  readonly about: string;
  readonly parameters: readonly string[];
  make(sources: AdminSources, parameters: ReadonlyMap<string, string>): Promise<Page> | Page;
}

const JSON_TYPE = 'application/json; charset=utf-8';

/** All that is there. The 404 page lists it, so that nobody has to look a path up. */
const PAGES: ReadonlyMap<string, PageDefinition> = new Map([
  ['/', { about: 'all of it to look at, in a browser', parameters: ['days'], make: dashboardPage }],
  ['/healthz', { about: 'whether the process works', parameters: [], make: healthPage }],
  ['/readyz', { about: 'whether Envoy runs the present configuration, and why not', parameters: [], make: readinessPage }],
  ['/metrics', { about: 'metrics for Prometheus', parameters: [], make: metricsPage }],
  ['/spend', { about: 'who spent what, and what is left of the budgets', parameters: ['since', 'until', 'by'], make: spendPage }],
  ['/records', { about: 'a record of each call, page by page', parameters: ['since', 'until', 'after', 'count'], make: recordsPage }],
  ['/config', { about: 'the policies in force, without keys and prompts', parameters: [], make: configurationPage }],
]);

/** The answer to `GET target`, a path with or without a query. */
export async function pageFor(target: string, sources: AdminSources): Promise<Page> {
  const url = URL.parse(target, 'http://admin.invalid');
  if (url?.pathname === '/style.css' && sources.dashboard !== undefined)
    return { status: 200, contentType: 'text/css; charset=utf-8', body: sources.dashboard.style };
  const definition = url === null ? undefined : PAGES.get(url.pathname);
  if (url === null || definition === undefined || !isShown(url.pathname, sources)) return notFoundPage(sources);
  const unknown = [...url.searchParams.keys()].find((name) => !definition.parameters.includes(name));
  if (unknown !== undefined) return errorPage(400, 'unknown_parameter', parameterProblem(url.pathname, unknown, definition.parameters));
  return definition.make(sources, new Map(url.searchParams));
}

export function errorPage(status: number, code: string, message: string, more: object = {}): Page {
  return jsonPage(status, { error: { code, message, ...more } });
}

function jsonPage(status: number, value: object): Page {
  return { status, contentType: JSON_TYPE, body: `${JSON.stringify(value, writeBigInt, 2)}\n` };
}

/** What is never made for whoever can ask here. */
function isShown(path: string, { spend, records, configuration, dashboard }: AdminSources): boolean {
  const optional = new Map<string, unknown>([
    ['/', dashboard],
    ['/spend', spend],
    ['/records', records],
    ['/config', configuration],
  ]);
  return !optional.has(path) || optional.get(path) !== undefined;
}

function notFoundPage(sources: AdminSources): Page {
  const shown = [...PAGES].filter(([path]) => isShown(path, sources));
  const paths = Object.fromEntries(shown.map(([path, { about }]) => [path, about]));
  return errorPage(404, 'not_found', 'There is no such page here. This is the administration address; AI calls go to the other one.', { pages: paths });
}

function healthPage(sources: AdminSources): Page {
  return sources.healthy() ? jsonPage(200, { status: 'ok' }) : errorPage(503, 'unhealthy', 'The process cannot do its work; restart it and see its log.');
}

async function readinessPage(sources: AdminSources): Promise<Page> {
  const readiness = await sources.readiness();
  return jsonPage(readiness.ready ? 200 : 503, readiness);
}

async function metricsPage(sources: AdminSources): Promise<Page> {
  return { status: 200, ...(await sources.metrics()) };
}

async function spendPage(sources: AdminSources, parameters: ReadonlyMap<string, string>): Promise<Page> {
  const report = await sources.spend?.(parameters);
  if (report === undefined) return notFoundPage(sources);
  return report.ok ? jsonPage(200, report.value) : errorPage(400, 'invalid_parameter', report.error);
}

async function recordsPage(sources: AdminSources, parameters: ReadonlyMap<string, string>): Promise<Page> {
  const page = await sources.records?.(parameters);
  if (page === undefined) return notFoundPage(sources);
  return page.ok ? jsonPage(200, page.value) : errorPage(400, 'invalid_parameter', page.error);
}

async function dashboardPage(sources: AdminSources, parameters: ReadonlyMap<string, string>): Promise<Page> {
  const page = await sources.dashboard?.page(parameters);
  if (page === undefined) return notFoundPage(sources);
  return page.ok ? { status: 200, contentType: 'text/html; charset=utf-8', body: page.value } : errorPage(400, 'invalid_parameter', page.error);
}

function configurationPage(sources: AdminSources): Page {
  return sources.configuration === undefined ? notFoundPage(sources) : jsonPage(200, sources.configuration());
}

function parameterProblem(path: string, name: string, known: readonly string[]): string {
  const shown = name.length > 64 ? `${name.slice(0, 64)}…` : name;
  return `${path} knows no parameter ${JSON.stringify(shown)}; ${known.length === 0 ? 'it takes none' : `it takes ${known.join(', ')}`}.`;
}

/** JSON has no big integers; money and counts of ours are decimal strings. */
function writeBigInt(_name: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
