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

const CHAT = '/v1beta/models/m:generateContent';
const EMBED = '/v1beta/models/m:embedContent';
const BATCH = '/v1beta/models/m:batchEmbedContents';
const COUNT = '/v1beta/models/m:countTokens';
const START = '{"contents": [{}]';

describe('editRequest', () => {
  it.each<[string, string, BodyEdits, string]>([
    [CHAT, `${START}}`, { model: 'p' }, `${START}}`],
    [CHAT, `${START},"model":"models/m"}`, { model: 'p"q' }, `${START},"model":"models/p\\"q"}`],
    [CHAT, `${START}}`, { maxOutputTokens: 5 }, `${START},"generationConfig":{"maxOutputTokens":5}}`],
    [CHAT, `${START},"generationConfig":null}`, { maxOutputTokens: 5 }, `${START},"generationConfig":{"maxOutputTokens":5}}`],
    [CHAT, `${START},"generationConfig":{ "topK": 1 }}`, { maxOutputTokens: 5 }, `${START},"generationConfig":{ "topK": 1,"maxOutputTokens":5 }}`],
    [
      CHAT,
      `${START},"generationConfig":{"maxOutputTokens": 9 }}`,
      { maxOutputTokens: 5, capField: 'max_tokens' },
      `${START},"generationConfig":{"maxOutputTokens": 5 }}`,
    ],
    [CHAT, `${START},"generation_config":{"max_output_tokens":9}}`, { maxOutputTokens: 5 }, `${START},"generation_config":{"max_output_tokens":5}}`],
    [CHAT, `${START},"generation_config":{}}`, { maxOutputTokens: 5 }, `${START},"generation_config":{"maxOutputTokens":5}}`],
    [CHAT, `${START}}`, { systemPrompt: 'Be "kind"' }, `${START},"systemInstruction":{"parts":[{"text":"Be \\"kind\\""}]}}`],
    [
      CHAT,
      `${START},"systemInstruction":{"parts":[ {"text":"b"}]}}`,
      { systemPrompt: 'a' },
      `${START},"systemInstruction":{"parts":[{"text":"a"}, {"text":"b"}]}}`,
    ],
    [
      CHAT,
      `${START},"system_instruction":{"parts":{"text": "b"}}}`,
      { systemPrompt: 'a' },
      `${START},"system_instruction":{"parts":[{"text":"a"},{"text": "b"}]}}`,
    ],
    [CHAT, `${START},"systemInstruction":{"role":"user"}}`, { systemPrompt: 'a' }, `${START},"systemInstruction":{"role":"user","parts":[{"text":"a"}]}}`],
    [
      CHAT,
      `${START},"systemInstruction":{"parts":[{"text":"b"}]}}`,
      { systemPrompt: 'a', remove: ['systemInstruction'] },
      `${START},"systemInstruction":{"parts":[{"text":"a"}]}}`,
    ],
    [CHAT, `${START},"safety_settings":[1],"labels":{}}`, { set: { safetySettings: [] }, remove: ['labels'] }, `${START},"safety_settings":[]}`],
    [CHAT, `${START},"toolConfig":{}}`, { remove: ['tool_config'], set: { labels: { a: 'b' } } }, `${START},"labels":{"a":"b"}}`],
    [
      CHAT,
      `${START},"generationConfig":{}}`,
      { remove: ['generationConfig', 'model'], set: { generation_config: {}, cachedContent: 'x', store: true, serviceTier: 'priority', model: 'y' } },
      `${START},"generationConfig":{}}`,
    ],
    [CHAT, `${START}}`, { includeStreamUsage: true, capField: 'max_tokens' }, `${START}}`],
    [EMBED, '{"content":{}}', { model: 'p', maxOutputTokens: 5, systemPrompt: 'a' }, '{"content":{}}'],
    [EMBED, '{"model":"models/m","content":{}}', { model: 'p' }, '{"model":"models/p","content":{}}'],
    [
      BATCH,
      '{"requests":[{"model":"models/m", "content":{}},{"content":{}}]}',
      { model: 'models/p' },
      '{"requests":[{"model":"models/p", "content":{}},{"content":{}}]}',
    ],
    [BATCH, '{"requests":{"model":"models/m","content":{}}}', { model: 'p' }, '{"requests":{"model":"models/p","content":{}}}'],
    [
      COUNT,
      '{"generateContentRequest":{"model":"models/m","contents":[{}]}}',
      { model: 'p', systemPrompt: 'a', maxOutputTokens: 5 },
      '{"generateContentRequest":{"model":"models/p","contents":[{}]}}',
    ],
    [COUNT, '{"contents":[{}]}', { model: 'p' }, '{"contents":[{}]}'],
  ])('edits %s %s by %j', (path, body, edits, expected) => {
    expect(edit(path, body, edits)).toBe(expected);
  });

  it('gives the same array back where there is nothing to change', () => {
    const body = bytesOf(`${START}}`);
    expect(editRequest(endpoint(CHAT), body, HEADERS, { model: 'p' })).toBe(body);
  });

  it('does what it is told to any request, and leaves the rest as it was', () => {
    const extra = fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 });
    const edits = fc.record(
      { maxOutputTokens: fc.integer({ min: 1, max: 9999 }), systemPrompt: fc.string(), set: extra, remove: fc.array(fc.string({ maxLength: 5 })) },
      { requiredKeys: [] },
    );
    const settings = fc.option(fc.record({ maxOutputTokens: fc.integer({ min: 1, max: 9999 }), topK: fc.nat() }, { requiredKeys: [] }), { nil: undefined });
    fc.assert(
      fc.property(extra, settings, edits, fc.constantFrom(undefined, 1, '\t'), (more, generationConfig, change, indent) => {
        const plain = (name: string): boolean => /^[a-z]*$/.test(name) && !GOVERNED_FIELDS.has(name);
        const only = (fields: object): Record<string, unknown> => Object.fromEntries(Object.entries(fields).filter(([name]) => plain(name)));
        const read: Record<string, unknown> = {
          ...only(more),
          contents: [{ parts: [{ text: 'x' }] }],
          ...(generationConfig === undefined ? {} : { generationConfig }),
        };
        const body = JSON.stringify(read, undefined, indent);
        const set = only(change.set ?? {});
        const remove = (change.remove ?? []).filter(plain);
        if (!readRequest(endpoint(CHAT), bytesOf(body), HEADERS).ok) return;
        const expected: Record<string, unknown> = { ...read };
        for (const name of remove) delete expected[name];
        Object.assign(expected, set);
        if (change.maxOutputTokens !== undefined) expected['generationConfig'] = { ...generationConfig, maxOutputTokens: change.maxOutputTokens };
        if (change.systemPrompt !== undefined) expected['systemInstruction'] = { parts: [{ text: change.systemPrompt }] };
        expect(JSON.parse(edit(CHAT, body, { ...change, set, remove }))).toEqual(JSON.parse(JSON.stringify(expected)));
      }),
      { numRuns: 2000 },
    );
  });
});
