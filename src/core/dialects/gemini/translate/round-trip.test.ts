import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { NeutralChat, NeutralContent, NeutralMessage, NeutralPart, NeutralReasoning, NeutralSampling, NeutralToolCall } from '../../neutral.ts';
import { match } from '../endpoints.ts';
import { readRequest } from '../request.ts';
import { pathAt } from '../endpoints.ts';
import { parseRequest } from './parse-request.ts';
import { writeRequest } from './write-request.ts';

/** What Gemini can hold: a conversation of turns, in which every call is answered. */
const text = fc.string({ minLength: 1, maxLength: 12, unit: 'binary' }).map((value) => value.toWellFormed());
const word = fc.stringMatching(/^[a-z_][a-z0-9_]{0,8}$/);
const base64 = fc.uint8Array({ maxLength: 9 }).map((value) => Buffer.from(value).toString('base64'));
const json = fc.dictionary(word, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 3 }).map((value) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>);

const said: fc.Arbitrary<NeutralContent> = text.map((value) => ({ kind: 'text', text: value }));
const media: fc.Arbitrary<NeutralContent> = fc.oneof(
  base64.map((data): NeutralContent => ({ kind: 'image', source: { kind: 'base64', mediaType: 'image/png', data } })),
  base64.map((data): NeutralContent => ({ kind: 'audio', source: { kind: 'base64', mediaType: 'audio/wav', data } })),
  base64.map((data): NeutralContent => ({ kind: 'document', source: { kind: 'base64', mediaType: 'application/pdf', data } })),
  text.map((value): NeutralContent => ({ kind: 'document', source: { kind: 'text', text: value } })),
  fc.constant<NeutralContent>({ kind: 'image', source: { kind: 'url', url: 'https://example.com/a.png', mediaType: 'image/png' } }),
);

const seal = fc.option(
  base64.filter((data) => data !== '').map((data) => ({ origin: 'gemini' as const, data })),
  { nil: undefined },
);
const sealed = <Part extends object>(part: fc.Arbitrary<Part>): fc.Arbitrary<Part> =>
  fc.tuple(part, seal).map(([value, signature]) => (signature === undefined ? value : { ...value, signature }));

interface Turn {
  readonly user: readonly NeutralContent[];
  readonly thinking: NeutralPart | undefined;
  readonly answer: string | undefined;
  readonly calls: readonly NeutralToolCall[];
  readonly results: readonly (readonly NeutralContent[])[];
  readonly failed: boolean;
}

const turn: fc.Arbitrary<Turn> = fc.record({
  user: fc.array(fc.oneof(said, media), { minLength: 1, maxLength: 3 }),
  thinking: fc.option(sealed(text.map((value): NeutralPart => ({ kind: 'thinking', text: value }))), { nil: undefined }),
  answer: fc.option(text, { nil: undefined }),
  calls: fc.array(
    sealed(fc.record({ kind: fc.constant('tool_call' as const), id: fc.uuid(), name: word, argumentsJson: json.map((value) => JSON.stringify(value)) })),
    { maxLength: 3 },
  ),
  results: fc.array(fc.oneof(fc.constant([]), fc.tuple(said)), { minLength: 3, maxLength: 3 }),
  failed: fc.boolean(),
});

function messagesOf(system: readonly string[], turns: readonly Turn[]): readonly NeutralMessage[] {
  const messages: NeutralMessage[] = system.length === 0 ? [] : [{ role: 'system', parts: system.map((value) => ({ kind: 'text', text: value })) }];
  let results: readonly NeutralPart[] = [];
  for (const { user, thinking, answer, calls, results: contents, failed } of turns) {
    messages.push({ role: 'user', parts: [...results, ...user] });
    const spoken: readonly NeutralPart[] = [...(thinking === undefined ? [] : [thinking]), { kind: 'text', text: answer ?? 'ok' }, ...calls];
    messages.push({ role: 'assistant', parts: spoken });
    results = calls.map(({ id, name }, index) => ({ kind: 'tool_result', callId: id, name, content: contents[index] ?? [], isError: failed }));
  }
  return [...messages, { role: 'user', parts: [...results, { kind: 'text', text: 'And?' }] }];
}

