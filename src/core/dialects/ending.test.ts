import { describe, expect, it } from 'vitest';
import { concatBytes, decodeUtf8, encodeUtf8 } from '../json/index.ts';
import { anthropic, gemini, openai } from './index.ts';
import type { Dialect, Endpoint, EnderContext } from './index.ts';

const CONTEXT: EnderContext = { requestId: 'r1', model: 'asked', created: 7, wantsUsage: false };
const USAGE = { inputTokens: 9, outputTokens: 5 };

function endpointOf(dialect: Dialect, path: string): Endpoint {
  const match = dialect.match('POST', path);
  if (match.kind !== 'endpoint') throw new Error(match.kind);
  return match.endpoint;
}

/** What ends a stream of which these events have passed, as objects and other lines. */
function endingOf(dialect: Dialect, path: string, events: readonly object[], context: Partial<EnderContext> = {}): readonly unknown[] {
  const ender = dialect.ender(endpointOf(dialect, path), { ...CONTEXT, ...context });
  for (const event of events) ender?.passed(encodeUtf8(`data: ${JSON.stringify(event)}\n\n`));
  const text = ender === undefined ? '' : decodeUtf8(ender.ending(USAGE));
  return [...text.matchAll(/^data: (.*?)\r?$/gm)].map(([, data = '']): unknown => (data === '[DONE]' ? data : JSON.parse(data)));
}

const chunk = (index: number, finish: string | null): object => ({
  id: 'c1',
  object: 'chat.completion.chunk',
  created: 3,
  model: 'served',
  choices: [{ index, delta: { content: 'a' }, finish_reason: finish }],
});

