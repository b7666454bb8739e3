import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BatchAnswer } from '../../state.ts';
import type { Endpoint } from '../../types.ts';
import { match } from '../endpoints.ts';
import { state } from './index.ts';

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
const text = (array: Uint8Array | undefined): string => new TextDecoder().decode(array);
const JSON_BODY = { contentType: 'application/json', contentEncoding: undefined };

function endpoint(method: string, path: string): Endpoint {
  const found = match(method, path);
  if (found.kind !== 'endpoint') throw new Error(`${path} is no endpoint`);
  return found.endpoint;
}

const CREATE = endpoint('POST', '/v1/messages/batches');
const LIST = endpoint('GET', '/v1/messages/batches');

describe('a creation', () => {
  it('has its requests found where they stand', () => {
    const body = bytes('{"requests": [ {"custom_id":"a","params":{"model":"m"}} , {"params": {"model":"n"},"custom_id":"b"}]}');
    const read = state.readCreation(CREATE, body, JSON_BODY);
    if (!read.ok || read.value.kind !== 'requests') throw new Error('not read');
    expect(read.value.startsNow).toBe(true);
    expect(read.value.requests.map(({ start, end, name }) => [text(body.subarray(start, end)), name])).toEqual([
      ['{"model":"m"}', 'requests[0]'],
      ['{"model":"n"}', 'requests[1]'],
    ]);
  });

  it.each([
    ['{'],
    [[]],
    [{}],
    [{ requests: [] }],
    [{ requests: {} }],
    [{ requests: [{ custom_id: 'a' }] }],
    [{ requests: [{ params: 'x' }] }],
    [{ requests: [{ params: {} }], input_file: 'x' }],
    ['{"requests":[{"params":{},"params":{}}]}'],
  ])('from %j is refused', (body) => {
    expect(state.readCreation(CREATE, bytes(body), JSON_BODY)).toMatchObject({ ok: false });
  });

  it('of a file is not looked into', () => {
    const upload = endpoint('POST', '/v1/files');
    expect(state.readCreation(upload, bytes('x'), { contentType: 'multipart/form-data; boundary=B', contentEncoding: undefined })).toEqual({
      ok: true,
      value: { kind: 'plain' },
    });
    expect(state.readCreation(upload, bytes('x'), JSON_BODY)).toMatchObject({ ok: false, error: { code: 'unsupported_content_type' } });
  });
});

describe('a list', () => {
  it('shows one’s own, and names nothing else', () => {
    const page = bytes({ data: [{ id: 'msgbatch_x' }, { id: 'msgbatch_a' }], has_more: true, first_id: 'msgbatch_x', last_id: 'msgbatch_a' });
    expect(JSON.parse(text(state.filterList(LIST, page, (_kind, id) => id === 'msgbatch_a', 20)?.body))).toEqual({
      data: [{ id: 'msgbatch_a' }],
      has_more: true,
      first_id: 'msgbatch_a',
      last_id: 'msgbatch_a',
    });
  });

  it.each([
    ['', '?limit=1000', 20],
    ['?after_id=a&limit=2', '?after_id=a&limit=1000', 2],
    ['?before_id=a&limit=2', '?before_id=a&limit=2', Infinity],
  ])('that is asked for with %j is asked for with %j', (asked, query, limit) => {
    expect(state.widenList(LIST, asked)).toEqual({ query, limit });
  });

  it('of files goes on by a token, and is left as it is', () => {
    expect(state.widenList(endpoint('GET', '/v1/files'), '?limit=2&page=t')).toEqual({ query: '?limit=2&page=t', limit: Infinity });
  });
});

describe('where results are', () => {
  const edit = (value: unknown): unknown => JSON.parse(text(state.rewrite?.edit(bytes(value))));

  it('is said so that the official SDKs come back here', () => {
    const url = 'https://api.anthropic.com/v1/messages/batches/msgbatch_1/results';
    const local = '/v1/messages/batches/msgbatch_1/results';
    expect(edit({ id: 'msgbatch_1', results_url: url, other: url })).toEqual({ id: 'msgbatch_1', results_url: local, other: url });
    expect(
      edit({
        data: [
          { id: 'msgbatch_1', results_url: url },
          { id: 'msgbatch_2', results_url: null },
        ],
      }),
    ).toEqual({
      data: [
        { id: 'msgbatch_1', results_url: local },
        { id: 'msgbatch_2', results_url: null },
      ],
    });
    expect(edit({ id: '../x', results_url: url })).toEqual({ id: '../x', results_url: url });
  });
});

describe('a batch', () => {
  it.each([
    [{ type: 'message_batch', id: 'msgbatch_1', processing_status: 'in_progress' }, { kind: 'open' }],
    [{ type: 'message_batch', id: 'msgbatch_1', processing_status: 'canceling' }, { kind: 'open' }],
    [
      { type: 'message_batch', id: 'msgbatch_1', processing_status: 'ended' },
      { kind: 'ended', results: ['/messages/batches/msgbatch_1/results'], outputs: [] },
    ],
    [{ type: 'message_batch', id: '../x', processing_status: 'ended' }, undefined],
    [{ type: 'error' }, undefined],
    ['{', undefined],
  ])('says %j', (value, expected) => {
    expect(state.readBatch(bytes(value))).toEqual(expected);
  });

  it('tells what each answer used, wherever its result is cut', () => {
    const answers = (chunks: readonly Uint8Array[]): BatchAnswer[] => {
      const found: BatchAnswer[] = [];
      const reader = state.readResults('', (answer) => void found.push(answer));
      chunks.forEach((chunk, index) => reader.push(chunk, index === chunks.length - 1));
      return found;
    };
    const message = {
      model: 'claude-x-1',
      content: [{ type: 'text', text: 'a\n{"usage":{}}' }],
      usage: { input_tokens: 10, cache_read_input_tokens: 5, output_tokens: 7 },
    };
    const whole = bytes(
      [
        { result: { type: 'succeeded', message } },
        { result: { type: 'errored', error: {} } },
        { result: { type: 'expired' } },
        { result: { type: 'succeeded', message: { model: 'claude-y' } } },
      ]
        .map((line) => JSON.stringify(line))
        .join('\n'),
    );
    const expected = [
      { model: 'claude-x-1', usage: { inputTokens: 15, cachedInputTokens: 5, outputTokens: 7 } },
      { model: 'claude-y', usage: undefined },
    ];
    fc.assert(fc.property(fc.nat(whole.length), (at) => void expect(answers([whole.subarray(0, at), whole.subarray(at)])).toEqual(expected)));
  });
});
