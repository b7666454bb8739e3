import { describe, expect, it } from 'vitest';
import type { UsageReading } from '../dialects/index.ts';
import { verdictOf } from './settlement.ts';
import type { Outcome, Verdict } from './settlement.ts';

const reported: UsageReading = { kind: 'reported', usage: { inputTokens: 3, outputTokens: 4 } };
const missing: UsageReading = { kind: 'missing', outputBytes: 12 };
const invalid: UsageReading = { kind: 'invalid', problem: 'usage is a string', outputBytes: 12 };

const answered: Outcome = { status: 200, local: undefined, how: 'complete', body: 'complete', reading: reported };

const rows: readonly [name: string, outcome: Partial<Outcome>, ending: Verdict['ending'], basis: Verdict['basis']][] = [
  ['a whole answer with usage', {}, 'finished', 'actual'],
  ['a whole answer without usage', { reading: missing }, 'finished', 'estimated'],
  ['a whole answer with unusable usage', { reading: invalid }, 'finished', 'estimated'],
  ['the caller closes right after [DONE]', { how: 'closed' }, 'finished', 'actual'],
  ['the caller leaves in the middle', { how: 'closed', body: 'truncated', reading: missing }, 'client_gone', 'estimated'],
  ['the caller leaves after a running total', { how: 'closed', body: 'truncated' }, 'client_gone', 'estimated'],
  ['an error event ends the stream', { body: 'error_event', reading: missing }, 'stream_error', 'estimated'],
  ['the provider stops in the middle', { body: 'truncated', reading: missing }, 'stream_error', 'estimated'],
  ['a running total, then nothing', { body: 'truncated' }, 'stream_error', 'estimated'],
  ['the provider refuses', { status: 400, reading: missing }, 'provider_error', 'void'],
  ['the provider refuses, and says what it billed', { status: 429 }, 'provider_error', 'actual'],
  ['the provider fails', { status: 500, reading: missing, how: 'closed', body: 'truncated' }, 'provider_error', 'void'],
  ['no connection', { status: 503, local: 'unreachable', reading: missing }, 'provider_reset', 'void'],
  ['reset after the request was sent', { status: 503, local: 'reset', reading: missing }, 'provider_reset', 'estimated'],
  ['no answer in time', { status: 504, local: 'timeout', reading: missing }, 'timeout', 'estimated'],
  ['the caller leaves before the answer', { status: 0, how: 'closed', body: undefined, reading: missing }, 'client_gone', 'estimated'],
  ['never sent on', { status: 0, how: 'unsent', body: undefined, reading: missing }, 'client_gone', 'void'],
];

describe('verdictOf', () => {
  it.each(rows)('%s', (_name, outcome, ending, basis) => {
    expect(verdictOf({ ...answered, ...outcome })).toEqual({ ending, basis });
  });
});
