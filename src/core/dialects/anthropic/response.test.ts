import { describe, expect, it } from 'vitest';
import type { AnswerShape, ResponseMeter } from '../types.ts';
import { match } from './endpoints.ts';
import { meter } from './response.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

function run(text: string, kind: AnswerShape['kind'], more: { path?: string; status?: number } = {}): ResponseMeter {
  const found = match('POST', more.path ?? '/v1/messages');
  if (found.kind !== 'endpoint') throw new Error('path');
  const made = meter(found.endpoint, { kind, status: more.status ?? 200, hideStreamUsage: true });
  const chunk = bytesOf(text);
  expect(made.push(chunk, false)).toBe(chunk);
  made.push(new Uint8Array(0), true);
  return made;
}

const event = (type: string, more: object = {}): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
const start = (usage: unknown): string => event('message_start', { message: { id: 'msg_1', model: 'claude-x', content: [], usage } });
const text = (words: string): string => event('content_block_delta', { index: 0, delta: { type: 'text_delta', text: words } });
const end = (usage: unknown, reason: string | null = 'end_turn'): string =>
  event('message_delta', { delta: { stop_reason: reason, stop_sequence: null }, usage });
const STOP = event('message_stop');
const message = (usage: unknown): string =>
  JSON.stringify({ id: 'msg_1', type: 'message', model: 'claude-x', content: [{ type: 'text', text: 'Hello' }], usage });

const ALL = {
  input_tokens: 10,
  output_tokens: 4,
  cache_creation_input_tokens: 7,
  cache_read_input_tokens: 5,
  cache_creation: { ephemeral_1h_input_tokens: 2, ephemeral_5m_input_tokens: 5 },
  output_tokens_details: { thinking_tokens: 3 },
  server_tool_use: { web_search_requests: 2, web_fetch_requests: 9 },
  service_tier: 'priority',
};
const READ = { inputTokens: 22, outputTokens: 4, cachedInputTokens: 5, cacheWriteTokens: 7, cacheWriteLongTokens: 2, reasoningTokens: 3, hostedToolCalls: 2 };

describe('a JSON answer', () => {
  it('counts what was cached as input', () => {
    const made = run(message(ALL), 'json');
    expect([made.reading(), made.end(), made.servedModel(), made.servedTier?.(), made.outputTokensSoFar()]).toEqual([
      { kind: 'reported', usage: READ },
      'complete',
      'claude-x',
      'standard',
      4,
    ]);
  });

  it.each<[unknown, object]>([
    [
      { input_tokens: 10, output_tokens: 4 },
      { inputTokens: 10, outputTokens: 4 },
    ],
    [
      { input_tokens: 10, output_tokens: 4, cache_read_input_tokens: null, cache_creation: null, server_tool_use: null, service_tier: null },
      { inputTokens: 10, outputTokens: 4 },
    ],
    [
      { input_tokens: 10, output_tokens: 4, cache_creation: { ephemeral_1h_input_tokens: 2, ephemeral_5m_input_tokens: 5 } },
      { inputTokens: 17, outputTokens: 4, cacheWriteTokens: 7, cacheWriteLongTokens: 2 },
    ],
    [
      {
        input_tokens: 10,
        output_tokens: 4,
        iterations: [
          { type: 'message', input_tokens: 10, output_tokens: 4 },
          { type: 'compaction', input_tokens: 100, output_tokens: 30, cache_read_input_tokens: 1 },
        ],
      },
      { inputTokens: 111, outputTokens: 34 },
    ],
  ])('reads the usage %j', (usage, expected) => {
    expect(run(message(usage), 'json').reading()).toEqual({ kind: 'reported', usage: expected });
  });

  it.each<[unknown, string]>([
    [{ input_tokens: null, output_tokens: 4 }, 'no input tokens'],
    [{ input_tokens: 10 }, 'no output tokens'],
    [{ input_tokens: '10', output_tokens: 4 }, 'input_tokens'],
    [{ input_tokens: -1, output_tokens: 4 }, 'input_tokens'],
    [{ input_tokens: 1.5, output_tokens: 4 }, 'input_tokens'],
    [{ input_tokens: 10, output_tokens: 4, cache_read_input_tokens: -3 }, 'cache_read_input_tokens'],
    [{ input_tokens: 10, output_tokens: 4, cache_creation: [] }, 'cache_creation'],
    [{ input_tokens: 10, output_tokens: 4, server_tool_use: { web_search_requests: 'x' } }, 'web_search_requests'],
    [{ input_tokens: 10, output_tokens: 4, output_tokens_details: { thinking_tokens: 5 } }, 'thinking_tokens'],
    [{ input_tokens: 10, output_tokens: 4, cache_creation_input_tokens: 1, cache_creation: { ephemeral_1h_input_tokens: 2 } }, 'ephemeral_1h_input_tokens'],
    ['many', 'usage is not an object'],
    [null, 'no input tokens'],
  ])('takes no reading from the usage %j', (usage, problem) => {
    expect(run(message(usage), 'json').reading()).toEqual({ kind: 'invalid', problem: expect.stringContaining(problem), outputBytes: 5 });
  });

  it('is an error by its status, and by its error where the status says nothing', () => {
    const body = JSON.stringify({ type: 'error', error: { type: 'overloaded_error', message: 'x' } });
    expect([run(body, 'json', { status: 529 }).reading(), run(body, 'json', { status: 529 }).end()]).toEqual([{ kind: 'missing', outputBytes: 0 }, 'complete']);
    expect(run(body, 'json').end()).toBe('error_event');
  });

  it('costs nothing where tokens were counted', () => {
    const made = run('{"input_tokens":2095}', 'json', { path: '/v1/messages/count_tokens' });
    expect([made.reading(), made.end()]).toEqual([{ kind: 'reported', usage: { inputTokens: 0, outputTokens: 0 } }, 'complete']);
  });
});

