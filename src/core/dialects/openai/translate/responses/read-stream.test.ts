import { describe, expect, it } from 'vitest';
import type { NeutralEvent } from '../../../neutral.ts';
import { openaiTranslation } from '../index.ts';

const RESPONSES = { operation: 'responses', path: '/responses', body: 'json' } as const;

const event = (type: string, more: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: 0, ...more })}\n\n`;
const response = (status: string, more: object = {}): object => ({
  response: { id: 'resp_1', object: 'response', created_at: 7, model: 'm', status, output: [], error: null, incomplete_details: null, usage: null, ...more },
});
const USAGE = {
  input_tokens: 5,
  input_tokens_details: { cached_tokens: 1 },
  output_tokens: 7,
  output_tokens_details: { reasoning_tokens: 2 },
  total_tokens: 12,
};

const CREATED = event('response.created', response('in_progress')) + event('response.in_progress', response('in_progress'));
const START = { kind: 'start', id: 'resp_1', model: 'm', created: 7 } as const;
const USED = { kind: 'usage', usage: { inputTokens: 5, outputTokens: 7, cachedInputTokens: 1, reasoningTokens: 2 } } as const;

const read = (text: string): { readonly events: readonly NeutralEvent[]; readonly skipped: number } => {
  const reader = openaiTranslation.readStream(RESPONSES);
  const events = reader.push(new TextEncoder().encode(text), true);
  return { events, skipped: reader.skipped };
};

/* Written by hand after the event types of the `openai` package. */
describe('a streamed response', () => {
  it.each<[string, string, readonly NeutralEvent[], number?]>([
    [
      'thinking in paragraphs, words, and a call',
      CREATED +
        event('response.output_item.added', { output_index: 0, item: { type: 'reasoning', id: 'rs', summary: [] } }) +
        event('response.reasoning_summary_part.added', { output_index: 0, summary_index: 0, part: { type: 'summary_text', text: '' } }) +
        event('response.reasoning_summary_text.delta', { output_index: 0, summary_index: 0, delta: 'Hm.' }) +
        event('response.reasoning_summary_part.added', { output_index: 0, summary_index: 1, part: { type: 'summary_text', text: '' } }) +
        event('response.reasoning_summary_text.delta', { output_index: 0, summary_index: 1, delta: 'Yes.' }) +
        event('response.output_item.done', { output_index: 0, item: { type: 'reasoning', id: 'rs', summary: [], encrypted_content: 'gAAA' } }) +
        event('response.output_item.added', { output_index: 1, item: { type: 'message', id: 'msg', content: [] } }) +
        event('response.output_text.delta', { output_index: 1, content_index: 0, delta: 'Hello', logprobs: [] }) +
        event('response.output_text.done', { output_index: 1, content_index: 0, text: 'Hello', logprobs: [] }) +
        event('response.output_item.done', { output_index: 1, item: { type: 'message', id: 'msg', content: [{ type: 'output_text', text: 'Hello' }] } }) +
        event('response.output_item.added', { output_index: 2, item: { type: 'function_call', id: 'fc', call_id: 'c', name: 'f', arguments: '' } }) +
        event('response.function_call_arguments.delta', { output_index: 2, item_id: 'fc', delta: '{}' }) +
        event('response.function_call_arguments.done', { output_index: 2, item_id: 'fc', arguments: '{}' }) +
        event('response.output_item.done', { output_index: 2, item: { type: 'function_call', id: 'fc', call_id: 'c', name: 'f', arguments: '{}' } }) +
        event('response.completed', response('completed', { usage: USAGE })),
      [
        START,
        { kind: 'thinking', choice: 0, delta: 'Hm.' },
        { kind: 'thinking', choice: 0, delta: '\n\n' },
        { kind: 'thinking', choice: 0, delta: 'Yes.' },
        { kind: 'thinking_signature', choice: 0, signature: { origin: 'openai', data: 'gAAA' } },
        { kind: 'text', choice: 0, delta: 'Hello' },
        { kind: 'tool_call', choice: 0, call: 0, id: 'c', name: 'f' },
        { kind: 'tool_arguments', choice: 0, call: 0, delta: '{}' },
        { kind: 'finish', choice: 0, reason: 'tool_calls' },
        USED,
        { kind: 'end' },
      ],
    ],
    [
      'hidden thinking and a call that come whole',
      CREATED +
        event('response.output_item.done', { output_index: 0, item: { type: 'reasoning', id: 'rs', summary: [], encrypted_content: 'gAAA' } }) +
        event('response.output_item.done', { output_index: 1, item: { type: 'function_call', id: 'fc', call_id: 'c', name: 'f', arguments: '{"x":1}' } }) +
        event('response.completed', response('completed')),
      [
        START,
        { kind: 'redacted_thinking', choice: 0, redacted: { origin: 'openai', data: 'gAAA' } },
        { kind: 'tool_call', choice: 0, call: 0, id: 'c', name: 'f' },
        { kind: 'tool_arguments', choice: 0, call: 0, delta: '{"x":1}' },
        { kind: 'finish', choice: 0, reason: 'tool_calls' },
        { kind: 'end' },
      ],
    ],
    [
      'a refusal',
      CREATED + event('response.refusal.delta', { output_index: 0, delta: 'No.' }) + event('response.completed', response('completed')),
      [START, { kind: 'refusal', choice: 0, delta: 'No.' }, { kind: 'finish', choice: 0, reason: 'refusal' }, { kind: 'end' }],
    ],
    [
      'a cap',
      CREATED + event('response.incomplete', response('incomplete', { incomplete_details: { reason: 'max_output_tokens' } })),
      [START, { kind: 'finish', choice: 0, reason: 'length' }, { kind: 'end' }],
    ],
    [
      'a filter',
      CREATED + event('response.incomplete', response('incomplete', { incomplete_details: { reason: 'content_filter' } })),
      [START, { kind: 'finish', choice: 0, reason: 'content_filter' }, { kind: 'end' }],
    ],
    [
      'a failure',
      CREATED + event('response.failed', response('failed', { error: { code: 'rate_limit_exceeded', message: 'Slow down.' } })),
      [START, { kind: 'error', error: { kind: 'rate_limit', status: 429, message: 'Slow down.', code: 'rate_limit_exceeded' } }],
    ],
    [
      'an error beside its type',
      event('error', { code: 'server_error', message: 'Oops.', param: null }),
      [{ kind: 'error', error: { kind: 'server_error', status: 500, message: 'Oops.', code: 'server_error' } }],
    ],
    [
      'an error of its own',
      event('error', { error: { type: 'insufficient_quota', code: 'insufficient_quota', message: 'Pay.', param: null } }),
      [{ kind: 'error', error: { kind: 'quota', status: 429, message: 'Pay.', code: 'insufficient_quota' } }],
    ],
    ['what is not known', `${CREATED}${event('keepalive', {})}${event('response.web_search_call.searching', { output_index: 3 })}data: 7\n\n`, [START], 2],
  ])('is read: %s', (_name, text, events, skipped = 0) => {
    expect(read(text)).toEqual({ events, skipped });
  });
});
