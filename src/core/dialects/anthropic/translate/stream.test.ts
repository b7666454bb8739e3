import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NeutralChat, NeutralEvent } from '../../neutral.ts';
import type { AnswerContext } from '../../translation.ts';
import { readStream } from './read-stream.ts';
import { writeStream } from './write-stream.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const RECORDED = readFileSync(new URL('../../../../../test/fixtures/anthropic/thinking-and-tools.sse', import.meta.url), 'utf8');

const chat = { kind: 'chat', model: 'asked-model' } as NeutralChat;
const CONTEXT: AnswerContext = { endpoint: { operation: 'chat', path: '/messages', body: 'json' }, request: chat, requestId: 'r1', created: 0 };

function read(chunks: readonly Uint8Array[]): { readonly events: readonly NeutralEvent[]; readonly skipped: number } {
  const reader = readStream();
  const events = chunks.flatMap((chunk) => reader.push(chunk, false));
  events.push(...reader.push(new Uint8Array(0), true));
  return { events, skipped: reader.skipped };
}

const readText = (text: string): readonly NeutralEvent[] => read([bytesOf(text)]).events;

function cut(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const places = [0, ...cuts.map((place) => place % (bytes.length + 1)).toSorted((one, other) => one - other), bytes.length];
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}

const event = (type: string, more: object = {}): string => `event: ${type}\ndata: ${JSON.stringify({ type, ...more })}\n\n`;
const USAGE = { inputTokens: 592, outputTokens: 2, cachedInputTokens: 20, cacheWriteTokens: 100, cacheWriteLongTokens: 40 };