const sampling: fc.Arbitrary<NeutralSampling> = fc.record(
  {
    temperature: fc.constantFrom(0, 0.5, 2),
    topP: fc.constantFrom(0.1, 1),
    topK: fc.integer({ min: 1, max: 40 }),
    frequencyPenalty: fc.constantFrom(-1, 1.5),
    presencePenalty: fc.constantFrom(-1, 1.5),
    seed: fc.integer({ min: 0, max: 2 ** 31 - 1 }),
    stop: fc.array(text, { minLength: 1, maxLength: 5 }),
    logprobs: fc.boolean(),
    topLogprobs: fc.integer({ min: 1, max: 5 }),
  },
  { requiredKeys: [] },
);

const reasoning = (model: string): fc.Arbitrary<NeutralReasoning | undefined> => {
  const visible = fc.record({ visible: fc.boolean() }, { requiredKeys: [] });
  const amount = model.startsWith('gemini-2')
    ? fc.constantFrom<NeutralReasoning>({ budgetTokens: 0 }, { budgetTokens: 5000 }, { adaptive: true })
    : fc.constantFrom<NeutralReasoning>({ effort: 'low' }, { effort: 'medium' }, { effort: 'high' }, { budgetTokens: 5000 });
  return fc.option(
    fc.tuple(visible, amount).map(([one, other]) => ({ ...one, ...other })),
    { nil: undefined },
  );
};

const tools = fc.oneof(
  fc.constant({ tools: [], toolChoice: undefined }),
  fc
    .tuple(
      fc.uniqueArray(fc.record({ name: word, description: fc.option(text, { nil: undefined }), parameters: fc.option(json, { nil: undefined }) }), {
        minLength: 1,
        maxLength: 3,
        selector: ({ name }) => name,
      }),
      fc.nat(6),
    )
    .map(([list, choice]): Pick<NeutralChat, 'tools' | 'toolChoice'> => {
      const [first, ...others] = list.map(({ name }) => name);
      const choices: readonly NeutralChat['toolChoice'][] = [
        undefined,
        { kind: 'auto' },
        { kind: 'none' },
        { kind: 'required' },
        { kind: 'tool', name: first ?? '' },
        { kind: 'auto' },
        others.length === 0 ? undefined : { kind: 'required', names: [first ?? '', ...others] },
      ];
      return { tools: list.map((tool) => ({ ...tool, strict: choice === 5 ? true : undefined })), toolChoice: choices[choice] };
    }),
);

const chat: fc.Arbitrary<NeutralChat> = fc.constantFrom('gemini-2.5-flash', 'gemini-3-pro-preview', 'org/custom').chain((model) =>
  fc
    .record({
      stream: fc.boolean(),
      messages: fc.tuple(fc.array(text, { maxLength: 2 }), fc.array(turn, { minLength: 1, maxLength: 3 })).map(([system, turns]) => messagesOf(system, turns)),
      use: tools,
      format: fc.oneof(
        fc.constantFrom<NeutralChat['format']>(undefined, { kind: 'text' }, { kind: 'json_object' }),
        fc
          .dictionary(word, fc.constantFrom<object>({ type: 'string' }, { type: 'array', items: { type: 'integer', minimum: 0 } }))
          .map((properties): NeutralChat['format'] => ({
            kind: 'json_schema',
            name: undefined,
            description: undefined,
            schema: { type: 'object', properties: { ...properties } },
            strict: undefined,
          })),
      ),
      sampling,
      reasoning: reasoning(model),
      maxOutputTokens: fc.option(fc.integer({ min: 1, max: 9999 }), { nil: undefined }),
      choices: fc.integer({ min: 1, max: 8 }),
      metadata: fc.option(fc.dictionary(fc.stringMatching(/^[a-z][a-z0-9_-]{0,9}$/), word, { minKeys: 1, maxKeys: 3 }), { nil: undefined }),
      tier: fc.constantFrom(undefined, 'standard' as const, 'flex' as const, 'priority' as const),
    })
    .map(({ use, ...more }) => ({ kind: 'chat', model, wantsStreamUsage: true, parallelToolCalls: undefined, user: undefined, ...use, ...more })),
);

