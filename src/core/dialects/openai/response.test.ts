import { describe, expect, it } from 'vitest';
import type { AnswerShape, Endpoint, ResponseMeter } from '../types.ts';
import { match } from './endpoints.ts';
import { meter } from './response.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

function endpoint(path: string): Endpoint {
  const found = match('POST', path);
  if (found.kind !== 'endpoint') throw new Error(path);
  return found.endpoint;
}

function run(path: string, body: string, shape: Partial<AnswerShape> = {}): { readonly meter: ResponseMeter; readonly out: string } {
  const made = meter(endpoint(path), { kind: 'json', status: 200, hideStreamUsage: false, ...shape });
  const out = textOf(made.push(bytesOf(body), false)) + textOf(made.push(new Uint8Array(0), true));
  return { meter: made, out };
}

const CHAT = '/v1/chat/completions';
const SSE = { kind: 'sse', hideStreamUsage: true } as const;
const data = (...events: readonly (object | string)[]): string =>
  events.map((event) => `data: ${typeof event === 'string' ? event : JSON.stringify(event)}\n\n`).join('');
const delta = (content: string, more: object = {}): object => ({
  id: 'c',
  object: 'chat.completion.chunk',
  model: 'gpt-4.1-2025-04-14',
  choices: [{ index: 0, delta: { content }, finish_reason: null }],
  ...more,
});
const usageOnly = (usage: unknown): object => ({ id: 'c', choices: [], usage });
const USAGE = { prompt_tokens: 10, completion_tokens: 4, total_tokens: 14 };
const READ = { inputTokens: 10, outputTokens: 4 };

