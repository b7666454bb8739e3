import { describe, expect, it } from 'vitest';
import type { NeutralEvent } from '../../../neutral.ts';
import { openaiTranslation } from '../index.ts';

const CHAT = { operation: 'chat', path: '/chat/completions', body: 'json' } as const;

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const chunk = (choice: object | undefined, more: object = {}): string =>
  `data: ${JSON.stringify({ id: 'c-1', object: 'chat.completion.chunk', created: 7, model: 'm', choices: choice === undefined ? [] : [{ index: 0, ...choice }], ...more })}\n\n`;
const delta = (value: object): string => chunk({ delta: value, finish_reason: null });
const DONE = 'data: [DONE]\n\n';
const STOP = chunk({ delta: {}, finish_reason: 'stop' });

interface Seen {
  readonly events: readonly NeutralEvent[];
  readonly skipped: number;
}

const read = (text: string, cuts: readonly number[] = []): Seen => {
  const reader = openaiTranslation.readStream(CHAT);
  const bytes = bytesOf(text);
  const places = [0, ...cuts, bytes.length];
  const events = places.slice(1).flatMap((end, index) => reader.push(bytes.subarray(places[index], end), index === places.length - 2));
  return { events, skipped: reader.skipped };
};

const START = { kind: 'start', id: 'c-1', model: 'm', created: 7 } as const;
const said = (text: string): NeutralEvent => ({ kind: 'text', choice: 0, delta: text });
const finished = (reason: Extract<NeutralEvent, { kind: 'finish' }>['reason']): NeutralEvent => ({ kind: 'finish', choice: 0, reason });
const END = { kind: 'end' } as const;
const fragment = (index: number | undefined, id: string | undefined, name: string | undefined, args: unknown, more: object = {}): string =>
  delta({
    tool_calls: [
      {
        ...(index === undefined ? {} : { index }),
        ...(id === undefined ? {} : { id }),
        type: 'function',
        function: { ...(name === undefined ? {} : { name }), arguments: args },
        ...more,
      },
    ],
  });
const called = (call: number, id: string, name: string): NeutralEvent => ({ kind: 'tool_call', choice: 0, call, id, name });
const args = (call: number, text: string): NeutralEvent => ({ kind: 'tool_arguments', choice: 0, call, delta: text });

/*
 * Written by hand: OpenAI's chunks after its API reference; deviations after the documents of DeepSeek, OpenRouter,
 * Azure OpenAI, Mistral and Gemini's compatible API, and after issues of clients that met the others.
 */
