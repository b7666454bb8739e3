import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BodyEdits, Endpoint } from '../types.ts';
import { editRequest, GOVERNED_FIELDS } from './edit.ts';
import { match } from './endpoints.ts';
import { readRequest } from './request.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const HEADERS = { contentType: 'application/json', contentEncoding: undefined };

function endpoint(path = '/v1/messages'): Endpoint {
  const found = match('POST', path);
  if (found.kind !== 'endpoint') throw new Error(path);
  return found.endpoint;
}

const edit = (body: string, edits: BodyEdits, path?: string): string => textOf(editRequest(endpoint(path), bytesOf(body), HEADERS, edits));

const START = '{"model":"m", "max_tokens": 8000';
const thinking = (budget: number): string => `,"thinking":{"type":"enabled", "budget_tokens": ${budget} }}`;

describe('editRequest', () => {
  it.each<[string, BodyEdits, string]>([
    [`${START}}`, { model: 'p"q' }, '{"model":"p\\"q", "max_tokens": 8000}'],
    [`${START}}`, { maxOutputTokens: 5, capField: 'max_tokens', includeStreamUsage: true }, '{"model":"m", "max_tokens": 5}'],
    [`${START}}`, { systemPrompt: 'Be "kind"' }, `${START},"system":"Be \\"kind\\""}`],
    [`${START},"system":null}`, { systemPrompt: 'a' }, `${START},"system":"a"}`],
    [`${START},"system":""}`, { systemPrompt: 'a' }, `${START},"system":"a"}`],
    [`${START},"system": "b"}`, { systemPrompt: 'a' }, `${START},"system": "a\\n\\nb"}`],
    [
      `${START},"system":[ {"type":"text","text":"b","cache_control":{"type":"ephemeral"}}]}`,
      { systemPrompt: 'a' },
      `${START},"system":[{"type":"text","text":"a"}, {"type":"text","text":"b","cache_control":{"type":"ephemeral"}}]}`,
    ],
    [`${START},"system":[]}`, { systemPrompt: 'a' }, `${START},"system":[{"type":"text","text":"a"}]}`],
    [`${START},"system":["b"]}`, { systemPrompt: 'a', remove: ['system'] }, `${START},"system":"a"}`],
    [`${START},"system":"b"}`, { systemPrompt: 'a', set: { system: 'c' } }, `${START},"system":"c"}`],
    [`${START},"top_k":1,"x":2}`, { remove: ['top_k', 'max_tokens'], set: { stream: true, temperature: 0.5 } }, `${START},"x":2,"temperature":0.5}`],
    [`${START}${thinking(4000)}`, { maxOutputTokens: 5000 }, `${START.replace('8000', '5000')}${thinking(4000)}`],
    [`${START}${thinking(6000)}`, { maxOutputTokens: 6000 }, `${START.replace('8000', '6000')}${thinking(4500)}`],
    [`${START}${thinking(6000)}`, { maxOutputTokens: 4000 }, `${START.replace('8000', '4000')}${thinking(3000)}`],
    [`${START}${thinking(6000)}`, { maxOutputTokens: 1100 }, `${START.replace('8000', '1100')}${thinking(1024)}`],
    [`${START}${thinking(6000)}`, { maxOutputTokens: 1024 }, `${START.replace('8000', '1024')},"thinking":{"type":"disabled"}}`],
    [`${START}${thinking(9000)}`, { maxOutputTokens: 4000 }, `${START.replace('8000', '4000')}${thinking(3999)}`],
    [
      `${START}${thinking(6000)}`,
      { maxOutputTokens: 9, set: { thinking: { type: 'adaptive' } } },
      `${START.replace('8000', '9')},"thinking":{"type":"adaptive"}}`,
    ],
    [`${START},"thinking":{"type":"adaptive"}}`, { maxOutputTokens: 9 }, `${START.replace('8000', '9')},"thinking":{"type":"adaptive"}}`],
  ])('edits %s by %j', (body, edits, expected) => {
    expect(edit(body, edits)).toBe(expected);
  });

  it('writes no cap where tokens are counted, but what is counted', () => {
    expect(edit('{"model":"m","messages":[{}]}', { model: 'n', maxOutputTokens: 5, systemPrompt: 'a' }, '/v1/messages/count_tokens')).toBe(
      '{"model":"n","messages":[{}],"system":"a"}',
    );
  });

  it('gives the same array back where there is nothing to change', () => {
    const body = bytesOf(`${START}}`);
    expect(editRequest(endpoint(), body, HEADERS, {})).toBe(body);
  });

  it('does what it is told to any call, and leaves the rest as it was', () => {
    const extra = fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 });
    const edits = fc.record(
      {
        model: fc.string({ minLength: 1 }),
        maxOutputTokens: fc.integer({ min: 0, max: 9999 }),
        systemPrompt: fc.string(),
        set: extra,
        remove: fc.array(fc.string({ maxLength: 5 })),
      },
      { requiredKeys: [] },
    );
    const system = fc.constantFrom(undefined, null, 'own', [{ type: 'text', text: 'own' }]);
    const budget = fc.option(fc.integer({ min: 1024, max: 9998 }), { nil: undefined });
    fc.assert(
      fc.property(extra, system, budget, edits, fc.constantFrom(undefined, 1, '\t'), (more, own, budgetTokens, change, indent) => {
        const think = budgetTokens === undefined ? {} : { thinking: { type: 'enabled', budget_tokens: budgetTokens } };
        const sent = {
          ...more,
          model: 'm',
          max_tokens: 9999,
          messages: [{ role: 'user', content: 'x' }],
          ...(own === undefined ? {} : { system: own }),
          ...think,
        };
        const body = JSON.stringify(sent, undefined, indent);
        if (!readRequest(endpoint(), bytesOf(body), HEADERS).ok) return;
        const out = JSON.parse(edit(body, change)) as Record<string, unknown>;
        expect(readRequest(endpoint(), bytesOf(JSON.stringify({ ...out, model: 'm' })), HEADERS).ok).toBe(true);
        expect(out['model']).toBe(change.model ?? 'm');
        expect(out['max_tokens']).toBe(change.maxOutputTokens ?? 9999);
        const left = (out['thinking'] ?? {}) as { readonly budget_tokens?: number };
        if (left.budget_tokens !== undefined) expect(left.budget_tokens >= 1024 && left.budget_tokens < (out['max_tokens'] as number)).toBe(true);
        const touched = new Set([
          'model',
          'max_tokens',
          'system',
          'thinking',
          ...Object.keys(change.set ?? {}),
          ...(change.remove ?? []).filter((name) => !GOVERNED_FIELDS.has(name)),
        ]);
        const rest = (of: object): unknown => Object.entries(of).filter(([name]) => !touched.has(name));
        expect(rest(out)).toEqual(rest(JSON.parse(body) as object));
      }),
      { numRuns: 2000 },
    );
  });
});
