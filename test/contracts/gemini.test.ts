import { gemini } from '../../src/core/dialects/gemini/index.ts';
import { dialectContract } from './dialect.ts';
import type { AnswerFixture, RequestFixture } from './dialect.ts';

/*
 * Written by hand from the types, converters and documentation comments of the `@google/genai` package and the published
 * API reference; none of it was recorded from an account.
 */
const json = (path: string, body: object, facts: RequestFixture['facts'], modelOf?: (body: never) => unknown): RequestFixture => ({
  path: `/v1beta/models/${path}`,
  contentType: 'application/json',
  body: JSON.stringify(body, undefined, 1),
  facts,
  modelOf: modelOf === undefined ? undefined : (text) => String(modelOf(JSON.parse(text) as never)).replace('models/', ''),
});

const CONTENTS = [
  { role: 'user', parts: [{ text: 'What is „this“? 😀' }, { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } }] },
  {
    role: 'model',
    parts: [
      { text: 'Let me look.', thought: true },
      { functionCall: { id: 'call_1', name: 'look', args: { x: 1 } }, thoughtSignature: 'c2ln' },
    ],
  },
  { role: 'user', parts: [{ functionResponse: { id: 'call_1', name: 'look', response: { output: 'a cat' } } }] },
];

const REQUESTS: readonly RequestFixture[] = [
  json(
    'gemini-2.5-flash:streamGenerateContent?alt=sse',
    {
      contents: CONTENTS,
      systemInstruction: { parts: [{ text: 'Be brief.' }] },
      tools: [{ functionDeclarations: [{ name: 'look', parametersJsonSchema: { type: 'object', properties: { x: { type: 'number' } } } }] }],
      toolConfig: { functionCallingConfig: { mode: 'AUTO' } },
      safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
      generationConfig: { maxOutputTokens: 200, candidateCount: 2, thinkingConfig: { includeThoughts: true, thinkingBudget: 100 } },
    },
    {
      model: 'gemini-2.5-flash',
      stream: true,
      wantsStreamUsage: true,
      maxOutputTokens: 200,
      choices: 2,
      inputImages: 1,
      unbounded: [],
      hasOutput: true,
      tier: 'standard',
    },
  ),
  json(
    'gemini-3-pro:generateContent',
    {
      system_instruction: { parts: { text: 'Be brief.' } },
      contents: { parts: { text: 'hi' } },
      generation_config: { max_output_tokens: 300 },
      service_tier: 'flex',
    },
    { model: 'gemini-3-pro', stream: false, maxOutputTokens: 300, choices: 1, unbounded: [], tier: 'flex' },
  ),
  json(
    'gemini-embedding-001:embedContent',
    { content: { parts: [{ text: 'a' }] }, taskType: 'RETRIEVAL_QUERY', outputDimensionality: 64 },
    { hasOutput: false, unbounded: [] },
  ),
  json(
    'gemini-embedding-001:batchEmbedContents',
    { requests: [{ model: 'models/gemini-embedding-001', content: { parts: [{ text: 'a' }] } }] },
    { hasOutput: false, unbounded: [] },
    (body: { readonly requests: readonly { readonly model: string }[] }) => body.requests[0]?.model,
  ),
  json(
    'gemini-2.5-pro:countTokens',
    { generateContentRequest: { model: 'models/gemini-2.5-pro', contents: CONTENTS } },
    { hasOutput: false },
    (body: { readonly generateContentRequest: { readonly model: string } }) => body.generateContentRequest.model,
  ),
];

const USAGE = {
  promptTokenCount: 19,
  candidatesTokenCount: 7,
  totalTokenCount: 29,
  cachedContentTokenCount: 4,
  thoughtsTokenCount: 3,
  promptTokensDetails: [{ modality: 'TEXT', tokenCount: 19 }],
  serviceTier: 'standard',
};
const READ = { inputTokens: 19, outputTokens: 10, cachedInputTokens: 4, reasoningTokens: 3 };

const chunk = (parts: readonly object[], more: object, usageMetadata: object): object => ({
  candidates: [{ content: { parts, role: 'model' }, index: 0, ...more }],
  usageMetadata,
  modelVersion: 'gemini-2.5-flash',
  responseId: 'Il0taoSYJ5Cez7IP',
});
const CHUNKS: readonly object[] = [
  chunk([{ text: 'Hm.', thought: true }], {}, { promptTokenCount: 19, totalTokenCount: 22, thoughtsTokenCount: 3 }),
  chunk([{ text: 'Hé "llo" 😀\n' }], {}, { promptTokenCount: 19, candidatesTokenCount: 4, totalTokenCount: 26, thoughtsTokenCount: 3 }),
  chunk([{ functionCall: { name: 'f', args: { usageMetadata: { promptTokenCount: 1 } } }, thoughtSignature: 'c2ln' }], { finishReason: 'STOP' }, USAGE),
];
const WHOLE = chunk(
  [{ text: 'Hé "llo" 😀' }],
  { finishReason: 'STOP', safetyRatings: [{ category: 'HARM_CATEGORY_HARASSMENT', probability: 'NEGLIGIBLE' }] },
  USAGE,
);

const stream = (end: string): string => [': ping', ...CHUNKS.map((value) => `data: ${JSON.stringify(value)}`)].map((event) => event + end + end).join('');
const array = `[${CHUNKS.map((value) => JSON.stringify(value, undefined, 2)).join(',\r\n')}\n]`;

const answer = (name: string, path: string, kind: AnswerFixture['kind'], text: string, usage: AnswerFixture['usage']): AnswerFixture => ({
  name,
  path: `/v1beta/models/${path}`,
  kind,
  text,
  hidden: text,
  usage,
});

const ANSWERS: readonly AnswerFixture[] = [
  answer('an answer', 'm:generateContent', 'json', JSON.stringify(WHOLE), READ),
  answer('a stream of events', 'm:streamGenerateContent?alt=sse', 'sse', stream('\r\n'), READ),
  answer('a stream of events with LF', 'm:streamGenerateContent?alt=sse', 'sse', stream('\n'), READ),
  answer('a stream of events with CR', 'm:streamGenerateContent?alt=sse', 'sse', stream('\r'), READ),
  answer('a stream as an array', 'm:streamGenerateContent', 'json', array, READ),
  answer('an embedding', 'e:embedContent', 'json', JSON.stringify({ embedding: { values: [0.0023, -9.3e-3] } }), undefined),
  answer('embeddings', 'e:batchEmbedContents', 'json', JSON.stringify({ embeddings: [{ values: [0.1] }], usageMetadata: { promptTokenCount: 8 } }), {
    inputTokens: 8,
    outputTokens: 0,
  }),
  answer('a count', 'm:countTokens', 'json', JSON.stringify({ totalTokens: 31, promptTokensDetails: [{ modality: 'TEXT', tokenCount: 31 }] }), {
    inputTokens: 0,
    outputTokens: 0,
  }),
];

dialectContract({
  dialect: gemini,
  requests: REQUESTS,
  answers: ANSWERS,
  endpointFor: (endpoint, model) => ({ ...endpoint, model }),
  readRefusal: (body) => {
    const { message, details } = (body as { readonly error: { readonly message: unknown; readonly details: readonly { readonly reason?: string }[] } }).error;
    return { code: details.find(({ reason }) => reason !== undefined)?.reason?.toLowerCase(), message };
  },
  credentials: ['authorization', 'api-key', 'x-api-key', 'x-goog-api-key', 'x-goog-user-project', 'proxy-authorization'],
});
