import { describe, expect, it } from 'vitest';
import type { Endpoint, RequestFacts } from '../types.ts';
import { match } from './endpoints.ts';
import { readRequest } from './request.ts';

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const HEADERS = { contentType: 'application/json', contentEncoding: undefined };

function endpoint(path: string): Endpoint {
  const found = match('POST', path);
  if (found.kind !== 'endpoint') throw new Error(path);
  return found.endpoint;
}

function read(path: string, body: unknown): ReturnType<typeof readRequest> {
  return readRequest(endpoint(path), bytesOf(typeof body === 'string' ? body : JSON.stringify(body)), HEADERS);
}

function facts(path: string, body: unknown): RequestFacts {
  const result = read(path, body);
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

const CHAT = '/v1beta/models/m:generateContent';
const STREAM = '/v1beta/models/m:streamGenerateContent?alt=sse';
const COUNT = '/v1beta/models/m:countTokens';
const EMBED = '/v1beta/models/e:embedContent';
const BATCH = '/v1beta/models/e:batchEmbedContents';
const HI = [{ role: 'user', parts: [{ text: 'hi' }] }];
const chat = (more: object): object => ({ contents: HI, ...more });
const part = (content: object): object => ({ contents: [{ parts: [content] }] });
const settings = (generationConfig: object): object => chat({ generationConfig });
const inline = (mimeType: string, data: string): object => part({ inlineData: { mimeType, data } });

describe('faults', () => {
  it.each([
    ['', 'invalid_body', undefined, 'empty'],
    ['[]', 'invalid_body', undefined, 'object'],
    ['{"contents":[],}', 'invalid_json', undefined, 'byte 15'],
    [{}, 'invalid_value', 'contents', 'at least one'],
    [{ contents: 'hi' }, 'invalid_value', 'contents', 'object'],
    [{ contents: ['hi'] }, 'invalid_value', 'contents[0]', 'object'],
    [{ contents: [{ parts: ['hi'] }] }, 'invalid_value', 'contents[0].parts[0]', 'object'],
    [{ contents: [{ parts: [{ text: 'a', inlineData: 5 }] }] }, 'invalid_value', 'contents[0].parts[0].inlineData', 'object'],
    ['{"contents":[{"parts":[{"text":"a","text":"b"}]}]}', 'invalid_json', 'contents[0].parts[0]', 'twice'],
    [{ contents: HI, generationConfig: {}, generation_config: {} }, 'invalid_value', 'generationConfig', 'comes twice'],
    [settings({ maxOutputTokens: 5, max_output_tokens: 6 }), 'invalid_value', 'generationConfig.maxOutputTokens', 'comes twice'],
    [settings({ maxOutputTokens: 0 }), 'invalid_value', 'generationConfig.maxOutputTokens', 'whole number'],
    [settings({ maxOutputTokens: '5' }), 'invalid_value', 'generationConfig.maxOutputTokens', 'whole number'],
    [{ contents: HI, generation_config: { max_output_tokens: -1 } }, 'invalid_value', 'generation_config.max_output_tokens', 'whole number'],
    [settings({ candidateCount: 9 }), 'invalid_value', 'generationConfig.candidateCount', 'from 1 to 8'],
    [chat({ systemInstruction: 'be brief' }), 'invalid_value', 'systemInstruction', 'object'],
    [chat({ model: 'models/dear' }), 'invalid_value', 'model', 'another model'],
    [chat({ tools: 5 }), 'invalid_value', 'tools', 'object'],
    [chat({ cachedContent: '1' }), 'invalid_value', 'cachedContent', 'cachedContents/abc'],
    [chat({ cached_content: 'cachedContents/../1' }), 'invalid_value', 'cached_content', 'cachedContents/abc'],
    [chat({ cachedContent: 'projects/p/cachedContents/1' }), 'invalid_value', 'cachedContent', 'cachedContents/abc'],
    [chat({ store: true }), 'unsupported_state', 'store', 'false'],
    [chat({ tools: [{ fileSearch: { fileSearchStoreNames: ['fileSearchStores/1'] } }] }), 'unsupported_state', 'tools[0].fileSearch', 'keeps'],
    [
      part({ fileData: { fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/abc' } }),
      'unsupported_state',
      'contents[0].parts[0].fileData.fileUri',
      'keeps',
    ],
    [
      part({ fileData: { fileUri: 'https://GenerativeLanguage.mtls.googleapis.com/v1beta/files/abc' } }),
      'unsupported_state',
      'contents[0].parts[0].fileData.fileUri',
      'keeps',
    ],
    [part({ fileData: { fileUri: 'gs://bucket/a' } }), 'unsupported_state', 'contents[0].parts[0].fileData.fileUri', 'keeps'],
    [part({ file_data: { file_uri: 'files/abc' } }), 'unsupported_state', 'contents[0].parts[0].file_data.file_uri', 'keeps'],
    [part({ fileData: {} }), 'unsupported_state', 'contents[0].parts[0].fileData.fileUri', 'keeps'],
    [
      part({ functionResponse: { name: 'f', response: {}, parts: [{ fileData: { fileUri: 'files/abc' } }] } }),
      'unsupported_state',
      'contents[0].parts[0].functionResponse.parts[0].fileData.fileUri',
      'keeps',
    ],
    [chat({ systemInstruction: { parts: { fileData: { fileUri: 'files/abc' } } } }), 'unsupported_state', 'systemInstruction.parts.fileData.fileUri', 'keeps'],
  ])('refuses %j', (body, code, param, message) => {
    expect(read(CHAT, body)).toEqual({ ok: false, error: { code, param, message: expect.stringContaining(message) } });
  });

  it.each([
    [EMBED, {}, 'content'],
    [EMBED, { content: { parts: [{ text: 'a' }] }, model: 'models/dear' }, 'model'],
    [BATCH, {}, 'requests'],
    [BATCH, { requests: [{ model: 'models/e' }] }, 'requests[0].content'],
    [BATCH, { requests: [{ model: 'models/dear', content: { parts: [] } }] }, 'requests[0].model'],
    [COUNT, {}, 'contents'],
    [COUNT, { generateContentRequest: { model: 'models/dear', contents: HI } }, 'generateContentRequest.model'],
    [COUNT, { contents: [{ parts: [{ fileData: { fileUri: 'files/abc' } }] }] }, 'contents[0].parts[0].fileData.fileUri'],
    ['/v1beta/models/%20:generateContent', chat({}), 'model'],
    ['/v1beta/models/a%00b:generateContent', chat({}), 'model'],
    [`/v1beta/models/${'m'.repeat(300)}:generateContent`, chat({}), 'model'],
  ])('refuses at %s %j', (path, body, param) => {
    expect(read(path, body)).toMatchObject({ ok: false, error: { param } });
  });

  it('never repeats what a caller wrote', () => {
    const secret = 'sk-planted "';
    for (const body of [part({ fileData: { fileUri: secret } }), chat({ model: secret }), settings({ candidateCount: secret }), { contents: [secret] }]) {
      expect(JSON.stringify(read(CHAT, body))).not.toContain('sk-planted');
    }
    const named = facts(CHAT, chat({ tools: [{ [secret]: {} }], serviceTier: secret, generationConfig: { responseModalities: [secret] } }));
    expect(JSON.stringify(named.unbounded)).not.toContain('sk-planted');
    expect(named.unbounded.length).toBe(3);
  });
});

describe('facts', () => {
  it.each([
    [{ cachedContent: 'cachedContents/abc' }, 'cachedContent'],
    [{ cached_content: 'cachedContents/abc' }, 'cached_content'],
  ])('finds the cached content in %j', (fields, param) => {
    expect(facts(CHAT, chat(fields)).references).toEqual([{ kind: 'cached_content', id: 'abc', param }]);
  });

  it('reads a plain request', () => {
    const body = chat({});
    expect(facts(CHAT, body)).toEqual({
      model: 'm',
      stream: false,
      wantsStreamUsage: true,
      maxOutputTokens: undefined,
      choices: 1,
      inputTokenBound: JSON.stringify(body).length + 64,
      inputTokenEstimate: Math.ceil(JSON.stringify(body).length / 4),
      inputImages: 0,
      unbounded: [],
      hasOutput: true,
      tier: 'standard',
      references: [],
      stores: 'no',
    });
  });

  it.each([
    [STREAM, chat({}), { stream: true, wantsStreamUsage: true }],
    ['/v1beta/models/org/m:generateContent', chat({ model: 'models/org/m' }), { model: 'org/m' }],
    [CHAT, settings({ maxOutputTokens: 5, candidateCount: 3 }), { maxOutputTokens: 5, choices: 3 }],
    [CHAT, { contents: HI, generation_config: { max_output_tokens: 6, candidate_count: 2 } }, { maxOutputTokens: 6, choices: 2 }],
    [CHAT, settings({ maxOutputTokens: 100, thinkingConfig: { thinkingBudget: 5000 } }), { maxOutputTokens: 100 }],
    [
      CHAT,
      { contents: HI, generationConfig: null, tools: null, serviceTier: null, cachedContent: null, store: false },
      { maxOutputTokens: undefined, unbounded: [] },
    ],
    [CHAT, { contents: { parts: { text: 'hi' } }, tools: { functionDeclarations: { name: 'f' } } }, { unbounded: [] }],
    [CHAT, chat({ serviceTier: 'flex' }), { tier: 'flex' }],
    [CHAT, chat({ service_tier: 'PRIORITY' }), { tier: 'priority' }],
    [CHAT, chat({ serviceTier: 'ultra' }), { tier: 'standard', unbounded: ['serviceTier "ultra"'] }],
    [CHAT, chat({ continuationToken: 'abc=' }), { unbounded: ['field "continuationToken"'] }],
    [CHAT, chat({ tools: [{ functionDeclarations: [{ name: 'f' }] }] }), { unbounded: [] }],
    [
      CHAT,
      chat({ tools: [{ google_search: {} }, { codeExecution: {} }, { urlContext: {}, functionDeclarations: [] }, { googleMaps: null }] }),
      { unbounded: ['hosted tool "googleSearch"', 'hosted tool "codeExecution"', 'hosted tool "urlContext"'] },
    ],
    [CHAT, settings({ responseModalities: ['TEXT'] }), { unbounded: [] }],
    [CHAT, settings({ responseModalities: ['TEXT', 'IMAGE'] }), { unbounded: ['response modality "IMAGE"'] }],
    [CHAT, settings({ responseModalities: 'AUDIO' }), { unbounded: ['response modality "AUDIO"'] }],
    [CHAT, settings({ response_modalities: [2] }), { unbounded: ['response modality of unknown type'] }],
    [CHAT, settings({ responseFormat: [{ text: { mimeType: 'application/json' } }, { image: {} }] }), { unbounded: ['response format "image"'] }],
    [CHAT, settings({ imageConfig: { imageSize: '4K' } }), { unbounded: ['field "imageConfig"'] }],
    [CHAT, inline('image/png', 'AAAA'), { inputImages: 1, unbounded: [] }],
    [CHAT, part({ inline_data: { mime_type: 'IMAGE/JPEG', data: 'AAAA' } }), { inputImages: 1, unbounded: [] }],
    [CHAT, inline('text/csv', 'AAAA'), { inputImages: 0, unbounded: [] }],
    [CHAT, inline('image/svg+xml', 'AAAA'), { inputImages: 0, unbounded: ['inline data "image/svg+xml"'] }],
    [CHAT, inline('audio/wav', 'AAAA'), { unbounded: ['inline data "audio/wav"'] }],
    [CHAT, inline('video/mp4', 'AAAA'), { unbounded: ['inline data "video/mp4"'] }],
    [CHAT, inline('application/pdf', 'AAAA'), { unbounded: ['inline data "application/pdf"'] }],
    [CHAT, part({ inlineData: { data: 'AAAA' } }), { unbounded: ['inline data of unknown type'] }],
    [CHAT, part({ fileData: { fileUri: 'https://example.com/a.pdf', mimeType: 'image/png' } }), { inputImages: 0, unbounded: ['file by URL'] }],
    [CHAT, part({ fileData: { fileUri: 'https://example.com/generativelanguage.googleapis.com/a' } }), { unbounded: ['file by URL'] }],
    [
      CHAT,
      part({ functionResponse: { name: 'f', response: {}, parts: [{ inlineData: { mimeType: 'image/png', data: 'AAAA' } }] } }),
      { inputImages: 1, unbounded: [] },
    ],
    [
      CHAT,
      part({ text: 'a', thought: true, thoughtSignature: 'AAAA', mediaResolution: { level: 'MEDIA_RESOLUTION_HIGH' }, videoMetadata: { fps: 24 } }),
      { unbounded: [] },
    ],
    [CHAT, part({ inlineData: { mimeType: 'image/png', data: 'A' }, mediaResolution: { numTokens: 9_000_000 } }), { unbounded: ['mediaResolution.numTokens'] }],
    [CHAT, part({ hologram: {} }), { unbounded: ['content part "hologram"'] }],
    [EMBED, { content: { parts: [{ text: 'a' }] }, model: 'models/e' }, { model: 'e', hasOutput: false, choices: 1, unbounded: [] }],
    [
      BATCH,
      { requests: [{ model: 'models/e', content: { parts: [{ text: 'a' }] } }, { content: { parts: [{ inlineData: { mimeType: 'image/png', data: '' } }] } }] },
      { model: 'e', hasOutput: false, inputImages: 1 },
    ],
    [COUNT, chat({ tools: [{ googleSearch: {} }] }), { model: 'm', hasOutput: false, inputTokenBound: 0, unbounded: [] }],
    [COUNT, { generateContentRequest: { model: 'models/m', contents: HI } }, { model: 'm', inputTokenBound: 0 }],
  ])('reads from %s %j', (path, body, expected) => {
    expect(facts(path, body)).toMatchObject(expected);
  });

  it('counts an image as an image, and a text by its bytes', () => {
    const bound = (type: string, size: number): number => facts(CHAT, inline(type, 'A'.repeat(size))).inputTokenBound;
    expect(bound('image/png', 1_000_000)).toBe(bound('image/png', 0));
    expect(bound('text/plain', 1000) - bound('text/plain', 0)).toBe(1000);
  });

  it('bounds tools with what is added to explain them', () => {
    const [one, none] = [chat({ tools: [{ functionDeclarations: [{ name: 'f' }] }] }), chat({ tools: [{ functionDeclarations: [{}] }].slice(1) })];
    expect(facts(CHAT, one).inputTokenBound - facts(CHAT, none).inputTokenBound).toBeGreaterThan(512);
  });
});