describe('a stream', () => {
  it('takes the last figure of each kind', () => {
    const made = run(
      start({ ...ALL, output_tokens: 1, input_tokens: 8 }) +
        event('ping') +
        text('Hello') +
        end({ output_tokens: 2 }, null) +
        end({ output_tokens: 4, input_tokens: 10, cache_read_input_tokens: null }) +
        STOP,
      'sse',
    );
    expect([made.reading(), made.end(), made.servedModel(), made.servedTier?.()]).toEqual([
      { kind: 'reported', usage: READ },
      'complete',
      'claude-x',
      'standard',
    ]);
  });

  it.each([
    ['no end', start(ALL) + text('Hello'), { kind: 'missing', outputBytes: 5 }, 'truncated'],
    ['an end without figures', start(ALL) + text('Hello') + end(undefined) + STOP, { kind: 'missing', outputBytes: 5 }, 'complete'],
    ['a part of the figures', start(ALL) + text('Hello') + end({ output_tokens: 2 }, null), { kind: 'missing', outputBytes: 5 }, 'truncated'],
    [
      'the figures and no stop',
      start({ input_tokens: 1, output_tokens: 1 }) + end({ output_tokens: 2 }),
      { kind: 'reported', usage: { inputTokens: 1, outputTokens: 2 } },
      'truncated',
    ],
    [
      'an error',
      start(ALL) + text('Hello') + event('error', { error: { type: 'overloaded_error', message: 'x' } }),
      { kind: 'missing', outputBytes: 5 },
      'error_event',
    ],
    [
      'a negative figure',
      start(ALL) + end({ output_tokens: -2 }) + STOP,
      { kind: 'invalid', problem: 'output_tokens is not a whole number of tokens', outputBytes: 0 },
      'complete',
    ],
    [
      'a broken figure',
      start(ALL) + 'data: {"type":"message_delta","usage":{\n\n' + STOP,
      { kind: 'invalid', problem: expect.stringContaining('JSON'), outputBytes: 0 },
      'complete',
    ],
    [
      'an end in its text',
      start(ALL) +
        text('{"type":"message_stop"}') +
        event('content_block_start', { content_block: { type: 'tool_use', input: { type: 'message_stop', usage: {}, error: 1 } } }),
      { kind: 'missing', outputBytes: 27 },
      'truncated',
    ],
  ])('with %s reads as it should', (_, body, reading, ended) => {
    const made = run(body, 'sse');
    expect([made.reading(), made.end()]).toEqual([reading, ended]);
  });

  it('counts what was thought, said and asked of tools for an estimate', () => {
    const delta = (of: object): string => event('content_block_delta', { index: 0, delta: of });
    const made = run(
      start(ALL) +
        delta({ type: 'thinking_delta', thinking: 'hmm' }) +
        delta({ type: 'signature_delta', signature: 'x'.repeat(99) }) +
        delta({ type: 'input_json_delta', partial_json: '{"a":' }),
      'sse',
    );
    expect([made.reading(), made.outputTokensSoFar()]).toEqual([{ kind: 'missing', outputBytes: 3 + 7 }, 4]);
  });
});

describe('anything else', () => {
  it('says only how long it is', () => {
    const made = run('<html>', 'other');
    expect([made.reading(), made.end(), made.servedModel(), made.outputTokensSoFar()]).toEqual([{ kind: 'missing', outputBytes: 6 }, 'complete', undefined, 0]);
    expect(run('<html>', 'other', { status: 502 }).reading()).toEqual({ kind: 'missing', outputBytes: 0 });
  });
});
