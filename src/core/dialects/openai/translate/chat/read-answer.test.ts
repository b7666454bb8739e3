import { describe, expect, it } from 'vitest';
import type { NeutralChatAnswer, NeutralChoice } from '../../../neutral.ts';
import { openaiTranslation } from '../index.ts';

const CHAT = { operation: 'chat', path: '/chat/completions', body: 'json' } as const;

const parse = (body: unknown): ReturnType<typeof openaiTranslation.parseAnswer> =>
  openaiTranslation.parseAnswer(CHAT, new TextEncoder().encode(JSON.stringify(body)));

const choicesOf = (...choices: readonly object[]): readonly NeutralChoice[] => {
  const read = parse({ id: 'chatcmpl-1', object: 'chat.completion', created: 7, model: 'm', choices });
  if (!read.ok || read.value.kind !== 'chat') throw new Error(JSON.stringify(read));
  return read.value.choices;
};

describe('a chat completion', () => {
  it('is read with its usage', () => {
    const read = parse({
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 7,
      model: 'gpt-4.1-2025-04-14',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hello', refusal: null, annotations: [] },
          logprobs: { content: [{ token: 'Hello', logprob: -0.1, bytes: [72], top_logprobs: [{ token: 'Hi', logprob: -3, bytes: null }] }], refusal: null },
          finish_reason: 'stop',
        },
      ],
      usage: {
        prompt_tokens: 5,
        completion_tokens: 7,
        total_tokens: 12,
        prompt_tokens_details: { cached_tokens: 2 },
        completion_tokens_details: { reasoning_tokens: 3 },
      },
      service_tier: 'default',
    });
    const answer: NeutralChatAnswer = {
      kind: 'chat',
      id: 'chatcmpl-1',
      model: 'gpt-4.1-2025-04-14',
      created: 7,
      choices: [
        {
          index: 0,
          parts: [{ kind: 'text', text: 'Hello' }],
          finish: 'stop',
          logprobs: [{ token: 'Hello', logprob: -0.1, top: [{ token: 'Hi', logprob: -3 }] }],
        },
      ],
      usage: { inputTokens: 5, outputTokens: 7, cachedInputTokens: 2, reasoningTokens: 3 },
    };
    expect(read).toEqual({ ok: true, value: answer });
  });

  /*
   * Deviations by hand, after the documents of DeepSeek (reasoning_content), OpenRouter (reasoning), Mistral (thinking
   * parts) and Gemini's compatible API (thought_signature), and after issues of clients that met the others.
   */
  it.each<[string, object, Partial<NeutralChoice>]>([
    [
      'thinking as DeepSeek writes it',
      { message: { content: 'Yes', reasoning_content: 'Hm.' }, finish_reason: 'stop' },
      {
        parts: [
          { kind: 'thinking', text: 'Hm.' },
          { kind: 'text', text: 'Yes' },
        ],
        finish: 'stop',
      },
    ],
    [
      'thinking as OpenRouter writes it',
      { message: { content: 'Yes', reasoning: 'Hm.' }, finish_reason: 'stop' },
      {
        parts: [
          { kind: 'thinking', text: 'Hm.' },
          { kind: 'text', text: 'Yes' },
        ],
      },
    ],
    [
      'thinking as Mistral writes it',
      {
        message: {
          content: [
            { type: 'thinking', thinking: [{ type: 'text', text: 'Hm.' }] },
            { type: 'text', text: 'Yes' },
          ],
        },
        finish_reason: 'stop',
      },
      {
        parts: [
          { kind: 'thinking', text: 'Hm.' },
          { kind: 'text', text: 'Yes' },
        ],
      },
    ],
    ['a refusal', { message: { content: null, refusal: 'No.' }, finish_reason: 'stop' }, { parts: [{ kind: 'refusal', text: 'No.' }], finish: 'refusal' }],
    [
      'calls that ended in a stop',
      {
        message: {
          content: null,
          tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{"x":1}' }, extra_content: { google: { thought_signature: 's' } } }],
        },
        finish_reason: 'stop',
      },
      { parts: [{ kind: 'tool_call', id: 'c', name: 'f', argumentsJson: '{"x":1}', signature: { origin: 'gemini', data: 's' } }], finish: 'tool_calls' },
    ],
    [
      'calls without ids, and arguments that are no text',
      {
        message: { tool_calls: [{ id: '', function: { name: 'f', arguments: '' } }, { function: { name: 'g', arguments: { x: 1 } } }, { function: {} }] },
        finish_reason: 'tool_calls',
      },
      {
        parts: [
          { kind: 'tool_call', id: 'call_0', name: 'f', argumentsJson: '{}' },
          { kind: 'tool_call', id: 'call_1', name: 'g', argumentsJson: '{"x":1}' },
        ],
      },
    ],
    ['nothing but an end', { finish_reason: 'length' }, { index: 0, parts: [], finish: 'length' }],
    ['an end that is not known', { message: { content: 'x' }, finish_reason: 'eos' }, { finish: 'stop' }],
    ['a cut for want of machines', { message: { content: 'x' }, finish_reason: 'insufficient_system_resource' }, { finish: 'length' }],
    ['a filter', { message: { content: '' }, finish_reason: 'content_filter' }, { parts: [], finish: 'content_filter' }],
    ['no end', { message: { content: 'x' }, finish_reason: null }, { finish: undefined }],
  ])('is read with %s', (_name, choice, expected) => {
    expect(choicesOf(choice)).toMatchObject([expected]);
  });

  it.each<[string, unknown]>([
    ['an error in its place', { error: { message: 'x', code: 429 } }],
    ['no choices', { id: 'x' }],
    ['a list', []],
    ['a text', 'x'],
  ])('is not read out of %s', (_name, body) => {
    expect(parse(body)).toMatchObject({ ok: false });
  });

  it('is read without usage that is unsound', () => {
    expect(parse({ choices: [], usage: { prompt_tokens: -1, completion_tokens: 1 } })).toEqual({
      ok: true,
      value: { kind: 'chat', id: '', model: '', created: undefined, choices: [], usage: undefined },
    });
  });
});