describe('readStream', () => {
  it('reads thinking, text and calls, and passes over what the provider does by itself', () => {
    expect(read([bytesOf(RECORDED)])).toEqual({
      skipped: 1,
      events: [
        { kind: 'start', id: 'msg_01Abc', model: 'claude-sonnet-4-6', created: undefined, usage: USAGE },
        { kind: 'ping' },
        { kind: 'thinking', choice: 0, delta: 'Two places,' },
        { kind: 'thinking', choice: 0, delta: ' two calls.' },
        { kind: 'thinking_signature', choice: 0, signature: { origin: 'anthropic', data: 'EqQBCgIYAhIM' } },
        { kind: 'redacted_thinking', choice: 0, redacted: { origin: 'anthropic', data: 'EmwKAhgBEgy3' } },
        { kind: 'text', choice: 0, delta: 'I look at „both“ 😀\n' },
        { kind: 'tool_call', choice: 0, call: 0, id: 'toolu_01A', name: 'get_weather' },
        { kind: 'tool_arguments', choice: 0, call: 0, delta: '{"place": "San' },
        { kind: 'tool_arguments', choice: 0, call: 0, delta: ' Francisco"}' },
        { kind: 'tool_call', choice: 0, call: 1, id: 'toolu_01B', name: 'get_time' },
        { kind: 'tool_arguments', choice: 0, call: 1, delta: '{}' },
        { kind: 'finish', choice: 0, reason: 'tool_calls' },
        { kind: 'usage', usage: { ...USAGE, inputTokens: 600, outputTokens: 89, reasoningTokens: 30, hostedToolCalls: 1 } },
        { kind: 'end' },
      ],
    });
  });

  it.each<[string, readonly NeutralEvent[]]>([
    [event('message_start', { message: { id: 'm', model: 'x' } }), [{ kind: 'start', id: 'm', model: 'x', created: undefined }]],
    [
      event('error', { error: { type: 'overloaded_error', message: 'Busy.' } }) + event('message_stop'),
      [{ kind: 'error', error: { kind: 'overloaded', status: 529, message: 'Busy.' } }],
    ],
    [
      'event: error\ndata: {"error":{"type":"api_error","message":"Broken."}}\n\n',
      [{ kind: 'error', error: { kind: 'server_error', status: 500, message: 'Broken.' } }],
    ],
    [event('message_stop') + event('ping'), [{ kind: 'end' }]],
    [
      event('message_delta', { delta: { stop_reason: 'stop_sequence', stop_sequence: '§' } }),
      [{ kind: 'finish', choice: 0, reason: 'stop_sequence', stopSequence: '§' }],
    ],
    [
      event('message_delta', { delta: { stop_reason: 'refusal', stop_details: { type: 'refusal', category: 'bio', explanation: 'No.' } } }),
      [
        { kind: 'refusal', choice: 0, delta: 'No.' },
        { kind: 'finish', choice: 0, reason: 'refusal' },
      ],
    ],
    [event('message_delta', { delta: { stop_reason: 'model_context_window_exceeded' } }), [{ kind: 'finish', choice: 0, reason: 'length' }]],
    [event('message_delta', { delta: { stop_reason: null }, usage: { output_tokens: -1 } }), []],
    [event('content_block_start', { index: 0, content_block: { type: 'text', text: 'Hi' } }), [{ kind: 'text', choice: 0, delta: 'Hi' }]],
    [
      event('content_block_start', { index: 0, content_block: { type: 'tool_use', id: 't', name: 'f', input: { a: 1 } } }) +
        event('content_block_stop', { index: 0 }),
      [
        { kind: 'tool_call', choice: 0, call: 0, id: 't', name: 'f' },
        { kind: 'tool_arguments', choice: 0, call: 0, delta: '{"a":1}' },
      ],
    ],
    [event('content_block_delta', { index: 3, delta: { type: 'text_delta', text: 'stray' } }), []],
  ])('reads %s', (text, events) => {
    expect(readText(text)).toEqual(events);
  });

  it('gives no end where there was none', () => {
    const kinds = readText(RECORDED.slice(0, RECORDED.lastIndexOf('event: message_stop'))).map(({ kind }) => kind);
    expect(kinds).not.toContain('end');
    expect(kinds.at(-1)).toBe('usage');
  });

  it('reads the same at any cut, damaged or not, and never throws', () => {
    const change = fc.record({ at: fc.nat(), byte: fc.oneof(fc.nat(255), fc.constantFrom(...bytesOf('"\n\r{}[]:,\\'))), width: fc.nat(2) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 4 }), fc.array(fc.nat(), { maxLength: 10 }), (changes, cuts) => {
        const damaged = [...bytesOf(RECORDED)];
        for (const { at, byte, width } of changes) damaged.splice(at % (damaged.length + 1), width, byte);
        const bytes = Uint8Array.from(damaged);
        expect(read(cut(bytes, cuts))).toEqual(read([bytes]));
      }),
      { numRuns: 500 },
    );
  });
});