describe('the end of a stream that grew too long', () => {
  it('of a chat is a reason for each choice that is open', () => {
    const head = { id: 'c1', object: 'chat.completion.chunk', created: 3, model: 'served' };
    expect(endingOf(openai, '/v1/chat/completions', [chunk(0, null), chunk(1, null), chunk(0, 'stop')])).toEqual([
      { ...head, choices: [{ index: 1, delta: {}, finish_reason: 'length' }] },
      '[DONE]',
    ]);
  });

  it('of a chat has its usage, where that was asked for', () => {
    expect(endingOf(openai, '/v1/chat/completions', [chunk(0, null)], { wantsUsage: true }).slice(0, 2)).toMatchObject([
      { usage: null },
      { choices: [], usage: { prompt_tokens: 9, completion_tokens: 5, total_tokens: 14 } },
    ]);
  });

  it('of a text completion is a text with nothing in it', () => {
    const event = { id: 't1', object: 'text_completion', created: 3, model: 'served', choices: [{ index: 0, text: 'a', logprobs: null, finish_reason: null }] };
    expect(endingOf(openai, '/v1/completions', [event])).toEqual([
      { ...event, choices: [{ index: 0, text: '', logprobs: null, finish_reason: 'length' }] },
      '[DONE]',
    ]);
  });

  it('of a response closes the part and the item that are open, and repeats all of it; a call is not told to be made', () => {
    const response = { id: 'resp_1', object: 'response', status: 'in_progress', output: [] };
    const thought = { id: 'rs_1', type: 'reasoning', summary: [] };
    const message = { id: 'msg_1', type: 'message', role: 'assistant', status: 'in_progress', content: [] };
    const call = { id: 'fc_1', type: 'function_call', status: 'in_progress', name: 'f', arguments: '' };
    const events = [
      { type: 'response.created', sequence_number: 0, response },
      { type: 'response.output_item.added', sequence_number: 1, output_index: 0, item: thought },
      { type: 'response.output_item.done', sequence_number: 2, output_index: 0, item: thought },
      { type: 'response.output_item.added', sequence_number: 3, output_index: 1, item: message },
      {
        type: 'response.content_part.added',
        sequence_number: 4,
        output_index: 1,
        content_index: 0,
        item_id: 'msg_1',
        part: { type: 'output_text', text: '', annotations: [] },
      },
      { type: 'response.output_text.delta', sequence_number: 5, output_index: 1, content_index: 0, item_id: 'msg_1', delta: 'Hel' },
      { type: 'response.output_text.delta', sequence_number: 6, output_index: 1, content_index: 0, item_id: 'msg_1', delta: 'lo' },
      { type: 'response.output_item.added', sequence_number: 7, output_index: 2, item: call },
    ];
    const part = { type: 'output_text', text: 'Hello', annotations: [] };
    const item = { ...message, status: 'incomplete', content: [part] };
    const where = { item_id: 'msg_1', output_index: 1, content_index: 0 };
    expect(endingOf(openai, '/v1/responses', events)).toEqual([
      { type: 'response.output_text.done', sequence_number: 8, ...where, text: 'Hello', logprobs: [] },
      { type: 'response.content_part.done', sequence_number: 9, ...where, part },
      { type: 'response.output_item.done', sequence_number: 10, output_index: 1, item },
      { type: 'response.output_item.done', sequence_number: 11, output_index: 2, item: { ...call, status: 'incomplete' } },
      {
        type: 'response.incomplete',
        sequence_number: 12,
        response: {
          ...response,
          status: 'incomplete',
          incomplete_details: { reason: 'max_output_tokens' },
          output: [thought, item, { ...call, status: 'incomplete' }],
          usage: expect.objectContaining({ input_tokens: 9, output_tokens: 5, total_tokens: 14 }),
        },
      },
    ]);
  });

  it('of a message closes the block that is open', () => {
    const events = [
      { type: 'message_start', message: { id: 'm', usage: { input_tokens: 9, output_tokens: 1 } } },
      { type: 'content_block_start', index: 0, content_block: { type: 'thinking' } },
      { type: 'content_block_stop', index: 0 },
      { type: 'content_block_start', index: 1, content_block: { type: 'text', text: '' } },
    ];
    expect(endingOf(anthropic, '/v1/messages', events)).toMatchObject([
      { type: 'content_block_stop', index: 1 },
      { type: 'message_delta', delta: { stop_reason: 'max_tokens', stop_sequence: null }, usage: { output_tokens: 5 } },
      { type: 'message_stop' },
    ]);
  });

  it('of Gemini is a last response with a reason for each candidate that is open', () => {
    const events = [{ candidates: [{ index: 0, content: { role: 'model', parts: [{ text: 'a' }] } }], modelVersion: 'served', responseId: 'g1' }];
    expect(endingOf(gemini, '/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse', events)).toEqual([
      {
        candidates: [{ index: 0, content: { role: 'model', parts: [{ text: '' }] }, finishReason: 'MAX_TOKENS' }],
        usageMetadata: { promptTokenCount: 9, candidatesTokenCount: 5, totalTokenCount: 14 },
        modelVersion: 'served',
        responseId: 'g1',
      },
    ]);
  });

  it.each<[string, Dialect, string]>([
    ['images', openai, '/v1/images/generations'],
    ['an array in JSON', gemini, '/v1beta/models/gemini-2.5-flash:streamGenerateContent'],
    ['counts of tokens', anthropic, '/v1/messages/count_tokens'],
  ])('there is none of %s', (_name, dialect, path) => {
    expect(dialect.ender(endpointOf(dialect, path), CONTEXT)).toBeUndefined();
  });

  it('is the same whatever the pieces that passed', () => {
    const ender = openai.ender(endpointOf(openai, '/v1/chat/completions'), CONTEXT);
    const bytes = concatBytes([encodeUtf8(`data: ${JSON.stringify(chunk(0, null))}\n\n`)]);
    for (const byte of bytes) ender?.passed(Uint8Array.of(byte));
    expect(decodeUtf8(ender?.ending(USAGE) ?? new Uint8Array(0))).toContain('"finish_reason":"length"');
  });
});
