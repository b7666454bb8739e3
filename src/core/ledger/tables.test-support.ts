import { expect, it } from 'vitest';
import { Ledger } from './index.ts';
import type { AccountRef, Granted, LimitSpec, Quote, Refused, ReserveCommand, Settlement, Waiting } from './index.ts';

/**
 * A table is a run: when, what is done, what comes of it. Every limit counts tokens unless it says otherwise; a call's
 * input is free, so its hold is its cap. `a 30 of day,hour/x` reserves 30 as "a" in two accounts (subject after the slash).
 */
export type Row = readonly [seconds: number, command: string, outcome: string];

export const START = Date.parse('2026-05-04T10:00:00Z');

export const team: LimitSpec = {
  id: 'team',
  unit: 'tokens',
  limit: 100n,
  window: { kind: 'lifetime' },
  mode: 'Strict',
  nearLimit: 'Reject',
  floorOutputTokens: 10,
  waitMs: 30_000,
  kind: 'budget',
};
export const limit = (id: string, changes: Partial<LimitSpec> = {}): LimitSpec => ({ ...team, id, ...changes });
export const minute = { kind: 'calendar', unit: 'minute', timeZone: 'UTC' } as const;
export const rate = { kind: 'rate', mode: 'Bounded', waitMs: 0, window: { kind: 'rolling', durationMs: 60_000 } } as const;

export function accountsOf(names: string): AccountRef[] {
  return names.split(',').map((name) => {
    const [id = '', subject = ''] = name.split('/');
    return { limit: id, subject };
  });
}

export function quoteOf(cap: number, changes: Partial<Quote> = {}): Quote {
  return {
    fixedNanoUsd: 0n,
    outputNanoUsdPerMillion: 1_000_000n,
    inputTokens: 0,
    choices: 1,
    outputCap: cap,
    capIsDefault: false,
    estimate: { nanoUsd: BigInt(cap), tokens: cap },
    ...changes,
  };
}

export function reservation(id: string, cap: number, names: string, seconds = 0, quote: Partial<Quote> = {}): ReserveCommand {
  return { id, at: START + seconds * 1_000, now: seconds * 1_000, accounts: accountsOf(names), quote: quoteOf(cap, quote), profile: 'shop' };
}

export function actual(tokens: number): Extract<Settlement, { kind: 'actual' }> {
  return { kind: 'actual', actual: { nanoUsd: BigInt(tokens), tokens, outputTokens: tokens } };
}

export function told(outcome: Granted | Refused | Waiting): string {
  switch (outcome.kind) {
    case 'waiting':
      return 'waits';
    case 'refused':
      return `${outcome.reason} in ${outcome.account.limit}${outcome.retryAtMs === undefined ? '' : `, retry at ${(outcome.retryAtMs - START) / 1_000}`}`;
    case 'granted':
      return [`granted ${outcome.outputCap}`, ...(outcome.shrunk ? ['shrunk'] : []), ...outcome.observed.map((account) => `over ${account.limit}`)].join(', ');
  }
}

export class Table {
  readonly #ledger = new Ledger();

  constructor(limits: readonly LimitSpec[]) {
    expect(this.#ledger.configure(limits, START, 0)).toEqual({ ok: true, value: undefined });
  }

  outcomeOf(seconds: number, command: string): string {
    const [at, now] = [START + seconds * 1_000, seconds * 1_000];
    const first = this.#carryOut(command.split(' '), seconds, at, now);
    return [first, ...this.#ledger.takeDecided().map((outcome) => `${outcome.id} ${told(outcome)}`)].filter((text) => text !== '').join('; ');
  }

  #carryOut([word = '', ...rest]: string[], seconds: number, at: number, now: number): string {
    const [name = '', amount = '0', names = '', flag] = rest;
    switch (word) {
      case 'settle':
        return this.#settle(name, actual(Number(amount)), at, now);
      case 'estimate':
        return this.#settle(name, { kind: 'estimated', estimate: actual(Number(amount)).actual }, at, now);
      case 'void':
        return this.#settle(name, { kind: 'void' }, at, now);
      case 'cancel':
        return this.#ledger.cancel(name, at, now) ? 'left' : 'nothing';
      case 'advance':
        this.#ledger.advance(at, now);
        return '';
      case 'next':
        return String((this.#ledger.nextDeadline() ?? NaN) / 1_000);
      case 'view': {
        const [view] = accountsOf(name).map((account) => this.#ledger.view(account, at));
        return view ? `${view.posted} ${view.pending} ${view.free}` : 'nothing';
      }
      case 'limit': {
        const limits = amount === '0' ? [limit('other')] : [limit(name, { limit: BigInt(amount) }), limit('other')];
        return this.#ledger.configure(limits, at, now).ok ? '' : 'refused';
      }
      // <id> <cap> of <accounts> [default]
      default:
        return told(this.#ledger.reserve(reservation(word, Number(name), names, seconds, { capIsDefault: flag === 'default' })));
    }
  }

  #settle(id: string, settlement: Settlement, at: number, now: number): string {
    const settled = this.#ledger.settle(id, settlement, at, now);
    if (!settled) return 'nothing';
    return [`posted ${settled.posted.map(({ amount }) => amount).join('+')}`, ...(settled.overrun ?? []).map(({ amount }) => `${amount} over`)].join(', ');
  }
}

export function table(name: string, limits: readonly LimitSpec[], rows: readonly Row[]): void {
  it(name, () => {
    const run = new Table(limits);
    expect(rows.map(([seconds, command]) => [seconds, command, run.outcomeOf(seconds, command)])).toEqual(rows);
  });
}
