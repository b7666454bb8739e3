import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BatchAnswer, FoundObject } from '../../state.ts';
import type { Endpoint } from '../../types.ts';
import { match } from '../endpoints.ts';
import { state } from './index.ts';

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (array: Uint8Array): string => new TextDecoder().decode(array);

function endpoint(method: string, path: string): Endpoint {
  const found = match(method, path);
  if (found.kind !== 'endpoint') throw new Error(`${path} is no endpoint`);
  return found.endpoint;
}

const UPLOAD = endpoint('POST', '/v1/files');
const CREATE = endpoint('POST', '/v1/batches');
const FORM = { contentType: 'multipart/form-data; boundary=B', contentEncoding: undefined };
const JSON_BODY = { contentType: 'application/json', contentEncoding: undefined };

const field = (name: string, value: string, filename?: string): string =>
  `--B\r\ncontent-disposition: form-data; name="${name}"${filename === undefined ? '' : `; filename="${filename}"`}\r\n\r\n${value}\r\n`;
const form = (...fields: readonly string[]): Uint8Array => bytes(`${fields.join('')}--B--\r\n`);
const line = (fields: object = {}): string => JSON.stringify({ custom_id: 'a', method: 'POST', url: '/v1/chat/completions', body: { model: 'm' }, ...fields });
const upload = (content: string, purpose = 'batch'): ReturnType<typeof state.readCreation> =>
  state.readCreation(UPLOAD, form(field('purpose', purpose), field('file', content, 'in.jsonl')), FORM);

describe('an upload', () => {
  it('for a batch has its requests found where they stand', () => {
    const content = `${line()}\r\n\n${line({ url: '/chat/completions', body: { model: 'n', x: '\u2028' } })}`;
    const body = form(field('purpose', 'batch'), field('file', content, 'in.jsonl'));
    const read = state.readCreation(UPLOAD, body, FORM);
    if (!read.ok || read.value.kind !== 'requests') throw new Error('not read');
    expect(read.value).toMatchObject({ startsNow: false, endpointPath: '/chat/completions' });
    expect(read.value.requests.map(({ start, end, name }) => [text(body.subarray(start, end)), name])).toEqual([
      ['{"model":"m"}', 'line 1'],
      ['{"model":"n","x":"\u2028"}', 'line 3'],
    ]);
  });

  it('for anything else is not looked into', () => {
    expect(upload('{', 'user_data')).toEqual({ ok: true, value: { kind: 'plain' } });
  });

  it.each([
    ['', 'no requests'],
    [`${line()}\n{`, 'line 2'],
    ['[]', 'line 1'],
    [line({ method: 'GET' }), 'POST'],
    [line({ url: '/v1/videos' }), 'url'],
    [line({ url: '/v1/chat/completions?x' }), 'url'],
    [line({ body: 'x' }), 'body'],
    ['{"method":"POST","method":"POST"}', 'once'],
    [`${line()}\n${line({ url: '/v1/embeddings' })}`, 'another url'],
  ])('of %j is refused', (content, message) => {
    expect(upload(content)).toMatchObject({ ok: false, error: { code: 'invalid_value', message: expect.stringContaining(message) } });
  });

  it.each([
    [form(field('file', 'x', 'a'))],
    [form(field('purpose', 'batch'))],
    [form(field('purpose', 'user_data'), field('purpose', 'batch'), field('file', 'x', 'a'))],
    [form(field('purpose', 'user_data'), field('file', 'x', 'a'), field('file', 'y', 'b'))],
    [form(field('purpose', 'x', 'a'), field('file', 'x', 'a'))],
    [form(field('purpose', 'batch'), field('file', 'x'))],
    [bytes('x')],
  ])('that is no such form is refused', (body) => {
    expect(state.readCreation(UPLOAD, body, FORM)).toMatchObject({ ok: false });
  });
});

