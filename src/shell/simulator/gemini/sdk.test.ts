/** Google's own client, unchanged, against the simulated API. */
import { ApiError, FunctionCallingConfigMode, GoogleGenAI } from '@google/genai';
import type { Content, GenerateContentConfig, GenerateContentResponse, Part } from '@google/genai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSimulator } from '../index.ts';
import type { Simulator } from '../index.ts';

const KEY = 'AIzaSimulated';
const MODEL = 'gemini-2.5-flash';
const THINKER = 'gemini-3-pro-preview';
const ASK = 'What is a sidecar?';
const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const CITY = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const TOOLS = [{ functionDeclarations: ['get_weather', 'get_time'].map((name) => ({ name, parametersJsonSchema: CITY })) }];

let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator({ host: '127.0.0.1', port: 0, keys: [KEY] });
});

afterAll(() => simulator.close());

const clientOf = (simulate = '', apiKey = KEY): GoogleGenAI =>
  new GoogleGenAI({ apiKey, httpOptions: { baseUrl: simulator.url, headers: { 'x-simulate': simulate } } });

interface Said {
  readonly parts: readonly Part[];
  readonly last: GenerateContentResponse;
}

async function ask(contents: string | Content[], config: GenerateContentConfig, isStreamed: boolean, { model = MODEL, simulate = '' } = {}): Promise<Said> {
  const { models } = clientOf(simulate);
  if (!isStreamed) {
    const last = await models.generateContent({ model, contents, config });
    return { parts: last.candidates?.[0]?.content?.parts ?? [], last };
  }
  const parts: Part[] = [];
  let last: GenerateContentResponse | undefined;
  for await (const chunk of await models.generateContentStream({ model, contents, config })) {
    parts.push(...(chunk.candidates?.[0]?.content?.parts ?? []));
    last = chunk;
  }
  if (last === undefined) throw new Error('an empty stream');
  return { parts, last };
}

const textOf = ({ parts }: Said): string => parts.map(({ text, thought }) => (thought === true ? '' : (text ?? ''))).join('');
const reasonOf = ({ last }: Said): string | undefined => last.candidates?.[0]?.finishReason;
const responsesTo = (parts: readonly Part[]): Content => ({
  role: 'user',
  parts: parts.flatMap(({ functionCall: call }) =>
    call === undefined ? [] : [{ functionResponse: { id: call.id ?? '', name: call.name ?? '', response: { output: 'snow' } } }],
  ),
});