describe('what Gemini can hold', () => {
  it('is the same when it is written and read again', () => {
    fc.assert(
      fc.property(chat, (request) => {
        const written = writeRequest(request);
        expect(written.losses).toEqual([]);
        const found = match('POST', pathAt(written.endpoint, request.model));
        expect(found).toEqual({ kind: 'endpoint', endpoint: written.endpoint });
        const facts = readRequest(written.endpoint, written.body, { contentType: 'application/json', contentEncoding: undefined });
        expect(facts).toMatchObject({
          ok: true,
          value: { model: request.model, stream: request.stream, maxOutputTokens: request.maxOutputTokens, choices: request.choices },
        });
        expect(parseRequest(written.endpoint, written.body)).toEqual({ ok: true, value: { request, losses: [] } });
        const counted = writeRequest({ kind: 'count_tokens', chat: request });
        expect(parseRequest(counted.endpoint, counted.body)).toMatchObject({
          ok: true,
          value: { request: { kind: 'count_tokens', chat: { messages: request.messages, tools: request.tools } }, losses: [] },
        });
      }),
      { numRuns: 500 },
    );
  });

  it('embeds the same', () => {
    const embedding = fc.record({
      kind: fc.constant('embedding' as const),
      model: fc.constant('gemini-embedding-001'),
      inputs: fc.array(fc.string(), { minLength: 1, maxLength: 4 }),
      dimensions: fc.option(fc.integer({ min: 1, max: 3072 }), { nil: undefined }),
      encoding: fc.constant('float' as const),
      task: fc.constantFrom(undefined, 'RETRIEVAL_DOCUMENT'),
      title: fc.option(text, { nil: undefined }),
      user: fc.constant(undefined),
      single: fc.boolean(),
    });
    fc.assert(
      fc.property(embedding, (any) => {
        const request = { ...any, single: any.single && any.inputs.length === 1 };
        const { endpoint, body, losses } = writeRequest(request);
        expect(losses).toEqual([]);
        expect(endpoint.path).toContain(request.single ? ':embedContent' : ':batchEmbedContents');
        expect(parseRequest(endpoint, body)).toEqual({ ok: true, value: { request, losses: [] } });
      }),
    );
  });
});

describe('junk', () => {
  it('gives a request or a fault, and never throws', () => {
    const field = fc.constantFrom(
      'contents',
      'systemInstruction',
      'system_instruction',
      'tools',
      'toolConfig',
      'generationConfig',
      'parts',
      'text',
      'thought',
      'thoughtSignature',
      'functionCall',
      'functionResponse',
      'inlineData',
      'fileData',
      'name',
      'args',
      'response',
      'role',
      'mimeType',
      'data',
      'fileUri',
      'requests',
      'content',
      'labels',
      'responseSchema',
      'functionDeclarations',
      'parameters',
      '__proto__',
      'constructor',
    );
    const { junk } = fc.letrec<{ readonly junk: unknown }>((tie) => ({
      junk: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom<unknown>(null, true, 0, -1, 1.5, '', 'model', 'user', 'AAAA', 'image/png', 'https://a/b.png'),
        fc.array(tie('junk'), { maxLength: 3 }),
        fc.dictionary(field, tie('junk'), { maxKeys: 4 }),
      ),
    }));
    const paths = ['m:generateContent', 'm:streamGenerateContent', 'm:countTokens', 'e:embedContent', 'e:batchEmbedContents'];
    fc.assert(
      fc.property(fc.dictionary(field, junk, { maxKeys: 6 }), fc.constantFrom(...paths), (value, path) => {
        const found = match('POST', `/v1beta/models/${path}`);
        if (found.kind !== 'endpoint') throw new Error(path);
        const body = new TextEncoder().encode(JSON.stringify(value));
        const read = readRequest(found.endpoint, body, { contentType: 'application/json', contentEncoding: undefined });
        const parsed = parseRequest(found.endpoint, body);
        if (read.ok && parsed.ok) expect(writeRequest(parsed.value.request).body).toBeInstanceOf(Uint8Array);
        if (!parsed.ok) expect(parsed.error.message).toMatch(/\.$/);
      }),
      { numRuns: 3000 },
    );
  });
});