describe('the creation of a batch', () => {
  const good = { input_file_id: 'file-1', endpoint: '/v1/responses', completion_window: '24h', metadata: { a: 'b' } };

  it('names its file', () => {
    expect(state.readCreation(CREATE, bytes(JSON.stringify(good)), JSON_BODY)).toEqual({
      ok: true,
      value: { kind: 'of_file', file: { kind: 'file', id: 'file-1', param: 'input_file_id' }, endpointPath: '/responses' },
    });
  });

  it.each([
    [{ ...good, input_blob: 'https://others/blob' }],
    [{ ...good, requests: [] }],
    [{ ...good, input_file_id: undefined }],
    [{ ...good, input_file_id: 5 }],
    [{ ...good, endpoint: '/v1/videos' }],
    [[]],
  ])('from %j is refused', (body) => {
    expect(state.readCreation(CREATE, bytes(JSON.stringify(body)), JSON_BODY)).toMatchObject({ ok: false });
  });
});

describe('a list', () => {
  const item = (id: string): string => `{"id":"${id}" , "object":"batch","output_file_id":"out-${id}"}`;
  const page = (...ids: readonly string[]): Uint8Array =>
    bytes(`{"object":"list","data":[${ids.map(item).join(', ')}],"first_id":"${ids[0]}","last_id":"${ids.at(-1)}","has_more":false}`);
  const LIST = endpoint('GET', '/v1/batches');

  it('shows what is owned as it came, and names nothing else', () => {
    const filtered = state.filterList(LIST, page('x', 'a', 'y', 'b', 'z'), (kind, id) => kind === 'batch' && ['a', 'b'].includes(id), 20);
    expect(text(filtered?.body ?? bytes(''))).toBe(`{"object":"list","data":[${item('a')},${item('b')}],"first_id":"a","last_id":"b","has_more":false}`);
    expect(filtered?.found).toEqual([
      { kind: 'file', id: 'out-a' },
      { kind: 'file', id: 'out-b' },
    ]);
  });

  it('is cut to what was asked for, and says that there is more', () => {
    const filtered = state.filterList(LIST, page('a', 'b', 'c'), () => true, 2);
    expect(JSON.parse(text(filtered?.body ?? bytes('')))).toMatchObject({ first_id: 'a', last_id: 'b', has_more: true, data: [{ id: 'a' }, { id: 'b' }] });
  });

  it('of nobody’s is empty', () => {
    const filtered = state.filterList(LIST, page('a'), () => false, 20);
    expect(JSON.parse(text(filtered?.body ?? bytes('')))).toEqual({ object: 'list', data: [], first_id: null, last_id: null, has_more: false });
  });

  it.each(['', '[]', '{"data":[],"data":[{"id":"x"}]}', '{"a":1,"a":[{"id":"x"}]}', '{"data":{}}', '{"error":{}}', '{"data":[}'])(
    'is not taken for one where it is %j',
    (body) => {
      expect(state.filterList(LIST, bytes(body), () => true, 20)).toBeUndefined();
    },
  );

  it('never shows an id that is not owned, whatever the page', () => {
    const ids = fc.array(fc.stringMatching(/^[a-z]{4,8}$/), { maxLength: 8 });
    fc.assert(
      fc.property(ids, ids, (mine, others) => {
        const foreign = others.filter((id) => !mine.some((own) => own.includes(id)));
        fc.pre(!foreign.some((id) => 'object list data first_id last_id has_more batch output_file_id null true false out'.includes(id)));
        const shuffled = [...mine, ...foreign].toSorted();
        const filtered = text(state.filterList(LIST, page(...shuffled), (_kind, id) => mine.includes(id), 100)?.body ?? bytes('x'));
        const parsed = JSON.parse(filtered) as { data: { id: string }[] };
        expect(parsed.data.map(({ id }) => id)).toEqual(shuffled.filter((id) => mine.includes(id)));
        for (const id of foreign) expect(filtered).not.toContain(`"${id}"`);
      }),
    );
  });

  it.each([
    ['', '?limit=100', 20],
    ['?limit=5&after=batch_1', '?after=batch_1&limit=100', 5],
    ['?limit=1000', '?limit=1000', 100],
    ['?limit=x', '?limit=x', 100],
  ])('that is asked for with %j is asked for with %j', (asked, query, limit) => {
    expect(state.widenList(LIST, asked)).toEqual({ query, limit });
  });
});

const found = (endpoint_: Endpoint, kind: 'json' | 'sse', chunks: readonly Uint8Array[]): FoundObject[] => {
  const objects: FoundObject[] = [];
  const watcher = state.watch(endpoint_, kind, (object) => void objects.push(object));
  chunks.forEach((chunk, index) => watcher.push(chunk, index === chunks.length - 1));
  return objects;
};

