/** What all simulated APIs have in common: words, figures, faults and books. Each is asked over the wire, in its own form. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startSimulator } from './index.ts';
import type { Simulator } from './index.ts';

const KEY = 'sk-simulated';
const ASK = 'What is a sidecar?';
const CAP = 3000;

let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator({ host: '127.0.0.1', port: 0, keys: [KEY] });
});

beforeEach(() => simulator.books.reset());

afterAll(() => simulator.close());

type Json = Readonly<Record<string, never>>;

interface Dialect {
  readonly name: string;
  readonly model: string;
  readonly path: (isStreamed: boolean) => string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: (text: string, isStreamed: boolean) => object;
  readonly text: (body: Json) => unknown;
  /** Input and output. */
  readonly figures: (body: Json) => readonly [unknown, unknown];
  readonly finish: (body: Json) => unknown;
  readonly blocked: string;
  /** What a stream that was not cut ends with. */
  readonly end: RegExp;
  readonly streamError: RegExp;
}

const chat = (model: string) => ({
  model,
  path: () => '/v1/chat/completions',
  headers: { authorization: `Bearer ${KEY}` },
  body: (text: string, isStreamed: boolean) => ({ model, messages: [{ role: 'user', content: text }], stream: isStreamed }),
  text: (body: Json) => at(body, 'choices', 0, 'message', 'content'),
  figures: (body: Json) => [at(body, 'usage', 'prompt_tokens'), at(body, 'usage', 'completion_tokens')] as const,
  finish: (body: Json) => at(body, 'choices', 0, 'finish_reason'),
  blocked: 'content_filter',
  end: /data: \[DONE\]\n\n$/,
  streamError: /"type":"server_error"/,
});

const DIALECTS: readonly Dialect[] = [
  { name: 'openai', ...chat('gpt-4.1') },
  {
    ...chat('gpt-4.1'),
    name: 'openai',
    path: () => '/v1/responses',
    body: (text, isStreamed) => ({ model: 'gpt-4.1', input: text, stream: isStreamed, store: false }),
    text: (body) => at(body, 'output', 0, 'content', 0, 'text'),
    figures: (body) => [at(body, 'usage', 'input_tokens'), at(body, 'usage', 'output_tokens')],
    finish: (body) => at(body, 'incomplete_details', 'reason'),
    end: /event: response\.completed\n.*\n\n$/,
    streamError: /event: error\n/,
  },
  { ...chat('gpt-4.1'), name: 'azure', path: () => '/openai/deployments/gpt-4.1/chat/completions?api-version=2024-10-21', headers: { 'api-key': KEY } },
  { ...chat('deepseek-chat'), name: 'deepseek', path: () => '/chat/completions' },
  { ...chat('house/llama-3'), name: 'openai' },
  {
    name: 'anthropic',
    model: 'claude-sonnet-4-5',
    path: () => '/v1/messages',
    headers: { 'x-api-key': KEY, 'anthropic-version': '2023-06-01' },
    body: (text, isStreamed) => ({ model: 'claude-sonnet-4-5', max_tokens: CAP, messages: [{ role: 'user', content: text }], stream: isStreamed }),
    text: (body) => at(body, 'content', 0, 'text'),
    figures: (body) => [at(body, 'usage', 'input_tokens'), at(body, 'usage', 'output_tokens')],
    finish: (body) => at(body, 'stop_reason'),
    blocked: 'refusal',
    end: /event: message_stop\n.*\n\n$/,
    streamError: /event: error\n.*overloaded_error/,
  },
  {
    name: 'gemini',
    model: 'gemini-2.5-flash',
    path: (isStreamed) => `/v1beta/models/gemini-2.5-flash:${isStreamed ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
    headers: { 'x-goog-api-key': KEY },
    body: (text) => ({ contents: [{ role: 'user', parts: [{ text }] }] }),
    text: (body) => at(body, 'candidates', 0, 'content', 'parts', 0, 'text'),
    figures: (body) => [at(body, 'usageMetadata', 'promptTokenCount'), at(body, 'usageMetadata', 'candidatesTokenCount')],
    finish: (body) => at(body, 'candidates', 0, 'finishReason'),
    blocked: 'SAFETY',
    end: /"finishReason":"STOP".*\n\n$/,
    streamError: /"status":"UNAVAILABLE"/,
  },
];

function at(value: unknown, ...path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>(
    (place, name) => (typeof place === 'object' && place !== null ? (place as Readonly<Record<string | number, unknown>>)[name] : undefined),
    value,
  );
}

async function send(dialect: Dialect, { text = ASK, simulate = '', isStreamed = false } = {}): Promise<Response> {
  return fetch(`${simulator.url}${dialect.path(isStreamed)}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-simulate': simulate, ...dialect.headers },
    body: JSON.stringify(dialect.body(text, isStreamed)),
  });
}