const STREAMS: readonly (readonly [name: string, text: string, events: readonly NeutralEvent[], skipped?: number])[] = [
  [
    'OpenAI',
    delta({ role: 'assistant', content: '', refusal: null }) +
      delta({ content: 'Hel' }) +
      delta({ content: 'lo 😀' }) +
      STOP +
      chunk(undefined, { usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 } }) +
      DONE,
    [START, said('Hel'), said('lo 😀'), finished('stop'), { kind: 'usage', usage: { inputTokens: 3, outputTokens: 2 } }, END],
  ],
  [
    'a refusal',
    delta({ role: 'assistant' }) + delta({ refusal: 'I ' }) + delta({ refusal: 'won’t.' }) + STOP + DONE,
    [START, { kind: 'refusal', choice: 0, delta: 'I ' }, { kind: 'refusal', choice: 0, delta: 'won’t.' }, finished('refusal'), END],
  ],
  [
    'several choices',
    chunk({ index: 1, delta: { content: 'b' } }) + delta({ content: 'a' }) + chunk({ index: 1, delta: {}, finish_reason: 'length' }) + STOP + DONE,
    [START, { kind: 'text', choice: 1, delta: 'b' }, said('a'), { kind: 'finish', choice: 1, reason: 'length' }, finished('stop'), END],
  ],
  [
    'log probabilities',
    chunk({ delta: { content: 'a' }, logprobs: { content: [{ token: 'a', logprob: -1, bytes: [97], top_logprobs: [] }], refusal: null } }) + STOP + DONE,
    [START, { kind: 'text', choice: 0, delta: 'a', logprobs: [{ token: 'a', logprob: -1, top: [] }] }, finished('stop'), END],
  ],
  [
    'calls, in turns',
    fragment(0, 'a', 'f', '') +
      fragment(0, undefined, undefined, '{"x"') +
      fragment(1, 'b', 'g', '{}') +
      fragment(0, undefined, undefined, ':1}') +
      chunk({ delta: {}, finish_reason: 'tool_calls' }) +
      DONE,
    [START, called(0, 'a', 'f'), args(0, '{"x"'), called(1, 'b', 'g'), args(1, '{}'), args(0, ':1}'), finished('tool_calls'), END],
  ],
  [
    'calls whose fragments repeat id and name',
    fragment(0, 'a', 'f', '{') + fragment(0, 'a', 'f', '}') + STOP + DONE,
    [START, called(0, 'a', 'f'), args(0, '{'), args(0, '}'), finished('tool_calls'), END],
  ],
  [
    'whole calls, each with the same index or with none',
    fragment(0, 'a', 'f', '{}') + fragment(0, 'b', 'f', '{}') + fragment(undefined, 'c', 'g', { x: 1 }) + STOP + DONE,
    [START, called(0, 'a', 'f'), args(0, '{}'), called(1, 'b', 'f'), args(1, '{}'), called(2, 'c', 'g'), args(2, '{"x":1}'), finished('tool_calls'), END],
  ],
  [
    'calls without ids, and one that is sealed',
    fragment(0, '', 'f', '{}', { extra_content: { google: { thought_signature: 's' } } }) + STOP + DONE,
    [START, { ...called(0, 'call_0', 'f'), signature: { origin: 'gemini', data: 's' } } as NeutralEvent, args(0, '{}'), finished('tool_calls'), END],
  ],
  ['arguments of a call that was never made', fragment(3, undefined, undefined, '{}') + STOP + DONE, [START, finished('stop'), END]],
  [
    'DeepSeek',
    delta({ content: null, reasoning_content: 'Hm.' }) + delta({ content: 'Yes', reasoning_content: null }) + STOP + DONE,
    [START, { kind: 'thinking', choice: 0, delta: 'Hm.' }, said('Yes'), finished('stop'), END],
  ],
  [
    'OpenRouter',
    `: OPENROUTER PROCESSING\n\n${delta({ content: '', reasoning: 'Hm.' })}${delta({ content: 'Yes' })}${STOP}${DONE}`,
    [START, { kind: 'thinking', choice: 0, delta: 'Hm.' }, said('Yes'), finished('stop'), END],
  ],
  [
    'Mistral',
    delta({
      content: [
        { type: 'thinking', thinking: [{ type: 'text', text: 'Hm.' }] },
        { type: 'text', text: 'Yes' },
      ],
    }) +
      STOP +
      DONE,
    [START, { kind: 'thinking', choice: 0, delta: 'Hm.' }, said('Yes'), finished('stop'), END],
  ],
  [
    'Azure, which begins with a chunk about the prompt',
    `data: {"id":"","object":"","created":0,"model":"","choices":[],"prompt_filter_results":[{}]}\n\n${delta({ content: 'Yes' })}${STOP}${DONE}`,
    [START, said('Yes'), finished('stop'), END],
  ],
  [
    'usage that grows with each chunk',
    chunk({ delta: { content: 'a' } }, { usage: { prompt_tokens: 1, completion_tokens: 1 } }) + STOP + DONE,
    [START, said('a'), { kind: 'usage', usage: { inputTokens: 1, outputTokens: 1 } }, finished('stop'), END],
  ],
  ['a server that closes without a word', delta({ content: 'a' }) + STOP.trimEnd(), [START, said('a'), finished('stop'), END]],
  ['a stream that breaks off', delta({ content: 'a' }) + STOP.slice(0, 40), [START, said('a')], 1],
  [
    'a stream in which one choice never ends',
    chunk({ index: 1, delta: { content: 'b' } }) + STOP,
    [START, { kind: 'text', choice: 1, delta: 'b' }, finished('stop')],
  ],
  [
    'events that are not known',
    `data: {"ping":1}\n\ndata: not json\n\ndata: [1]\n\n${delta({ content: 'a' })}${STOP}${DONE}`,
    [START, said('a'), finished('stop'), END],
    3,
  ],
  ['a choice that goes on after its end', STOP + delta({ content: 'late' }) + STOP + DONE, [START, finished('stop'), END]],
  ['what follows the end', DONE + delta({ content: 'a' }), [END]],
  [
    'choices beyond any number that can be asked for',
    chunk({ index: 1000, delta: { content: 'x' } }) + chunk({ index: -1, delta: { content: 'x' } }) + STOP + DONE,
    [START, finished('stop'), END],
  ],
  [
    'an error as OpenAI sends it',
    `${delta({ content: 'a' })}data: {"error":{"message":"The server had an error.","type":"server_error","param":null,"code":null}}\n\n${delta({ content: 'b' })}`,
    [START, said('a'), { kind: 'error', error: { kind: 'server_error', status: 500, message: 'The server had an error.' } }],
  ],
  [
    'an error as OpenRouter sends it',
    chunk({ delta: { content: '' }, finish_reason: 'error' }, { error: { code: 429, message: 'Slow down.' } }) + DONE,
    [{ kind: 'error', error: { kind: 'rate_limit', status: 429, message: 'Slow down.', code: '429' } }],
  ],
  [
    'an error by its event’s name',
    'event: error\ndata: {"message":"Overloaded.","code":"overloaded_error"}\n\n',
    [{ kind: 'error', error: { kind: 'overloaded', status: 503, message: 'Overloaded.', code: 'overloaded_error' } }],
  ],
  [
    'an error as vLLM sends it',
    'data: {"object":"error","message":"Too long.","type":"BadRequestError","code":400}\n\n',
    [{ kind: 'error', error: { kind: 'invalid_request', status: 400, message: 'Too long.', code: '400' } }],
  ],
];

describe.each(STREAMS.map(([name, text, events, skipped = 0]) => ({ name, text, events, skipped })))(
  'a stream of chunks: $name',
  ({ text, events, skipped }) => {
    it('is read', () => {
      expect(read(text)).toEqual({ events, skipped });
    });

    it('is read the same at every cut', () => {
      const { length } = bytesOf(text);
      for (let place = 0; place <= length; place++) expect(read(text, [place])).toEqual({ events, skipped });
    });
  },
);