describe('generateContent', () => {
  it('says the same whole and streamed, and counts it', async () => {
    const [whole, streamed] = [await ask(ASK, {}, false), await ask(ASK, {}, true)];
    expect([reasonOf(whole), textOf(whole)]).toEqual(['STOP', expect.stringMatching(/\w{3,}/)]);
    expect(textOf(streamed)).toBe(textOf(whole));
    expect(streamed.last.usageMetadata).toEqual(whole.last.usageMetadata);
    expect((await clientOf().models.countTokens({ model: MODEL, contents: ASK })).totalTokens).toBe(whole.last.usageMetadata?.promptTokenCount);
  });

  it('streams a list to who does not ask for events', async () => {
    const response = await fetch(`${simulator.url}/v1beta/models/${MODEL}:streamGenerateContent`, {
      method: 'POST',
      headers: { 'x-goog-api-key': KEY, 'content-type': 'application/json' },
      body: JSON.stringify({ contents: [{ parts: [{ text: ASK }] }] }),
    });
    const chunks = (await response.json()) as GenerateContentResponse[];
    expect(response.headers.get('content-type')).toContain('application/json');
    expect(
      chunks
        .flatMap(({ candidates }) => candidates?.[0]?.content?.parts ?? [])
        .map(({ text }) => text)
        .join(''),
    ).toBe(textOf(await ask(ASK, {}, false)));
  });

  describe.each([false, true])('with tools (streamed: %s)', (isStreamed) => {
    it('calls them at once, and goes on with their results', async () => {
      const question: Content = { role: 'user', parts: [{ text: 'Use your tools for Oslo.' }] };
      const first = await ask([question], { tools: TOOLS }, isStreamed);
      expect(first.parts.map(({ functionCall: call }) => [call?.name, call?.args])).toEqual([
        ['get_weather', { city: 'mesh' }],
        ['get_time', { city: 'mesh 1' }],
      ]);
      const second = await ask([question, { role: 'model', parts: [...first.parts] }, responsesTo(first.parts)], { tools: TOOLS }, isStreamed);
      expect([reasonOf(second), textOf(second)]).toEqual(['STOP', expect.stringMatching(/\w{3,}/)]);
    });

    it('takes back what it sealed, and no other', async () => {
      const question: Content = { role: 'user', parts: [{ text: 'Use your tool for Oslo.' }] };
      const config = { tools: TOOLS, thinkingConfig: { includeThoughts: true } };
      const first = await ask([question], config, isStreamed, { model: THINKER });
      expect(first.parts[0]).toMatchObject({ thought: true, text: expect.any(String) as unknown });
      expect(first.last.usageMetadata?.thoughtsTokenCount).toBeGreaterThan(0);
      const next = (parts: Part[]): Promise<Said> => ask([question, { role: 'model', parts }, responsesTo(parts)], config, isStreamed, { model: THINKER });
      expect(textOf(await next([...first.parts]))).toMatch(/\w{3,}/);
      await expect(next(first.parts.map((part) => (part.thoughtSignature === undefined ? part : { ...part, thoughtSignature: 'AAAA' })))).rejects.toThrow(
        /Corrupted thought signature/,
      );
      await expect(
        next(
          first.parts.map(({ functionCall, text, thought }) =>
            functionCall === undefined ? { text: text ?? '', thought: thought ?? false } : { functionCall },
          ),
        ),
      ).rejects.toThrow(/missing a thought_signature/);
    });
  });

  it('calls what it must', async () => {
    const toolConfig = { functionCallingConfig: { mode: FunctionCallingConfigMode.ANY, allowedFunctionNames: ['get_time'] } };
    expect((await ask(ASK, { tools: TOOLS, toolConfig }, false)).parts.map(({ functionCall }) => functionCall?.name)).toEqual(['get_time']);
  });

  it('fits a schema in either form', async () => {
    const properties = { title: { type: 'string' }, pages: { type: 'integer' } };
    const asJsonSchema = await ask(
      ASK,
      { responseMimeType: 'application/json', responseJsonSchema: { type: 'object', properties, required: ['title', 'pages'] } },
      false,
    );
    const asSchema = await ask(
      ASK,
      {
        responseMimeType: 'application/json',
        responseSchema: { type: 'OBJECT', properties: { title: { type: 'STRING' }, pages: { type: 'INTEGER' } } } as never,
      },
      false,
    );
    expect(JSON.parse(textOf(asJsonSchema))).toEqual({ title: expect.any(String) as unknown, pages: expect.any(Number) as unknown });
    expect(textOf(asSchema)).toBe(textOf(asJsonSchema));
  });

  it('looks at an image', async () => {
    const seen = await ask([{ role: 'user', parts: [{ text: ASK }, { inlineData: { mimeType: 'image/png', data: PIXEL } }] }], {}, false);
    const unseen = await ask(ASK, {}, false);
    expect((seen.last.usageMetadata?.promptTokenCount ?? 0) - (unseen.last.usageMetadata?.promptTokenCount ?? 0)).toBe(85);
  });

  it.each([false, true])('is stopped by a filter (streamed: %s)', async (isStreamed) => {
    expect((await ask(ASK, {}, isStreamed, { simulate: 'block=prompt' })).last.promptFeedback?.blockReason).toBe('PROHIBITED_CONTENT');
    expect(reasonOf(await ask(ASK, {}, isStreamed, { simulate: 'block=answer' }))).toBe('SAFETY');
  });
});

describe('the rest', () => {
  it('embeds one and many', async () => {
    const { models } = clientOf();
    const one = await models.embedContent({ model: 'gemini-embedding-001', contents: 'one', config: { outputDimensionality: 8 } });
    const many = await models.embedContent({ model: 'gemini-embedding-001', contents: ['one', 'two'], config: { outputDimensionality: 8 } });
    expect(many.embeddings?.map(({ values }) => values?.length)).toEqual([8, 8]);
    expect(many.embeddings?.[0]?.values).toEqual(one.embeddings?.[0]?.values);
    expect(many.embeddings?.[1]?.values).not.toEqual(one.embeddings?.[0]?.values);
  });

  it('lists its models', async () => {
    const names = [];
    for await (const { name } of await clientOf().models.list()) names.push(name);
    expect(names).toContain(`models/${MODEL}`);
    expect(await clientOf().models.get({ model: MODEL })).toMatchObject({ name: `models/${MODEL}` });
  });
});

describe('errors', () => {
  it.each([
    ['a wrong key', () => clientOf('', 'AIzaWrong').models.generateContent({ model: MODEL, contents: ASK }), 400, /API_KEY_INVALID/],
    ['no such model', () => ask(ASK, {}, false, { model: 'gemini-nothing' }), 404, /NOT_FOUND/],
    ['a model for something else', () => ask(ASK, {}, true, { model: 'gemini-embedding-001' }), 404, /is not supported for streamGenerateContent/],
    ['too many requests', () => ask(ASK, {}, false, { simulate: 'status=429' }), 429, /RESOURCE_EXHAUSTED.*retryDelay/s],
    ['an overloaded provider', () => ask(ASK, {}, true, { simulate: 'status=503' }), 503, /UNAVAILABLE/],
  ] as const)('%s', async (_, request, status, message) => {
    const error: unknown = await request().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status, message: expect.stringMatching(message) as unknown });
  });

  it('come in the middle of a stream', async () => {
    await expect(ask(ASK, {}, true, { simulate: 'stream-error, after=2' })).rejects.toThrow(/overloaded/);
  });
});
