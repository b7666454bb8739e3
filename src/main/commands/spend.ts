import { setTimeout as delay } from 'node:timers/promises';
import { DEFAULT_CNY_PER_USD } from '../../core/catalog/index.ts';
import { usdToNano } from '../../core/units/index.ts';
import { storedSpend } from '../../shell/budgets/index.ts';
import type { SpendReport } from '../../shell/budgets/index.ts';
import { BooksUnusable } from '../../shell/stores/sqlite/index.ts';
import { EXIT } from '../exit-codes.ts';
import { StartError } from '../start-error.ts';
import { painter } from '../terminal/terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { spendView } from '../views/spend.ts';

export interface SpendFlags {
  /** `undefined`: the usual address, else the state folder. */
  readonly admin?: URL;
  readonly state: string;
  readonly since?: Date;
  readonly watch: boolean;
  readonly json: boolean;
}

const DEFAULT_ADMIN = new URL('http://127.0.0.1:4001');
const WATCH_MS = 1000;
const ANSWER_WITHIN_MS = 10_000;

/** What a person should know besides the figures. */
interface Told {
  readonly report: SpendReport;
  readonly warnings: readonly string[];
}

/** Who spent what: from the server that runs, or from the books where none does at `usualAdmin`. */
export async function spend(flags: SpendFlags, terminal: Terminal, usualAdmin: URL = DEFAULT_ADMIN): Promise<number> {
  const paint = painter(terminal.colour);
  do {
    const { report, warnings } = await ask(flags, usualAdmin);
    const text = flags.json ? JSON.stringify({ ...report, warnings }, undefined, 2) : spendView(report, warnings, paint);
    terminal.out(flags.watch && terminal.interactive ? `\u001b[2J\u001b[H${text}\n` : `${text}\n`);
    if (flags.watch) await delay(WATCH_MS);
  } while (flags.watch);
  return EXIT.ok;
}

async function ask({ admin, state, since }: SpendFlags, usualAdmin: URL): Promise<Told> {
  const server = admin ?? usualAdmin;
  const url = new URL('/spend', server);
  if (since !== undefined) url.searchParams.set('since', since.toISOString());
  const answer = await getJson(url);
  if (answer !== undefined) {
    if (!isReport(answer.value))
      throw new StartError(
        `${url.href} answered ${answer.status}, and not as Airmesh does${problemIn(answer.value)}.`,
        'Name its administration address with --admin.',
      );
    return { report: answer.value, warnings: await warningsOf(server) };
  }
  const stored = admin === undefined ? await fromBooks(state, since) : undefined;
  if (stored === undefined)
    throw new StartError(
      `No Airmesh answers at ${server.origin}${admin === undefined ? `, and there are no books in ${state}` : ''}.`,
      'Start it with npm start, or name another with --admin.',
    );
  return { report: stored, warnings: [`No Airmesh answers at ${server.origin}: these are the books in ${state}, without budgets.`] };
}

async function fromBooks(state: string, since: Date | undefined): Promise<SpendReport | undefined> {
  try {
    return await storedSpend(state, since?.getTime() ?? 0, usdToNano(DEFAULT_CNY_PER_USD));
  } catch (error) {
    if (!(error instanceof BooksUnusable)) throw error;
    throw new StartError(`The books in ${state} cannot be read: ${error.message}.`, 'Nothing was changed. Start Airmesh to have damage looked after.', {
      cause: error,
    });
  }
}

/** Keys that their providers refuse, files that are broken: what /readyz tells, ready or not. */
async function warningsOf(server: URL): Promise<readonly string[]> {
  const readiness = (await getJson(new URL('/readyz', server)))?.value;
  if (!isRecord(readiness) || !Array.isArray(readiness['warnings'])) return [];
  return readiness['warnings'].filter((warning: unknown) => typeof warning === 'string');
}

/** `undefined`: nobody answers. */
async function getJson(url: URL): Promise<{ readonly status: number; readonly value: unknown } | undefined> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS), redirect: 'manual' }).catch(() => undefined);
  if (answer === undefined) return undefined;
  return { status: answer.status, value: await answer.json().catch(() => undefined) };
}

function isReport(value: unknown): value is SpendReport {
  return isRecord(value) && isRecord(value['totals']) && ['byWorkload', 'byModel', 'byProvider', 'budgets'].every((part) => Array.isArray(value[part]));
}

function problemIn(value: unknown): string {
  const error = isRecord(value) ? value['error'] : undefined;
  const message = isRecord(error) ? error['message'] : undefined;
  return typeof message === 'string' ? ` (${message.slice(0, 200)})` : '';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
