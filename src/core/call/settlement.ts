import type { BodyEnd, UsageReading } from '../dialects/index.ts';
import type { ExchangeEnd, LocalAnswer } from './request.ts';
import type { Ending } from './record.ts';

/** All that is known of an answer when its exchange is over. */
export interface Outcome {
  /** 0 where no answer began. */
  readonly status: number;
  readonly local: LocalAnswer | undefined;
  readonly how: ExchangeEnd;
  /** How the body ended by its own bytes; `undefined` where none was read. */
  readonly body: BodyEnd | undefined;
  readonly reading: UsageReading;
}

/**
 * What an ending means for the money. `actual`: the provider's own count is final. `estimated`: it may have billed, and
 * did not say what. `void`: it cannot have billed.
 */
export interface Verdict {
  readonly ending: Ending;
  readonly basis: 'actual' | 'estimated' | 'void';
}

/**
 * The table of endings, first match wins. An answer with an error status is the provider's word that it did not serve,
 * which no provider that is known here bills; silence is not such a word.
 */
export function verdictOf(outcome: Outcome): Verdict {
  const { status, local, how, body, reading } = outcome;
  if (how === 'cut') return { ending: 'cut', basis: 'estimated' };
  if (how === 'unsent') return { ending: 'client_gone', basis: 'void' };
  if (local === 'unreachable') return { ending: 'provider_reset', basis: 'void' };
  if (local === 'reset') return { ending: 'provider_reset', basis: 'estimated' };
  if (local === 'timeout') return { ending: 'timeout', basis: 'estimated' };
  if (status === 0) return { ending: 'client_gone', basis: 'estimated' };
  if (status >= 400) return { ending: 'provider_error', basis: reading.kind === 'reported' ? 'actual' : 'void' };
  if (body === 'complete' && reading.kind === 'reported') return { ending: 'finished', basis: 'actual' };
  if (how === 'closed' && body !== 'error_event') return { ending: 'client_gone', basis: 'estimated' };
  return { ending: body === 'complete' ? 'finished' : 'stream_error', basis: 'estimated' };
}