interface Sent {
  readonly type: string;
  readonly index?: number;
  readonly content_block?: { readonly type: string; readonly name?: string; readonly data?: string; readonly signature?: string };
  readonly delta?: { readonly type: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

/** The events of a written stream; each is named as its type says. */
function sentIn(bytes: Uint8Array): readonly Sent[] {
  return [...textOf(bytes).matchAll(/event: (\w+)\ndata: (.*)\n\n/g)].map(([, name, data = '']) => {
    const sent = JSON.parse(data) as Sent;
    expect(sent.type).toBe(name);
    return sent;
  });
}

function write(events: readonly NeutralEvent[]): readonly Sent[] {
  const writer = writeStream(CONTEXT);
  return sentIn(bytesOf(textOf(writer.write(events)) + textOf(writer.finish())));
}

const START: NeutralEvent = { kind: 'start', id: 'chatcmpl-1', model: 'gpt-x', created: 1 };
const said = (delta: string): NeutralEvent => ({ kind: 'text', choice: 0, delta });
const call = (number: number): NeutralEvent => ({ kind: 'tool_call', choice: 0, call: number, id: `call_${number}`, name: `f${number}` });
const given = (number: number, delta: string): NeutralEvent => ({ kind: 'tool_arguments', choice: 0, call: number, delta });
const finished = (reason: Extract<NeutralEvent, { kind: 'finish' }>['reason']): NeutralEvent => ({ kind: 'finish', choice: 0, reason });
const END: NeutralEvent = { kind: 'end' };

/** One line for each event, for comparison at a glance. */
const outline = (sent: readonly Sent[]): readonly string[] =>
  sent.map(({ type, index, content_block: block, delta }) => {
    if (type === 'content_block_start')
      return `+${index} ${block?.type}${block?.name === undefined ? '' : ` ${block.name}`}${block?.data === undefined ? '' : ` ${block.data}`}`;
    if (type === 'content_block_delta') return `${index} ${String(delta?.['text'] ?? delta?.['thinking'] ?? delta?.['partial_json'] ?? delta?.['signature'])}`;
    return type === 'content_block_stop' ? `-${index}` : type;
  });

describe('writeStream', () => {
  it('writes a message as Anthropic does', () => {
    const usage = { inputTokens: 30, outputTokens: 7, cachedInputTokens: 10, reasoningTokens: 2 };
    const sent = write([START, said(''), said('Hel'), said('lo'), finished('stop'), { kind: 'usage', usage }, END]);
    expect(outline(sent)).toEqual(['message_start', '+0 text', '0 Hel', '0 lo', '-0', 'message_delta', 'message_stop']);
    expect(sent[0]).toMatchObject({
      message: {
        id: 'chatcmpl-1',
        type: 'message',
        role: 'assistant',
        model: 'gpt-x',
        content: [],
        stop_reason: null,
        usage: { input_tokens: 0, output_tokens: 0 },
      },
    });
    expect(sent.at(-2)).toMatchObject({
      delta: { stop_reason: 'end_turn', stop_sequence: null },
      usage: { input_tokens: 20, cache_read_input_tokens: 10, cache_creation_input_tokens: 0, output_tokens: 7, output_tokens_details: { thinking_tokens: 2 } },
    });
  });

  it.each<[string, readonly NeutralEvent[], readonly string[]]>([
    [
      'calls as they come, once the one before is whole',
      [call(0), given(0, '{"a":"}'), given(0, '"}'), call(1), given(1, '{}')],
      ['+0 tool_use f0', '0 {"a":"}', '0 "}', '-0', '+1 tool_use f1', '1 {}', '-1'],
    ],
    [
      'interleaved calls one after another',
      [call(0), given(0, '{"a":'), call(1), given(1, '{"b":'), given(0, '[1]}'), given(1, '2}')],
      ['+0 tool_use f0', '0 {"a":', '0 [1]}', '-0', '+1 tool_use f1', '1 {"b":', '1 2}', '-1'],
    ],
    [
      'calls whose text looks like their end',
      [call(0), given(0, '{"a":"\\"}'), call(1), given(1, '{}'), given(0, '"}')],
      ['+0 tool_use f0', '0 {"a":"\\"}', '0 "}', '-0', '+1 tool_use f1', '1 {}', '-1'],
    ],
    [
      'a call that never ends before the others',
      [call(0), call(1), given(1, '{}'), said('x')],
      ['+0 tool_use f0', '-0', '+1 tool_use f1', '1 {}', '-1', '+2 text', '2 x', '-2'],
    ],
    [
      'text between the halves of a call after it',
      [call(0), given(0, '{'), said('x'), given(0, '}'), said('y')],
      ['+0 tool_use f0', '0 {', '0 }', '-0', '+1 text', '1 x', '1 y', '-1'],
    ],
    [
      'text on both sides of a call',
      [said('a'), call(0), given(0, '{}'), said('b')],
      ['+0 text', '0 a', '-0', '+1 tool_use f0', '1 {}', '-1', '+2 text', '2 b', '-2'],
    ],
    [
      'thinking with its seal',
      [
        { kind: 'thinking', choice: 0, delta: 'T' },
        { kind: 'thinking_signature', choice: 0, signature: { origin: 'anthropic', data: 's' } },
        { kind: 'thinking', choice: 0, delta: 'U' },
        said('a'),
      ],
      ['+0 thinking', '0 T', '0 s', '-0', '+1 thinking', '1 U', '-1', '+2 text', '2 a', '-2'],
    ],
    [
      'seals of others with their origin',
      [
        { kind: 'redacted_thinking', choice: 0, redacted: { origin: 'openai', data: 'e' } },
        { ...call(0), signature: { origin: 'gemini', data: 'g' } } as NeutralEvent,
      ],
      ['+0 redacted_thinking airmesh:openai:e', '-0', '+1 redacted_thinking airmesh-call:airmesh:gemini:g', '-1', '+2 tool_use f0', '-2'],
    ],
    ['nothing of another choice', [{ kind: 'text', choice: 1, delta: 'x' }], []],
  ])('writes %s', (_, events, blocks) => {
    expect(outline(write([START, ...events, END]))).toEqual(['message_start', ...blocks, 'message_delta', 'message_stop']);
  });

  it.each<[readonly NeutralEvent[], object]>([
    [[finished('length')], { stop_reason: 'max_tokens' }],
    [[finished('content_filter')], { stop_reason: 'refusal' }],
    [[{ kind: 'refusal', choice: 0, delta: 'No.' }, finished('stop')], { stop_reason: 'refusal' }],
    [[call(0), finished('stop')], { stop_reason: 'tool_use' }],
    [[{ kind: 'finish', choice: 0, reason: 'stop_sequence', stopSequence: '§' }], { stop_reason: 'stop_sequence', stop_sequence: '§' }],
    [[], { stop_reason: 'end_turn', stop_sequence: null }],
  ])('ends %j by its reason', (events, delta) => {
    expect(write([START, ...events, END]).at(-2)).toMatchObject({ type: 'message_delta', delta });
  });

  it('makes ids where there are none', () => {
    const sent = write([{ ...call(3), id: '' } as NeutralEvent, END]);
    expect([sent[0], sent[1]]).toMatchObject([{ message: { id: 'msg_r1', model: 'asked-model' } }, { content_block: { id: 'toolu_r1_3' } }]);
  });

  it.each<[string, readonly NeutralEvent[], object]>([
    [
      'an error of the provider',
      [START, said('a'), { kind: 'error', error: { kind: 'overloaded', status: 529, message: 'Busy.', code: 'c' } }, said('b')],
      { type: 'overloaded_error', message: 'Busy.', details: { error_code: 'c' } },
    ],
    ['a stream that was cut off', [START, said('a'), finished('stop')], { type: 'api_error', message: expect.stringContaining('ended before') }],
    ['a stream of nothing', [], { type: 'api_error', message: expect.stringContaining('ended before') }],
  ])('ends with an error event after %s', (_, events, error) => {
    const sent = write(events);
    expect(sent.at(-1)).toEqual({ type: 'error', error, request_id: 'r1' });
    expect(sent.filter(({ type }) => type === 'error' || type === 'message_stop')).toHaveLength(1);
  });

  it('says nothing after the end', () => {
    const writer = writeStream(CONTEXT);
    writer.write([START, END]);
    expect([writer.write([said('x')]).length, writer.finish().length]).toEqual([0, 0]);
  });

  it('has room for what is held back at one time, however much it is in all', () => {
    const held = `{"a":"${'x'.repeat(9 * 1024 * 1024)}"}`;
    const events = [0, 1, 2].flatMap((number) => [call(2 * number), call(2 * number + 1), given(2 * number + 1, held), given(2 * number, '{}')]);
    expect(write([START, ...events, END]).at(-1)).toEqual({ type: 'message_stop' });
  });

  it('gives up where more is held back than there is room for', () => {
    const writer = writeStream(CONTEXT);
    writer.write([START, call(0), call(1)]);
    const piece = 'x'.repeat(1024 * 1024);
    for (let count = 0; count < 16; count++) expect(writer.write([given(1, piece)])).toHaveLength(0);
    expect(textOf(writer.write([given(1, piece), said('x')]))).toContain('event: error');
    expect(writer.finish()).toHaveLength(0);
  });
});

describe('both', () => {
  const kind = fc.constantFrom('text', 'thinking', 'signature', 'call', 'arguments', 'refusal');
  /** Any order of steps; each call's arguments are the pieces of an object, dealt out over the stream. */
  const steps = fc.array(fc.tuple(kind, fc.nat(3), fc.string({ minLength: 1, maxLength: 4, unit: 'grapheme' })), { maxLength: 30 }).map((dealt) => {
    const events: NeutralEvent[] = [START];
    const open = new Map<number, string[]>();
    for (const [what, number, words] of dealt) {
      const isOpen = open.has(number);
      if (what === 'call' && !isOpen) {
        open.set(number, [...JSON.stringify({ [words]: [words, { a: '}{"\\' }] })]);
        events.push(call(number));
      } else if (what === 'arguments' && isOpen) events.push(given(number, open.get(number)?.splice(0, 5).join('') ?? ''));
      else if (what === 'text' || what === 'thinking' || what === 'refusal') events.push({ kind: what, choice: 0, delta: words });
      else if (what === 'signature') events.push({ kind: 'thinking_signature', choice: 0, signature: { origin: 'anthropic', data: words } });
    }
    for (const [number, rest] of open) events.push(given(number, rest.join('')));
    return [...events, finished('stop'), END];
  });

  const told = (events: readonly NeutralEvent[], what: (event: NeutralEvent) => string): string => events.map(what).join('');
  const textIn = (events: readonly NeutralEvent[]): string => told(events, (one) => (one.kind === 'text' || one.kind === 'refusal' ? one.delta : ''));
  const thinkingIn = (events: readonly NeutralEvent[]): string =>
    told(events, (one) => (one.kind === 'thinking' ? one.delta : one.kind === 'thinking_signature' ? `<${one.signature.data}>` : ''));
  const callsIn = (events: readonly NeutralEvent[]): unknown =>
    events.flatMap((one) =>
      one.kind === 'tool_call'
        ? [[one.id, one.name, told(events, (other) => (other.kind === 'tool_arguments' && other.call === one.call ? other.delta : ''))]]
        : [],
    );

  it('carry over whatever is told, in blocks that follow one another', () => {
    fc.assert(
      fc.property(steps, (events) => {
        const writer = writeStream(CONTEXT);
        const bytes = writer.write(events);
        let open = -1;
        let next = 0;
        for (const { type, index } of sentIn(bytes)) {
          if (type === 'content_block_start') [open, next] = [next, next + 1];
          if (type.startsWith('content_block')) expect(index).toBe(open);
          if (type === 'content_block_stop') open = -1;
        }
        expect(open).toBe(-1);
        const back = read([bytes]);
        expect([textIn(back.events), thinkingIn(back.events), callsIn(back.events), back.skipped]).toEqual([
          textIn(events),
          thinkingIn(events),
          callsIn(events),
          0,
        ]);
        expect(back.events.at(-1)).toEqual(END);
      }),
      { numRuns: 2000 },
    );
  });

  it('write the same bytes however the steps come in', () => {
    fc.assert(
      fc.property(steps, fc.array(fc.nat(), { maxLength: 5 }), (events, cuts) => {
        const places = [0, ...cuts.map((place) => place % (events.length + 1)).toSorted((one, other) => one - other), events.length];
        const writer = writeStream(CONTEXT);
        const pieces = places.slice(1).map((end, index) => textOf(writer.write(events.slice(places[index], end))));
        expect(pieces.join('')).toBe(textOf(writeStream(CONTEXT).write(events)));
      }),
      { numRuns: 500 },
    );
  });
});