describe('usage of a JSON answer', () => {
  it.each<[string, unknown, object]>([
    [
      CHAT,
      {
        ...USAGE,
        prompt_tokens_details: { cached_tokens: 3, audio_tokens: 1, image_tokens: null },
        completion_tokens_details: { reasoning_tokens: 2, audio_tokens: 0 },
      },
      { ...READ, cachedInputTokens: 3, inputAudioTokens: 1, reasoningTokens: 2, outputAudioTokens: 0 },
    ],
    [CHAT, { ...USAGE, prompt_cache_hit_tokens: 8, prompt_cache_miss_tokens: 2 }, { ...READ, cachedInputTokens: 8 }],
    [CHAT, { prompt_tokens: 10, completion_tokens: 4, total_tokens: 20 }, { inputTokens: 10, outputTokens: 10 }],
    [CHAT, { prompt_tokens: 10, total_tokens: 14 }, READ],
    ['/v1/embeddings', { prompt_tokens: 10, total_tokens: 10 }, { inputTokens: 10, outputTokens: 0 }],
    ['/v1/embeddings', { prompt_tokens: 10 }, { inputTokens: 10, outputTokens: 0 }],
    [
      '/v1/responses',
      {
        input_tokens: 10,
        input_tokens_details: { cached_tokens: 1, cache_write_tokens: 5, cache_write_tokens_details: { ttl_12h_tokens: 2, ttl_30m_tokens: 3 } },
        output_tokens: 4,
        output_tokens_details: { reasoning_tokens: 4 },
        total_tokens: 14,
      },
      { ...READ, cachedInputTokens: 1, cacheWriteTokens: 5, cacheWriteLongTokens: 2, reasoningTokens: 4 },
    ],
    [
      '/v1/images/generations',
      { input_tokens: 10, input_tokens_details: { image_tokens: 6, text_tokens: 4 }, output_tokens: 4, total_tokens: 14 },
      { ...READ, inputImageTokens: 6, outputImageTokens: 4 },
    ],
    [
      '/v1/images/generations',
      { input_tokens: 10, output_tokens: 4, output_tokens_details: { image_tokens: 3, text_tokens: 1 }, total_tokens: 14 },
      { ...READ, outputImageTokens: 3 },
    ],
    [
      '/v1/audio/transcriptions',
      { type: 'tokens', input_tokens: 10, input_token_details: { audio_tokens: 9, text_tokens: 1 }, output_tokens: 4, total_tokens: 14 },
      { ...READ, inputAudioTokens: 9 },
    ],
  ])('reads %s %j', (path, usage, expected) => {
    expect(run(path, JSON.stringify({ model: 'm', usage })).meter.reading()).toEqual({ kind: 'reported', usage: expected });
  });

  it.each<[unknown, string]>([
    ['12', 'not an object'],
    [5, 'not an object'],
    [[], 'not an object'],
    [{}, 'no input tokens'],
    [{ prompt_tokens: 5 }, 'no output tokens'],
    [{ ...USAGE, prompt_tokens: '10' }, 'prompt_tokens is not'],
    [{ ...USAGE, prompt_tokens: -1 }, 'prompt_tokens is not'],
    [{ ...USAGE, completion_tokens: 1.5 }, 'completion_tokens is not'],
    [{ ...USAGE, completion_tokens: 1e30 }, 'completion_tokens is not'],
    [{ ...USAGE, prompt_tokens_details: { cached_tokens: -3 } }, 'cached_tokens is not'],
    [{ ...USAGE, prompt_tokens_details: { cached_tokens: 11 } }, 'cached input is more'],
    [{ ...USAGE, completion_tokens_details: { reasoning_tokens: 5 } }, 'reasoning is more'],
  ])('calls %j invalid', (usage, problem) => {
    const body = JSON.stringify({ choices: [{ message: { content: 'abcd' } }], usage });
    expect(run(CHAT, body).meter.reading()).toEqual({ kind: 'invalid', problem: expect.stringContaining(problem), outputBytes: 4 });
  });

  it.each([
    ['null', '{"usage":null,"choices":[{"message":{"content":"abcd"}}]}', 4],
    ['none', '{"choices":[{"message":{"content":"abcd","metadata":{"usage":{"prompt_tokens":1,"completion_tokens":1}}}}]}', 4],
    ['seconds', '{"text":"abcd","usage":{"type":"duration","seconds":9}}', 4],
    ['an error', '{"error":{"message":"no","usage":{}}}', 0],
  ])('calls %s missing', (_, body, outputBytes) => {
    expect(run(CHAT, body).meter.reading()).toEqual({ kind: 'missing', outputBytes });
  });

  it('takes the last valid one of two', () => {
    expect(
      run(CHAT, `{"usage":{"prompt_tokens":1,"completion_tokens":1},"usage":${JSON.stringify(USAGE)},"usage":{"prompt_tokens":-1}}`).meter.reading(),
    ).toEqual({ kind: 'reported', usage: READ });
  });

  it('tells the model, the tier, hosted tools, and how the body ended', () => {
    const body = JSON.stringify({
      model: 'gpt-x',
      service_tier: 'priority',
      error: null,
      output: [{ type: 'web_search_call' }, { type: 'message', content: [{ type: 'web_search_call' }] }],
      usage: { input_tokens: 10, output_tokens: 4, total_tokens: 14 },
    });
    const whole = run('/v1/responses', body).meter;
    expect([whole.servedModel(), whole.servedTier?.(), whole.end(), whole.reading()]).toEqual([
      'gpt-x',
      'priority',
      'complete',
      { kind: 'reported', usage: { ...READ, hostedToolCalls: 1 } },
    ]);
    expect(run('/v1/responses', body.slice(0, -1)).meter.end()).toBe('truncated');
    expect(run(CHAT, '{"error":{"message":"x"}}').meter.end()).toBe('error_event');
    expect(run(CHAT, '{"error":{"message":"x"}}', { status: 400 }).meter.end()).toBe('complete');
  });

  it('is not misled by an answer that is no JSON', () => {
    expect(run(CHAT, '<html>').meter.reading()).toEqual({ kind: 'invalid', problem: 'the answer is not JSON', outputBytes: 0 });
    expect(run(CHAT, '<html>502 Bad Gateway</html>', { kind: 'other', status: 502 }).meter.reading()).toEqual({ kind: 'missing', outputBytes: 0 });
    expect(run('/v1/audio/transcriptions', 'Hello.', { kind: 'other' }).meter.reading()).toEqual({ kind: 'missing', outputBytes: 6 });
    expect(run('/v1/audio/speech', 'x'.repeat(401), { kind: 'other' }).meter.reading()).toEqual({ kind: 'missing', outputBytes: 3 });
  });
});

