import { describe, expect, it } from 'vitest';
import type { NeutralChat, NeutralMessage } from '../../neutral.ts';
import type { ParsedRequest } from '../../translation.ts';
import type { Endpoint } from '../../types.ts';
import { match } from '../endpoints.ts';
import { parseRequest } from './parse-request.ts';

function endpoint(path: string): Endpoint {
  const found = match('POST', `/v1beta/models/${path}`);
  if (found.kind !== 'endpoint') throw new Error(path);
  return found.endpoint;
}

const read = (path: string, body: unknown): ReturnType<typeof parseRequest> => parseRequest(endpoint(path), new TextEncoder().encode(JSON.stringify(body)));

function parsed(path: string, body: unknown): ParsedRequest {
  const result = read(path, body);
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

const CHAT = 'm:generateContent';
const HI = [{ role: 'user', parts: [{ text: 'hi' }] }];
const chat = (more: object): NeutralChat => {
  const { request } = parsed(CHAT, { contents: HI, ...more });
  if (request.kind !== 'chat') throw new Error(request.kind);
  return request;
};
const messages = (...contents: readonly object[]): readonly NeutralMessage[] => chat({ contents }).messages;
const lost = (body: object): readonly string[] => parsed(CHAT, { contents: HI, ...body }).losses.map(({ treatment, param }) => `${treatment} ${param}`);
const user = (...parts: readonly object[]): object => ({ role: 'user', parts });
const model = (...parts: readonly object[]): object => ({ role: 'model', parts });
const call = (name: string, more: object = {}): object => ({ functionCall: { name, args: { x: 1 }, ...more } });
const response = (name: string, more: object = {}): object => ({ functionResponse: { name, response: { output: 'ok' }, ...more } });
const seal = (text: string): string => Buffer.from(text).toString('base64');

describe('a chat', () => {
  it('has what the path says, and nothing that was not said', () => {
    expect(parsed('org%2Fm:streamGenerateContent?alt=sse', { contents: HI })).toEqual({
      request: {
        kind: 'chat',
        model: 'org/m',
        stream: true,
        wantsStreamUsage: true,
        messages: [{ role: 'user', parts: [{ kind: 'text', text: 'hi' }] }],
        tools: [],
        sampling: {},
        choices: 1,
      },
      losses: [],
    });
  });

  it.each<[object, object]>([
    [
      {
        generationConfig: {
          temperature: 0.5,
          topP: 1,
          topK: '40',
          seed: 7,
          stopSequences: ['a'],
          presencePenalty: 1,
          frequencyPenalty: -1,
          responseLogprobs: true,
          logprobs: 3,
        },
      },
      { sampling: { temperature: 0.5, topP: 1, topK: 40, seed: 7, stop: ['a'], presencePenalty: 1, frequencyPenalty: -1, logprobs: true, topLogprobs: 3 } },
    ],
    [{ generation_config: { max_output_tokens: 9, candidate_count: 2, stop_sequences: 'a' } }, { maxOutputTokens: 9, choices: 2, sampling: { stop: ['a'] } }],
    [{ generationConfig: { thinkingConfig: { thinkingBudget: -1, includeThoughts: true } } }, { reasoning: { adaptive: true, visible: true } }],
    [{ generationConfig: { thinkingConfig: { thinkingBudget: 0 } } }, { reasoning: { budgetTokens: 0 } }],
    [{ generationConfig: { thinkingConfig: { thinkingLevel: 'HIGH' } } }, { reasoning: { effort: 'high' } }],
    [{ generationConfig: { thinkingConfig: { thinkingLevel: 'minimal' } } }, { reasoning: { effort: 'minimal' } }],
    [{ generationConfig: { thinkingConfig: {} } }, { reasoning: undefined }],
    [{ generationConfig: { responseMimeType: 'application/json' } }, { format: { kind: 'json_object' } }],
    [
      { generationConfig: { responseMimeType: 'application/json', responseJsonSchema: { type: 'object' } } },
      { format: { kind: 'json_schema', schema: { type: 'object' } } },
    ],
    [
      {
        generationConfig: {
          responseMimeType: 'application/json',
          responseSchema: {
            type: 'OBJECT',
            properties: { a: { type: 'ARRAY', minItems: '2', items: { type: 'STRING', nullable: true, format: 'enum', enum: ['x'] } } },
            propertyOrdering: ['a'],
            required: ['a'],
          },
        },
      },
      {
        format: {
          kind: 'json_schema',
          schema: {
            type: 'object',
            properties: { a: { type: 'array', minItems: 2, items: { type: ['string', 'null'], enum: ['x', null] } } },
            required: ['a'],
          },
        },
      },
    ],
    [
      { generationConfig: { responseFormat: [{ text: { mimeType: 'APPLICATION_JSON', schema: { type: 'object' } } }] } },
      { format: { kind: 'json_schema', schema: { type: 'object' } } },
    ],
    [
      { labels: { team: 'a' }, serviceTier: 'unspecified' },
      { metadata: { team: 'a' }, tier: 'auto' },
    ],
    [
      { tools: [{ function_declarations: [{ name: 'f', description: 'd', parameters: { type: 'OBJECT', properties: { x: { type: 'INTEGER' } } } }] }] },
      { tools: [{ name: 'f', description: 'd', parameters: { type: 'object', properties: { x: { type: 'integer' } } } }] },
    ],
    [
      { tools: [{ functionDeclarations: [{ name: 'f', parametersJsonSchema: { type: 'object' } }] }] },
      { tools: [{ name: 'f', parameters: { type: 'object' } }] },
    ],
  ])('reads %j', (body, expected) => {
    expect(chat(body)).toMatchObject(expected);
  });

  it.each<[object, object]>([
    [{ mode: 'AUTO' }, { toolChoice: { kind: 'auto' } }],
    [{ mode: 'NONE' }, { toolChoice: { kind: 'none' } }],
    [{ mode: 'ANY' }, { toolChoice: { kind: 'required' } }],
    [{ mode: 'ANY', allowedFunctionNames: ['f'] }, { toolChoice: { kind: 'tool', name: 'f' } }],
    [{ mode: 'ANY', allowed_function_names: ['f', 'g'] }, { toolChoice: { kind: 'required', names: ['f', 'g'] } }],
    [
      { mode: 'VALIDATED' },
      {
        toolChoice: { kind: 'auto' },
        tools: [
          { name: 'f', strict: true },
          { name: 'g', strict: true },
        ],
      },
    ],
    [{ mode: 'VALIDATED', allowedFunctionNames: ['g'] }, { tools: [{ name: 'g', strict: true }] }],
  ])('chooses tools by %j', (functionCallingConfig, expected) => {
    const tools = [{ functionDeclarations: [{ name: 'f' }] }, { functionDeclarations: [{ name: 'g' }] }];
    expect(chat({ tools, toolConfig: { functionCallingConfig } })).toMatchObject(expected);
  });
});

describe('messages', () => {
  it.each<[readonly object[], readonly object[]]>([
    [
      [{ parts: [{ text: 'a' }] }, user({ text: 'b' })],
      [
        {
          role: 'user',
          parts: [
            { kind: 'text', text: 'a' },
            { kind: 'text', text: 'b' },
          ],
        },
      ],
    ],
    [
      [user({ text: 'a' }), model({ text: 'He' }), model({ text: 'llo' }, { text: '' })],
      [{ role: 'user' }, { role: 'assistant', parts: [{ kind: 'text', text: 'Hello' }] }],
    ],
    [
      [
        user({ text: 'a' }),
        model({ text: 'Let ', thought: true }),
        model({ text: 'me', thought: true }),
        model({ text: '', thought: true, thoughtSignature: 'AAAA' }),
        model({ text: 'b', thoughtSignature: 'BBBB' }),
      ],
      [
        { role: 'user' },
        {
          role: 'assistant',
          parts: [
            { kind: 'thinking', text: 'Let me', signature: { origin: 'gemini', data: 'AAAA' } },
            { kind: 'text', text: 'b' },
          ],
        },
      ],
    ],
    [
      [
        user({ text: 'a' }),
        model(
          { text: 'x', thought: true, thoughtSignature: seal('airmesh:anthropic:signature:Eq==') },
          { text: '', thought: true, thoughtSignature: seal('airmesh:anthropic:redacted:Rq==') },
        ),
      ],
      [
        { role: 'user' },
        {
          parts: [
            { kind: 'thinking', text: 'x', signature: { origin: 'anthropic', data: 'Eq==' } },
            { kind: 'thinking', text: '', redacted: { origin: 'anthropic', data: 'Rq==' } },
          ],
        },
      ],
    ],
    [
      [
        user({ text: 'a' }),
        model({ ...call('f'), thoughtSignature: 'AAAA' }, call('g'), call('f')),
        user(response('f'), response('g', { response: { error: 'no' } }), response('f', { response: { a: 1, b: 2 } })),
      ],
      [
        { role: 'user' },
        {
          role: 'assistant',
          parts: [
            { kind: 'tool_call', id: 'call_0', name: 'f', argumentsJson: '{"x":1}', signature: { origin: 'gemini', data: 'AAAA' } },
            { id: 'call_1', name: 'g' },
            { id: 'call_2', name: 'f' },
          ],
        },
        {
          role: 'user',
          parts: [
            { kind: 'tool_result', callId: 'call_0', name: 'f', content: [{ kind: 'text', text: 'ok' }], isError: false },
            { kind: 'tool_result', callId: 'call_1', name: 'g', content: [{ kind: 'text', text: 'no' }], isError: true },
            { kind: 'tool_result', callId: 'call_2', name: 'f', content: [{ kind: 'text', text: '{"a":1,"b":2}' }], isError: false },
          ],
        },
      ],
    ],
    [
      [
        user({ text: 'a' }),
        model(call('f', { id: 'call_0' }), call('g')),
        user(response('g'), response('f', { id: 'call_0', response: { result: { a: 1 } } })),
      ],
      [
        { role: 'user' },
        { parts: [{ id: 'call_0' }, { id: 'call_1' }] },
        { parts: [{ callId: 'call_1' }, { callId: 'call_0', content: [{ kind: 'text', text: '{"a":1}' }] }] },
      ],
    ],
    [
      [
        user({ text: 'a' }),
        model(call('f')),
        { role: 'function', parts: [response('f', { response: {}, parts: [{ inlineData: { mimeType: 'image/png', data: 'AA' } }] })] },
      ],
      [
        { role: 'user' },
        {},
        { role: 'user', parts: [{ callId: 'call_0', content: [{ kind: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AA==' } }] }] },
      ],
    ],
  ])('reads %j', (contents, expected) => {
    expect(messages(...contents)).toMatchObject(expected);
  });

  it.each<[object, object]>([
    [{ inlineData: { mimeType: 'image/PNG', data: '_-8' } }, { kind: 'image', source: { kind: 'base64', mediaType: 'image/png', data: '/+8=' } }],
    [{ inline_data: { mime_type: 'audio/mp3; rate=1', data: 'AAAA' } }, { kind: 'audio', source: { kind: 'base64', mediaType: 'audio/mp3', data: 'AAAA' } }],
    [
      { inlineData: { mimeType: 'application/pdf', data: 'AAAA', displayName: 'a.pdf' } },
      { kind: 'document', source: { kind: 'base64', mediaType: 'application/pdf', data: 'AAAA' }, name: 'a.pdf' },
    ],
    [{ inlineData: { mimeType: 'text/plain', data: seal('Hé\n"') } }, { kind: 'document', source: { kind: 'text', text: 'Hé\n"' } }],
    [{ inlineData: { mimeType: 'text/plain', data: '/w==' } }, { kind: 'document', source: { kind: 'base64', mediaType: 'text/plain', data: '/w==' } }],
    [{ inlineData: { mimeType: 'text/csv', data: 'YQ==' } }, { kind: 'document', source: { kind: 'base64', mediaType: 'text/csv', data: 'YQ==' } }],
    [{ fileData: { fileUri: 'https://a/b.JPG?x' } }, { kind: 'image', source: { kind: 'url', url: 'https://a/b.JPG?x', mediaType: 'image/jpeg' } }],
    [
      { fileData: { fileUri: 'https://a/b', mimeType: 'application/pdf' } },
      { kind: 'document', source: { kind: 'url', url: 'https://a/b', mediaType: 'application/pdf' } },
    ],
    [{ fileData: { fileUri: 'https://a/b' } }, { kind: 'document', source: { kind: 'url', url: 'https://a/b' } }],
    [
      { inlineData: { mimeType: 'image/png', data: 'AAAA' }, mediaResolution: { level: 'MEDIA_RESOLUTION_LOW' } },
      { kind: 'image', detail: 'low' },
    ],
  ])('hold the media %j', (part, expected) => {
    expect(messages(user(part))).toMatchObject([{ parts: [expected] }]);
  });

  it('begin with the system instruction', () => {
    expect(chat({ system_instruction: { role: 'system', parts: { text: 'a' } } }).messages).toMatchObject([
      { role: 'system', parts: [{ kind: 'text', text: 'a' }] },
      { role: 'user' },
    ]);
  });
});

describe('faults', () => {
  it.each<[object, string]>([
    [{ contents: [{ role: 'system', parts: [] }] }, 'contents[0].role'],
    [{ contents: [] }, 'contents'],
    [{ contents: [user(call('f'))] }, 'contents[0].parts[0].functionCall'],
    [{ contents: [user(response('f'))] }, 'contents[0].parts[0].functionResponse'],
    [{ contents: [model(call('f')), user(response('g'))] }, 'contents[1].parts[0].functionResponse'],
    [{ contents: [model(call('f')), user(response('f'), response('f'))] }, 'contents[1].parts[1].functionResponse'],
    [{ contents: [model(call('f'), call('f')), user(response('f')), model({ text: 'a' })] }, 'contents[2]'],
    [{ contents: [...HI, model(call('f'))] }, 'contents'],
    [{ contents: [...HI, model({ functionCall: {} })] }, 'contents[1].parts[0].functionCall.name'],
    [{ contents: HI, toolConfig: { functionCallingConfig: { mode: 2 } } }, 'toolConfig.functionCallingConfig.mode'],
    [{ contents: HI, toolConfig: { functionCallingConfig: { mode: 'SOME' } } }, 'toolConfig.functionCallingConfig.mode'],
    [{ contents: HI, generation_config: { topP: 'x' } }, 'generation_config.topP'],
    [{ contents: HI, generationConfig: { topK: 1.5 } }, 'generationConfig.topK'],
    [{ contents: HI, labels: { a: 1 } }, 'labels'],
  ])('are found in %j', (body, param) => {
    expect(read(CHAT, body)).toMatchObject({ ok: false, error: { code: 'invalid_value', param } });
  });
});

describe('losses', () => {
  it.each<[object, readonly string[]]>([
    [{ safetySettings: [] }, ['dropped safetySettings']],
    [{ safety_settings: [{}] }, ['dropped safety_settings']],
    [{ continuationToken: 'AA' }, ['refused continuationToken']],
    [{ tools: [{ googleSearch: {} }, { code_execution: {} }] }, ['refused tools[0].googleSearch', 'refused tools[1].code_execution']],
    [
      { tools: [{ functionDeclarations: [{ name: 'f', behavior: 'BLOCKING', response: {} }] }] },
      ['dropped tools[0].functionDeclarations[0].behavior', 'dropped tools[0].functionDeclarations[0].response'],
    ],
    [{ toolConfig: { retrievalConfig: {} } }, ['dropped toolConfig.retrievalConfig']],
    [
      { generationConfig: { mediaResolution: 'X', thinkingConfig: { thinkingLevel: 'EXTREME' } } },
      ['dropped generationConfig.thinkingConfig.thinkingLevel', 'dropped generationConfig.mediaResolution'],
    ],
    [
      { generationConfig: { responseModalities: ['TEXT', 'AUDIO'], speechConfig: {} } },
      ['refused generationConfig.responseModalities', 'dropped generationConfig.speechConfig'],
    ],
    [{ generationConfig: { responseModalities: ['TEXT'] } }, []],
    [{ generationConfig: { responseMimeType: 'text/x.enum' } }, ['refused generationConfig.responseMimeType']],
    [{ serviceTier: 'ultra' }, ['dropped serviceTier']],
    [{ futureField: 1, store: false, model: 'models/m' }, ['dropped futureField']],
    [{ 'sk-planted "': 1 }, ['dropped *']],
    [{ contents: [user({ text: 'a', videoMetadata: {} })] }, ['dropped contents[0].parts[0].videoMetadata']],
    [{ contents: [user({ inlineData: { mimeType: 'video/mp4', data: '' } })] }, ['refused contents[0].parts[0].inlineData']],
    [{ contents: [user({ fileData: { fileUri: 'https://youtu.be/x' } })] }, ['refused contents[0].parts[0].fileData']],
    [
      { contents: [...HI, model({ executableCode: { code: '1' } }, { codeExecutionResult: {} }, { text: 'a' })] },
      ['dropped contents[1].parts[0].executableCode', 'dropped contents[1].parts[1].codeExecutionResult'],
    ],
    [{ systemInstruction: { parts: [{ inlineData: {} }] } }, ['refused systemInstruction.parts[0]']],
  ])('of %j are told', (body, expected) => {
    expect(lost(body)).toEqual(expected);
  });

  it('never repeat what was said', () => {
    const found = parsed(CHAT, { contents: [user({ inlineData: { mimeType: 'sk-planted', data: 'sk-planted' }, 'sk-planted x': 1 })] });
    expect(JSON.stringify(found.losses)).not.toContain('sk-planted');
  });
});

describe('counting', () => {
  it.each([[{ contents: HI }], [{ generateContentRequest: { model: 'models/m', contents: HI } }]])('reads %j', (body) => {
    expect(parsed('m:countTokens', body)).toMatchObject({
      request: { kind: 'count_tokens', chat: { model: 'm', stream: false, messages: [{ role: 'user' }] } },
      losses: [],
    });
  });
});

describe('embeddings', () => {
  const content = { parts: [{ text: 'a' }] };

  it.each<[string, object, object]>([
    [
      'e:embedContent',
      { content, taskType: 'X', title: 't', outputDimensionality: 5, model: 'models/e' },
      { inputs: ['a'], task: 'X', title: 't', dimensions: 5, single: true, encoding: 'float' },
    ],
    ['e:embedContent', { content, embedContentConfig: { taskType: 'X', outputDimensionality: 5 } }, { task: 'X', dimensions: 5 }],
    [
      'e:batchEmbedContents',
      { requests: [{ content, model: 'models/e' }, { content: { parts: [{ text: 'b' }, { text: 'c' }] } }] },
      { inputs: ['a', 'b\nc'], single: false, dimensions: undefined },
    ],
  ])('at %s read %j', (path, body, expected) => {
    expect(parsed(path, body)).toMatchObject({ request: { kind: 'embedding', model: 'e', ...expected }, losses: [] });
  });

  it.each<[string, object, string]>([
    ['e:batchEmbedContents', { requests: [{ content }, { content, taskType: 'X' }] }, 'refused requests[1]'],
    ['e:embedContent', { content: { parts: [{ inlineData: {} }] } }, 'refused content.parts[0]'],
    ['e:embedContent', { content, embedContentConfig: { autoTruncate: true } }, 'dropped embedContentConfig.autoTruncate'],
  ])('at %s lose of %j', (path, body, expected) => {
    expect(parsed(path, body).losses.map(({ treatment, param }) => `${treatment} ${param}`)).toContain(expected);
  });
});
