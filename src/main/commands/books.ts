import { DEFAULT_CNY_PER_USD } from '../../core/catalog/index.ts';
import { usdToNano } from '../../core/units/index.ts';
import type { Result } from '../../core/units/index.ts';
import { openStoredBooks } from '../../shell/budgets/index.ts';
import { answerRecords, answerSpend } from '../../shell/spending/index.ts';
import type { SpendSource } from '../../shell/spending/index.ts';
import { BooksUnusable } from '../../shell/stores/sqlite/index.ts';
import { StartError } from '../start-error.ts';

/** Which books a command reads. */
export interface BooksFlags {
  /** Of a controller, or of a process that runs. `undefined`: the usual address, else the state folder. */
  readonly admin?: URL;
  readonly state: string;
}

export interface PeriodFlags {
  readonly since?: Date;
  readonly until?: Date;
}

export const DEFAULT_ADMIN = new URL('http://127.0.0.1:4001');
const ANSWER_WITHIN_MS = 60_000;

/** One question after the other, all to the same books. */
export interface Books {
  /** What should be known besides the figures. */
  readonly warnings: readonly string[];
  /** `isAnswer`: whether that is what was asked for. Throws a StartError where it is not. */
  ask<T>(question: string, parameters: URLSearchParams, isAnswer: (value: unknown) => value is T): Promise<T>;
  close(): Promise<void>;
}

/** The books of the server that answers, else those in the state folder. Throws a StartError where there are none. */
export async function openBooks({ admin, state }: BooksFlags, usualAdmin: URL): Promise<Books> {
  const server = admin ?? usualAdmin;
  const readiness = await getJson(new URL('/readyz', server));
  if (readiness !== undefined) return serversBooks(server, warningsIn(readiness.value));
  const stored = admin === undefined ? await storedBooks(state) : undefined;
  if (stored === undefined)
    throw new StartError(
      `No Airmesh answers at ${server.origin}${admin === undefined ? `, and there are no books in ${state}` : ''}.`,
      'Start it with npm start, or name another with --admin.',
    );
  return { ...stored, warnings: [`No Airmesh answers at ${server.origin}: these are the books in ${state}, without budgets.`] };
}

export function periodParameters({ since, until }: PeriodFlags): URLSearchParams {
  const parameters = new URLSearchParams();
  if (since !== undefined) parameters.set('since', since.toISOString());
  if (until !== undefined) parameters.set('until', until.toISOString());
  return parameters;
}

function serversBooks(server: URL, warnings: readonly string[]): Books {
  return {
    warnings,
    ask: async (question, parameters, isAnswer) => {
      const url = new URL(question, server);
      url.search = parameters.toString();
      const answer = await getJson(url);
      if (answer === undefined) throw new StartError(`${server.origin} answers no more.`, 'See whether it still runs.');
      if (isAnswer(answer.value)) return answer.value;
      throw new StartError(
        `${url.href} answered ${answer.status}, and not as Airmesh does${problemIn(answer.value)}.`,
        'Name its administration address with --admin.',
      );
    },
    close: async () => undefined,
  };
}

async function storedBooks(state: string): Promise<Omit<Books, 'warnings'> | undefined> {
  const source = await reading(state, () => openStoredBooks(state, usdToNano(DEFAULT_CNY_PER_USD)));
  if (source === undefined) return undefined;
  return {
    ask: async (question, parameters, isAnswer) => {
      const answer = await reading(state, () => answerTo(source, question, new Map(parameters)));
      if (!answer.ok) throw new StartError(`${answer.error}.`, 'Mend it.');
      const value: unknown = JSON.parse(JSON.stringify(answer.value, (_name, part: unknown) => (typeof part === 'bigint' ? String(part) : part)));
      if (!isAnswer(value)) throw new Error(`${question} is not answered as it should be`);
      return value;
    },
    close: () => source.close(),
  };
}

function answerTo(source: SpendSource, question: string, parameters: ReadonlyMap<string, string>): Promise<Result<object, string>> {
  return question === '/records' ? answerRecords(source, parameters) : answerSpend(source, parameters);
}

async function reading<T>(state: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof BooksUnusable)) throw error;
    throw new StartError(`The books in ${state} cannot be read: ${error.message}.`, 'Nothing was changed. Start Airmesh to have damage looked after.', {
      cause: error,
    });
  }
}

/** `undefined`: nobody answers. */
async function getJson(url: URL): Promise<{ readonly status: number; readonly value: unknown } | undefined> {
  const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS), redirect: 'manual' }).catch(() => undefined);
  if (answer === undefined) return undefined;
  return { status: answer.status, value: await answer.json().catch(() => undefined) };
}

/** Keys that their providers refuse, files that are broken: what /readyz tells, ready or not. */
function warningsIn(readiness: unknown): readonly string[] {
  if (!isRecord(readiness) || !Array.isArray(readiness['warnings'])) return [];
  return readiness['warnings'].filter((warning: unknown) => typeof warning === 'string');
}

function problemIn(value: unknown): string {
  const error = isRecord(value) ? value['error'] : undefined;
  const message = isRecord(error) ? error['message'] : undefined;
  return typeof message === 'string' ? ` (${message.slice(0, 200)})` : '';
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