const answer = async (dialect: Dialect, options = {}): Promise<Json> => (await (await send(dialect, options)).json()) as Json;
const attempts = (): readonly unknown[] => (simulator.books.toJSON() as { readonly attempts: readonly unknown[] }).attempts;

it.each([ASK, 'Zażółć gęślą jaźń 👋', 'Say “tool” without any.'])('all say the same to %j, and count the same', async (text) => {
  const answers = await Promise.all(DIALECTS.map(async (dialect) => ({ dialect, body: await answer(dialect, { text }) })));
  const said = answers.map(({ dialect, body }) => dialect.text(body));
  const counted = answers.map(({ dialect, body }) => dialect.figures(body));
  expect(said[0]).toEqual(expect.stringMatching(/\w{3,}/));
  expect(new Set(said).size).toBe(1);
  expect(new Set(counted.map((figures) => JSON.stringify(figures))).size).toBe(1);
});

describe.each(DIALECTS.map((dialect) => ({ dialect, where: `${dialect.name} with ${dialect.model} at ${dialect.path(false)}` })))('$where', ({ dialect }) => {
  it('books what it says that it used', async () => {
    const [input, output] = dialect.figures(await answer(dialect));
    expect(attempts()).toEqual([
      expect.objectContaining({
        dialect: dialect.name,
        model: dialect.model,
        status: 200,
        billed: true,
        input,
        output,
        cached: 0,
        cacheWrites: 0,
        cacheWritesLong: 0,
        reasoning: 0,
      }),
    ]);
  });

  it('fails, and bills nothing', async () => {
    const response = await send(dialect, { simulate: 'status=503, retry-after=7' });
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '7']);
    expect(await response.json()).toHaveProperty('error');
    expect(attempts()).toEqual([expect.objectContaining({ status: 503, billed: false, costNanoUsd: '0' })]);
  });

  it('is slow', async () => {
    const begun = performance.now();
    await answer(dialect, { simulate: 'delay=80ms' });
    expect(performance.now() - begun).toBeGreaterThan(70);
  });

  it.each(['malformed=json', 'malformed=html', 'empty'])('answers what is no JSON: %s', async (simulate) => {
    const response = await send(dialect, { simulate });
    const text = await response.text();
    expect(response.status).toBe(200);
    expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
  });

  it('streams to its end, in any pieces', async () => {
    const texts = await Promise.all(['', 'chunks=odd', 'chunks=merged'].map(async (simulate) => (await send(dialect, { isStreamed: true, simulate })).text()));
    expect(texts[0]).toMatch(dialect.end);
    expect(new Set(texts).size).toBe(1);
  });

  it('breaks off in the middle of a stream, and bills a part', async () => {
    const whole = dialect.figures(await answer(dialect))[1];
    simulator.books.reset();
    const response = await send(dialect, { isStreamed: true, simulate: 'reset=stream, after=5, chunk-delay=2ms' });
    await expect(response.text()).rejects.toThrow();
    await expect.poll(() => attempts().length).toBe(1);
    expect(attempts()).toEqual([
      expect.objectContaining({ billed: true, output: expect.toSatisfy((output: number) => output > 0 && output < Number(whole)) as unknown }),
    ]);
  });

  it.each(['no-done', 'half-line, after=4'])('ends a stream before its end: %s', async (simulate) => {
    const [whole, cut] = await Promise.all(['', simulate].map(async (faults) => (await send(dialect, { isStreamed: true, simulate: faults })).text()));
    // Streams of responses and of Gemini end with their last event; there is nothing after it to leave out.
    const hasEnd = /(?:DONE|message_stop)/.test(dialect.end.source);
    expect(whole?.startsWith(cut ?? '')).toBe(true);
    expect(cut === whole).toBe(simulate === 'no-done' && !hasEnd);
  });

  it('sends a frame that is no JSON', async () => {
    const text = await (await send(dialect, { isStreamed: true, simulate: 'malformed=line, after=4' })).text();
    expect(text).toContain('data: {"broken\n\n');
  });

  it('tells of a failure in the middle of a stream', async () => {
    const text = await (await send(dialect, { isStreamed: true, simulate: 'stream-error, after=4' })).text();
    expect(text).toMatch(dialect.streamError);
    expect(text).not.toMatch(dialect.end);
  });

  it('is stopped by a filter half way', async () => {
    const whole = String(dialect.text(await answer(dialect)));
    const body = await answer(dialect, { simulate: 'block=answer' });
    const shown = String(dialect.text(body));
    expect(dialect.finish(body)).toBe(dialect.blocked);
    expect(whole.startsWith(shown) && shown.length < whole.length).toBe(true);
  });
});

describe('rooms', () => {
  it('have the same files', () => {
    const rooms = ['openai', 'anthropic', 'gemini', 'azure', 'deepseek'];
    for (const name of rooms)
      expect(readdirSync(join(import.meta.dirname, name)), name).toEqual(
        expect.arrayContaining(['index.ts', 'chat.ts', 'errors.ts', 'rules.ts', 'sdk.test.ts']),
      );
  });
});