describe('usage of a stream', () => {
  it('takes the usage-only chunk out, and nothing else', () => {
    const before = data(delta('a', { usage: null }), delta('b', { usage: null }));
    const { meter: made, out } = run(CHAT, `: hi\n\n${before}${data(usageOnly(USAGE))}${data('[DONE]')}`, SSE);
    expect(out).toBe(`: hi\n\n${before}${data('[DONE]')}`);
    expect([made.reading(), made.end(), made.servedModel(), made.outputTokensSoFar()]).toEqual([
      { kind: 'reported', usage: READ },
      'complete',
      'gpt-4.1-2025-04-14',
      4,
    ]);
  });

  it.each([
    ['the caller asked for it', data(delta('a'), usageOnly(USAGE), '[DONE]'), { kind: 'sse', hideStreamUsage: false }],
    ['it comes with choices', data(delta('a', { usage: USAGE }), '[DONE]'), SSE],
    ['it is null', data({ choices: [], usage: null, prompt_filter_results: [] }, '[DONE]'), SSE],
    ['it is broken', 'data: {"choices":[],"usage":{\n\n', SSE],
    ['it is in the text', data(delta('{"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}'), '[DONE]'), SSE],
  ] as const)('keeps a chunk where %s', (_, body, shape) => {
    expect(run(CHAT, body, shape).out).toBe(body);
  });

  it('hides an unsound usage-only chunk as well, for it would fail in a client', () => {
    const { meter: made, out } = run(CHAT, data(delta('abcd'), usageOnly({ prompt_tokens: '1' }), '[DONE]'), SSE);
    expect(out).toBe(data(delta('abcd'), '[DONE]'));
    expect(made.reading()).toEqual({ kind: 'invalid', problem: expect.stringContaining('prompt_tokens'), outputBytes: 4 });
  });

  it('takes the last of several, and the part of an answer only once that has ended', () => {
    const growing = data(delta('a', { usage: { prompt_tokens: 10, completion_tokens: 1 } }), delta('b', { usage: USAGE }));
    expect(run(CHAT, growing + data('[DONE]'), SSE).meter.reading()).toEqual({ kind: 'reported', usage: READ });
    expect(run(CHAT, growing, SSE).meter.reading()).toEqual({ kind: 'missing', outputBytes: 2 });
  });

  it('estimates from the text where there is no usage', () => {
    const tool = { choices: [{ delta: { tool_calls: [{ index: 0, function: { arguments: '{"a\\"":1}' } }] } }] };
    const thought = { choices: [{ delta: { reasoning_content: 'hmm', content: null } }] };
    const written = (text: string): number => JSON.stringify(text).length - 2;
    const { meter: made } = run(CHAT, data(delta('Hello "you"'), thought, tool), SSE);
    expect(made.reading()).toEqual({ kind: 'missing', outputBytes: written('{"a\\"":1}') + written('Hello "you"') + 3 });
    expect([made.end(), made.outputTokensSoFar()]).toEqual(['truncated', 3]);
  });

  it.each([
    ['[DONE]', data(delta('a'), '[DONE]'), 'complete'],
    ['a finish reason and the end', data({ choices: [{ delta: {}, finish_reason: 'stop' }] }), 'complete'],
    ['nothing', data(delta('a')), 'truncated'],
    ['half a last chunk', 'data: {"choices":[{"finish_reason":"stop"}', 'truncated'],
    ['half a line', `${data(delta('a'))}data: {"cho`, 'truncated'],
    ['an error', data(delta('a'), { error: { message: 'x' } }), 'error_event'],
    ['a named error', `event: error\n${data({ message: 'x' })}`, 'error_event'],
    ['a null error', data(delta('a', { error: null }), '[DONE]'), 'complete'],
    ['an error in the text', data(delta('error'), '[DONE]'), 'complete'],
    ['an HTML page', '<html>\n\n</html>', 'truncated'],
  ])('tells that a stream with %s ended as it did', (_, body, end) => {
    expect(run(CHAT, body, SSE).meter.end()).toBe(end);
  });

  it.each([
    ['response.completed', { input_tokens: 10, output_tokens: 4, total_tokens: 14 }, { kind: 'reported', usage: { ...READ, hostedToolCalls: 1 } }, 'complete'],
    ['response.incomplete', { input_tokens: 10, output_tokens: 4, total_tokens: 14 }, { kind: 'reported', usage: { ...READ, hostedToolCalls: 1 } }, 'complete'],
    ['response.failed', null, { kind: 'missing', outputBytes: 5 }, 'error_event'],
  ])('reads a response that ends by %s', (type, usage, reading, end) => {
    const events = [
      { type: 'response.created', response: { model: 'gpt-x', service_tier: 'flex', error: null, usage: null } },
      { type: 'response.web_search_call.completed', item_id: 'ws' },
      { type: 'response.output_text.delta', delta: 'Hello' },
      { type: 'response.output_text.done', text: 'Hello' },
      {
        type,
        response: { model: 'gpt-x', error: type === 'response.failed' ? { code: 'server_error' } : null, output: [{ content: [{ text: 'Hello' }] }], usage },
      },
    ];
    const body = events.map((event) => `event: ${event.type}\n${data(event)}`).join('');
    const { meter: made, out } = run('/v1/responses', body, { kind: 'sse' });
    expect(out).toBe(body);
    expect([made.reading(), made.end(), made.servedModel(), made.servedTier?.()]).toEqual([reading, end, 'gpt-x', 'flex']);
  });

  it.each([
    ['/v1/images/generations', 'image_generation.completed', { outputImageTokens: 4 }],
    ['/v1/images/edits', 'image_edit.completed', { outputImageTokens: 4 }],
    ['/v1/audio/transcriptions', 'transcript.text.done', {}],
    ['/v1/audio/speech', 'speech.audio.done', { outputAudioTokens: 4 }],
  ])('reads %s with %s', (path, type, more) => {
    const { meter: made } = run(path, data({ type, b64_json: 'QUJD'.repeat(500_000), usage: { input_tokens: 10, output_tokens: 4, total_tokens: 14 } }), {
      kind: 'sse',
    });
    expect([made.reading(), made.end()]).toEqual([{ kind: 'reported', usage: { ...READ, ...more } }, 'complete']);
  });
});
