import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BodyEdits, Endpoint } from '../types.ts';
import { editRequest, GOVERNED_FIELDS } from './edit.ts';
import { match } from './endpoints.ts';
import { readRequest } from './request.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const HEADERS = { contentType: 'application/json', contentEncoding: undefined };

function endpoint(path: string): Endpoint {
  const found = match('POST', path);
  if (found.kind !== 'endpoint') throw new Error(path);
  return found.endpoint;
}

const edit = (path: string, body: string, edits: BodyEdits): string => textOf(editRequest(endpoint(path), bytesOf(body), HEADERS, edits));

const CHAT = '/v1/chat/completions';
const START = '{"model":"m", "messages":[{}]';

describe('editRequest', () => {
  it.each<[string, string, BodyEdits, string]>([
    [CHAT, `${START}}`, { model: 'p"q' }, '{"model":"p\\"q", "messages":[{}]}'],
    [CHAT, `${START}}`, { maxOutputTokens: 5 }, `${START},"max_completion_tokens":5}`],
    [CHAT, `${START},"max_tokens": 9 }`, { maxOutputTokens: 5 }, `${START},"max_tokens": 5 }`],
    [CHAT, `${START},"max_completion_tokens":9}`, { maxOutputTokens: 5 }, `${START},"max_completion_tokens":5}`],
    [CHAT, `${START},"max_tokens":9,"max_completion_tokens":9}`, { maxOutputTokens: 5 }, `${START},"max_tokens":5,"max_completion_tokens":5}`],
    [CHAT, `${START},"max_completion_tokens":null}`, { maxOutputTokens: 5 }, `${START},"max_completion_tokens":5}`],
    [CHAT, `${START}}`, { maxOutputTokens: 5, capField: 'max_tokens' }, `${START},"max_tokens":5}`],
    [CHAT, `${START},"max_completion_tokens":9}`, { maxOutputTokens: 5, capField: 'max_tokens' }, `${START},"max_tokens":5}`],
    [CHAT, `${START},"max_completion_tokens":9}`, { capField: 'max_tokens' }, `${START},"max_tokens":9}`],
    [CHAT, `${START},"max_tokens":9}`, { capField: 'max_tokens' }, `${START},"max_tokens":9}`],
    [CHAT, `${START}}`, { capField: 'max_tokens' }, `${START}}`],
    [CHAT, `${START},"stream":true}`, { includeStreamUsage: true }, `${START},"stream":true,"stream_options":{"include_usage":true}}`],
    [CHAT, `${START},"stream_options":null}`, { includeStreamUsage: true }, `${START},"stream_options":{"include_usage":true}}`],
    [
      CHAT,
      `${START},"stream_options":{"include_obfuscation":false}}`,
      { includeStreamUsage: true },
      `${START},"stream_options":{"include_obfuscation":false,"include_usage":true}}`,
    ],
    [CHAT, `${START},"stream_options":{ "include_usage": false }}`, { includeStreamUsage: true }, `${START},"stream_options":{ "include_usage": true }}`],
    [CHAT, `${START}}`, { systemPrompt: 'Be "kind"' }, '{"model":"m", "messages":[{"role":"system","content":"Be \\"kind\\""},{}]}'],
    [CHAT, `${START},"seed":1,"user":"u"}`, { remove: ['seed', 'messagesx'], set: { top_p: 0.5, user: null } }, `${START},"user":null,"top_p":0.5}`],
    [CHAT, `${START},"n":1}`, { remove: ['model', 'n'], set: { stream: true, max_tokens: 99, store: true } }, `${START},"n":1}`],
    [CHAT, '{"mod\\u0065l":"m","messages":[{}]}', { model: 'p' }, '{"mod\\u0065l":"p","messages":[{}]}'],
    [
      '/v1/completions',
      '{"model":"m","prompt":"x"}',
      { maxOutputTokens: 5, includeStreamUsage: true },
      '{"model":"m","prompt":"x","max_tokens":5,"stream_options":{"include_usage":true}}',
    ],
    ['/v1/responses', '{"model":"m","input":"x"}', {}, '{"model":"m","input":"x","store":false}'],
    ['/v1/responses', '{"model":"m","store":true}', {}, '{"model":"m","store":false}'],
    ['/v1/responses', '{"model":"m"}', { mayStore: true }, '{"model":"m"}'],
    ['/v1/responses', '{"model":"m","store":true}', { mayStore: true, set: { store: false } }, '{"model":"m","store":true}'],
    ['/v1/responses', '{"model":"m","store":null}', {}, '{"model":"m","store":false}'],
    ['/v1/responses', '{"model":"m","store":false}', {}, '{"model":"m","store":false}'],
    ['/v1/responses', '{"model":"m","store":false}', { remove: ['store'], set: { store: true } }, '{"model":"m","store":false}'],
    [
      '/v1/responses',
      '{"store":false,"model":"m"}',
      { maxOutputTokens: 5, capField: 'max_tokens', includeStreamUsage: true },
      '{"store":false,"model":"m","max_output_tokens":5}',
    ],
    ['/v1/responses', '{"store":false,"instructions":"b"}', { systemPrompt: 'a' }, '{"store":false,"instructions":"a\\n\\nb"}'],
    ['/v1/responses', '{"store":false}', { systemPrompt: 'a' }, '{"store":false,"instructions":"a"}'],
    ['/v1/embeddings', '{"model":"e","input":"x"}', { maxOutputTokens: 5, systemPrompt: 'a', includeStreamUsage: true }, '{"model":"e","input":"x"}'],
    ['/v1/moderations', '{"input":"x"}', { model: 'o' }, '{"input":"x","model":"o"}'],
  ])('edits %s %s by %j', (path, body, edits, expected) => {
    expect(edit(path, body, edits)).toBe(expected);
  });

  it('gives the same array back where there is nothing to change', () => {
    const body = bytesOf(`${START}}`);
    expect(editRequest(endpoint(CHAT), body, HEADERS, {})).toBe(body);
  });

  it('changes the model of a form and no other byte', () => {
    const form = (model: string): string =>
      `--B\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nmodel=whisper-1 \u0000\r\n\r\n--B\r\ncontent-disposition: form-data; name="model"\r\n\r\n${model}\r\n--B--\r\n`;
    const headers = { contentType: 'multipart/form-data; boundary=B', contentEncoding: undefined };
    const transcriptions = endpoint('/v1/audio/transcriptions');
    const body = bytesOf(form('whisper-1'));
    expect(textOf(editRequest(transcriptions, body, headers, { model: 'gpt-4o-transcribe' }))).toBe(form('gpt-4o-transcribe'));
    expect(editRequest(transcriptions, body, headers, { maxOutputTokens: 5 })).toBe(body);
  });

  it('does what it is told to any chat, and leaves the rest as it was', () => {
    const extra = fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 });
    const edits = fc.record(
      {
        model: fc.string({ minLength: 1 }),
        maxOutputTokens: fc.integer({ min: 1, max: 9999 }),
        includeStreamUsage: fc.constant(true),
        systemPrompt: fc.string(),
        set: extra,
        remove: fc.array(fc.string({ maxLength: 5 })),
      },
      { requiredKeys: [] },
    );
    const cap = fc.option(fc.integer({ min: 1, max: 9999 }), { nil: undefined });
    fc.assert(
      fc.property(extra, cap, cap, edits, fc.constantFrom(undefined, 1, '\t'), (more, both, options, change, indent) => {
        const read = {
          ...more,
          model: 'm',
          messages: [{ role: 'user', content: 'x' }],
          ...(both === undefined ? {} : { max_tokens: both }),
          ...(options === undefined ? {} : { stream_options: { x: options } }),
        };
        const body = JSON.stringify(read, undefined, indent);
        if (!readRequest(endpoint(CHAT), bytesOf(body), HEADERS).ok) return;
        const own = (fields: Record<string, unknown>): Record<string, unknown> =>
          Object.fromEntries(Object.entries(fields).filter(([name]) => !GOVERNED_FIELDS.has(name)));
        const set: Record<string, unknown> = own(JSON.parse(JSON.stringify(change.set ?? {})));
        const expected: Record<string, unknown> = { ...read };
        for (const name of change.remove ?? []) if (!GOVERNED_FIELDS.has(name)) delete expected[name];
        for (const [name, value] of Object.entries(set)) Object.defineProperty(expected, name, { value, enumerable: true, configurable: true, writable: true });
        if (change.model !== undefined) expected['model'] = change.model;
        if (change.maxOutputTokens !== undefined) expected[both === undefined ? 'max_completion_tokens' : 'max_tokens'] = change.maxOutputTokens;
        if (change.includeStreamUsage) expected['stream_options'] = { ...(options === undefined ? {} : { x: options }), include_usage: true };
        if (change.systemPrompt !== undefined) expected['messages'] = [{ role: 'system', content: change.systemPrompt }, ...read.messages];
        expect(JSON.parse(edit(CHAT, body, change))).toEqual(JSON.parse(JSON.stringify(expected)));
      }),
      { numRuns: 3000 },
    );
  });
});