const cut = (whole: Uint8Array, at: readonly number[]): Uint8Array[] => {
  const places = [0, ...at.map((place) => place % (whole.length + 1)).toSorted((a, b) => a - b), whole.length];
  return places.slice(1).map((end, index) => whole.subarray(places[index], end));
};

describe('an answer', () => {
  const response = { operation: 'responses', path: '/responses', body: 'json' } satisfies Endpoint;
  const STREAM = bytes(
    'event: response.created\ndata: {"type":"response.created","response":{"id":"resp_1","output":[]}}\n\nevent: response.completed\ndata: {"type":"response.completed","response":{"id":"resp_2"}}\n\n',
  );

  it.each([
    [UPLOAD, '{"metadata":{"id":"x"},"expires_at":99,"id":"file-1"}', [{ kind: 'file', id: 'file-1', expiresAtS: 99 }]],
    [
      UPLOAD,
      '{"id":"file-1","expires_at":99}',
      [
        { kind: 'file', id: 'file-1' },
        { kind: 'file', id: 'file-1', expiresAtS: 99 },
      ],
    ],
    [
      CREATE,
      '{"id":"batch_1","expires_at":99,"output_file_id":"file-2","error_file_id":null}',
      [
        { kind: 'batch', id: 'batch_1' },
        { kind: 'file', id: 'file-2' },
      ],
    ],
    [
      response,
      '{"output":[{"id":"msg_1"}],"id":"resp_1"}',
      [
        { kind: 'item', id: 'msg_1' },
        { kind: 'response', id: 'resp_1' },
      ],
    ],
    [response, '{"id":"../resp_1"}', []],
    [response, '{"id":5}', []],
  ])('to %j is read', (endpoint_, answer, objects) => {
    expect(found(endpoint_, 'json', [bytes(answer)])).toEqual(objects);
  });

  it('is read alike wherever it is cut', () => {
    const whole = bytes('{"id":"batch_1","output_file_id":"file-2","x":["id"]}');
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 5 }), (places) => {
        expect(found(CREATE, 'json', cut(whole, places))).toEqual(found(CREATE, 'json', [whole]));
        expect(found(response, 'sse', cut(STREAM, places))).toEqual([{ kind: 'response', id: 'resp_1' }]);
      }),
    );
  });
});

describe('a result', () => {
  const read = (chunks: readonly Uint8Array[], path = '/chat/completions'): BatchAnswer[] => {
    const answers: BatchAnswer[] = [];
    const reader = state.readResults(path, (answer) => void answers.push(answer));
    chunks.forEach((chunk, index) => reader.push(chunk, index === chunks.length - 1));
    return answers;
  };
  const answer = (body: object, status = 200): string => JSON.stringify({ id: 'r', custom_id: 'a', response: { status_code: status, body }, error: null });
  const usage = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };

  it('tells what each answer used, and nothing of those that failed', () => {
    const whole = bytes(
      [answer({ model: 'm', usage }), answer({ error: {} }, 400), '', answer({ model: 'n' }), '{"response":null,"error":{"code":"batch_expired"}}'].join('\n'),
    );
    expect(read([whole])).toEqual([
      { model: 'm', usage: { inputTokens: 10, outputTokens: 5 } },
      { model: 'n', usage: undefined },
    ]);
  });

  it('counts what tools of the provider were called', () => {
    const body = { model: 'm', output: [{ type: 'web_search_call' }, { type: 'message' }], usage: { input_tokens: 1, output_tokens: 2 } };
    expect(read([bytes(answer(body))], '/responses')).toEqual([{ model: 'm', usage: { inputTokens: 1, outputTokens: 2, hostedToolCalls: 1 } }]);
  });

  it('is read alike wherever it is cut, and a line that is cut short counts as unknown', () => {
    const whole = bytes(`${answer({ model: 'm', choices: [{ message: { content: '{"usage":1}\\n' } }], usage })}\n${answer({ model: 'n', usage })}\n`);
    fc.assert(fc.property(fc.array(fc.nat(), { maxLength: 6 }), (places) => void expect(read(cut(whole, places))).toEqual(read([whole]))));
    expect(read([whole.subarray(0, whole.length - 5)])[1]).toEqual({ model: 'n', usage: undefined });
  });
});
