import { describe, expect, it } from 'vitest';
import type { NeutralChat, NeutralContent, NeutralMessage, NeutralPart } from '../../neutral.ts';
import { writeRequest } from './write-request.ts';

const BASE: NeutralChat = {
  kind: 'chat',
  model: 'gemini-2.5-flash',
  stream: false,
  wantsStreamUsage: false,
  messages: [{ role: 'user', parts: [{ kind: 'text', text: 'hi' }] }],
  tools: [],
  toolChoice: undefined,
  parallelToolCalls: undefined,
  format: undefined,
  sampling: {},
  reasoning: undefined,
  maxOutputTokens: undefined,
  choices: 1,
  user: undefined,
  metadata: undefined,
  tier: undefined,
};

interface Body {
  readonly contents: readonly object[];
  readonly systemInstruction?: object;
  readonly generationConfig?: object;
}

function write(more: Partial<NeutralChat>): { readonly body: Body; readonly losses: readonly string[]; readonly path: string } {
  const { body, losses, endpoint } = writeRequest({ ...BASE, ...more });
  return {
    body: JSON.parse(new TextDecoder().decode(body)) as Body,
    losses: losses.map(({ treatment, param }) => `${treatment} ${param}`),
    path: endpoint.path,
  };
}

const text = (value: string): NeutralPart => ({ kind: 'text', text: value });
const user = (...parts: readonly NeutralPart[]): NeutralMessage => ({ role: 'user', parts });
const assistant = (...parts: readonly NeutralPart[]): NeutralMessage => ({ role: 'assistant', parts });
const call = (id: string, more: object = {}): NeutralPart => ({ kind: 'tool_call', id, name: 'f', argumentsJson: '{"a":1}', ...more });
const result = (callId: string, content: readonly NeutralContent[], more: object = {}): NeutralPart => ({
  kind: 'tool_result',
  callId,
  name: undefined,
  content,
  isError: false,
  ...more,
});
const image: NeutralContent = { kind: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' } };
const SKIP = 'skip_thought_signature_validator';
const THIRD = 'gemini-3-pro-preview';

describe('contents', () => {
  it.each<[Partial<NeutralChat>, object, readonly string[]]>([
    [
      { messages: [{ role: 'system', parts: [text('a'), text('b')] }, user(text('c')), user(text('d'))] },
      { systemInstruction: { parts: [{ text: 'a' }, { text: 'b' }] }, contents: [{ role: 'user', parts: [{ text: 'c' }, { text: 'd' }] }] },
      [],
    ],
    [
      { messages: [user(text('c')), { role: 'system', parts: [text('a')] }, user(text('d'))] },
      { systemInstruction: { parts: [{ text: 'a' }] }, contents: [{ parts: [{ text: 'c' }, { text: 'd' }] }] },
      ['dropped system'],
    ],
    [
      { model: 'gemma-3-27b-it', messages: [{ role: 'system', parts: [text('a')] }, user(text('c'))] },
      { contents: [{ role: 'user', parts: [{ text: 'a' }, { text: 'c' }] }] },
      [],
    ],
    [{ messages: [{ role: 'system', parts: [image] }, user(text('c'))] }, { contents: [{ parts: [{ text: 'c' }] }] }, ['refused system.image']],
    [{ messages: [{ role: 'user', parts: [text('c')], name: 'ann' }] }, { contents: [{ parts: [{ text: 'c' }] }] }, ['dropped message.name']],
    [
      { messages: [user(text('c')), assistant({ kind: 'refusal', text: 'no' }), user(text('d'))] },
      { contents: [{}, { role: 'model', parts: [{ text: 'no' }] }, {}] },
      [],
    ],
    [
      {
        messages: [
          user(text('c')),
          assistant(
            { kind: 'thinking', text: 'x', signature: { origin: 'anthropic', data: 'S' } },
            { kind: 'thinking', text: '', redacted: { origin: 'openai', data: 'S' } },
            text('y'),
          ),
        ],
      },
      { contents: [{}, { parts: [{ text: 'y' }] }] },
      ['dropped thinking'],
    ],
    [
      {
        messages: [
          user(text('c')),
          assistant(
            { kind: 'thinking', text: 'x', signature: { origin: 'gemini', data: 'S' } },
            { kind: 'thinking', text: 'z' },
            { kind: 'thinking', text: '' },
          ),
        ],
      },
      {
        contents: [
          {},
          {
            parts: [
              { text: 'x', thought: true, thoughtSignature: 'S' },
              { text: 'z', thought: true },
            ],
          },
        ],
      },
      [],
    ],
    [
      {
        messages: [
          user(text('c')),
          assistant(call('1'), call('2')),
          user(
            result('1', []),
            result(
              '2',
              [
                { kind: 'text', text: 'a' },
                { kind: 'text', text: 'b' },
              ],
              { isError: true },
            ),
          ),
        ],
      },
      {
        contents: [
          {},
          { parts: [{ functionCall: { id: '1', name: 'f', args: { a: 1 } } }, { functionCall: { id: '2', name: 'f', args: { a: 1 } } }] },
          {
            parts: [
              { functionResponse: { id: '1', name: 'f', response: { output: '' } } },
              { functionResponse: { id: '2', name: 'f', response: { error: 'a\nb' } } },
            ],
          },
        ],
      },
      [],
    ],
    [
      { model: THIRD, messages: [user(text('c')), assistant(call('1'), call('2')), user(result('1', []), result('2', []))] },
      {
        contents: [
          {},
          {
            parts: [{ functionCall: { id: '1', name: 'f', args: { a: 1 } }, thoughtSignature: SKIP }, { functionCall: { id: '2', name: 'f', args: { a: 1 } } }],
          },
          {},
        ],
      },
      [],
    ],
    [
      {
        model: THIRD,
        messages: [user(text('c')), assistant(call('1', { signature: { origin: 'gemini', data: 'S' } }), call('2')), user(result('1', []), result('2', []))],
      },
      {
        contents: [
          {},
          {
            parts: [{ functionCall: { id: '1', name: 'f', args: { a: 1 } }, thoughtSignature: 'S' }, { functionCall: { id: '2', name: 'f', args: { a: 1 } } }],
          },
          {},
        ],
      },
      [],
    ],
    [
      { model: THIRD, messages: [user(text('c')), assistant(call('1')), user(result('1', [image]))] },
      {
        contents: [
          {},
          {},
          { parts: [{ functionResponse: { id: '1', name: 'f', response: { output: '' }, parts: [{ inlineData: { mimeType: 'image/png', data: 'AAAA' } }] } }] },
        ],
      },
      [],
    ],
    [
      { messages: [user(text('c')), assistant(call('1')), user(result('1', [image]), text('d'))] },
      {
        contents: [
          {},
          {},
          {
            parts: [
              { functionResponse: { id: '1', name: 'f', response: { output: '' } } },
              { inlineData: { mimeType: 'image/png', data: 'AAAA' } },
              { text: 'd' },
            ],
          },
        ],
      },
      ['dropped tool_result.content'],
    ],
    // Results stay together.
    [
      { messages: [user(text('c')), assistant(call('1'), call('2')), user(result('1', [image]), result('2', []))] },
      { contents: [{}, {}, { parts: [{ functionResponse: { id: '1' } }, { functionResponse: { id: '2' } }, { inlineData: {} }] }] },
      ['dropped tool_result.content'],
    ],
    [
      { messages: [user(text('c')), assistant(call('1', { argumentsJson: '{"a":' })), user(result('1', []))] },
      { contents: [{}, { parts: [{ functionCall: { id: '1', name: 'f', args: {} } }] }, {}] },
      ['dropped tool_call.arguments'],
    ],
    [{ messages: [user(result('9', []), text('c'))] }, { contents: [{ parts: [{ text: 'c' }] }] }, ['refused tool_result']],
    [
      { messages: [user(result('9', [], { name: 'g' }))] },
      { contents: [{ parts: [{ functionResponse: { id: '9', name: 'g', response: { output: '' } } }] }] },
      [],
    ],
    [
      { messages: [user({ kind: 'document', source: { kind: 'text', text: 'Hé' }, name: 'a.txt' })] },
      { contents: [{ parts: [{ inlineData: { mimeType: 'text/plain', data: 'SMOp' } }] }] },
      ['dropped document.name'],
    ],
    [
      { messages: [user({ kind: 'image', source: { kind: 'url', url: 'https://a/b.png' }, detail: 'high' })] },
      { contents: [{ parts: [{ fileData: { fileUri: 'https://a/b.png', mimeType: 'image/png' } }] }] },
      ['dropped image.detail'],
    ],
    [
      { messages: [user({ kind: 'document', source: { kind: 'url', url: 'https://a/b' } })] },
      { contents: [{ parts: [{ fileData: { fileUri: 'https://a/b' } }] }] },
      [],
    ],
    [
      { messages: [user(text('c'), { kind: 'image', source: { kind: 'url', url: 'file:///etc/passwd' } })] },
      { contents: [{ parts: [{ text: 'c' }] }] },
      ['refused image.url'],
    ],
    [{ messages: [user({ kind: 'text', text: 'c', cache: { ttl: '1h' } })] }, { contents: [{ parts: [{ text: 'c' }] }] }, []],
  ])('of %j are %j', (more, expected, losses) => {
    const written = write(more);
    expect(written.body).toMatchObject(expected);
    expect(written.body.contents.length).toBe((expected as Body).contents.length);
    expect(written.losses).toEqual(losses);
  });

  it('have exactly the parts that are theirs', () => {
    const { body } = write({
      model: THIRD,
      messages: [user(text('c')), assistant(call('1', { signature: { origin: 'gemini', data: 'S' } }), call('2')), user(result('1', []), result('2', []))],
    });
    expect(body.contents[1]).toEqual({
      role: 'model',
      parts: [{ functionCall: { id: '1', name: 'f', args: { a: 1 } }, thoughtSignature: 'S' }, { functionCall: { id: '2', name: 'f', args: { a: 1 } } }],
    });
  });
});

describe('settings', () => {
  it.each<[Partial<NeutralChat>, object | undefined, readonly string[]]>([
    [{}, undefined, []],
    [
      { choices: 2, maxOutputTokens: 5, sampling: { stop: ['a'], logprobs: true, topLogprobs: 2 } },
      { candidateCount: 2, maxOutputTokens: 5, stopSequences: ['a'], responseLogprobs: true, logprobs: 2 },
      [],
    ],
    [{ sampling: { stop: ['1', '2', '3', '4', '5', '6'] } }, { stopSequences: ['1', '2', '3', '4', '5', '6'] }, ['refused stop']],
    [{ choices: 9 }, { candidateCount: 9 }, ['refused n']],
    [{ sampling: { logitBias: { '1': 5 } } }, undefined, ['dropped logit_bias']],
    [
      {
        format: {
          kind: 'json_schema',
          name: 'n',
          description: 'd',
          strict: true,
          schema: { type: 'object', properties: { a: { const: 1 }, const: { anyOf: [{ const: null }] } } },
        },
      },
      {
        responseMimeType: 'application/json',
        responseJsonSchema: { type: 'object', properties: { a: { enum: [1] }, const: { anyOf: [{ enum: [null] }] } }, description: 'd' },
      },
      [],
    ],
    [{ format: { kind: 'json_object' } }, { responseMimeType: 'application/json' }, []],
    [{ reasoning: { effort: 'low', visible: true } }, { thinkingConfig: { thinkingBudget: 1024, includeThoughts: true } }, []],
    [{ reasoning: { effort: 'none' } }, { thinkingConfig: { thinkingBudget: 0 } }, []],
    [{ reasoning: { effort: 'max' } }, { thinkingConfig: { thinkingBudget: 24_576 } }, []],
    [{ reasoning: { budgetTokens: 30_000 } }, { thinkingConfig: { thinkingBudget: 24_576 } }, ['dropped reasoning']],
    [{ reasoning: { adaptive: true } }, { thinkingConfig: { thinkingBudget: -1 } }, []],
    [{ model: 'gemini-2.5-pro', reasoning: { effort: 'none' } }, { thinkingConfig: { thinkingBudget: 128 } }, ['dropped reasoning']],
    [{ model: 'gemini-2.5-pro', reasoning: { effort: 'xhigh' } }, { thinkingConfig: { thinkingBudget: 32_768 } }, []],
    [{ model: 'gemini-2.0-flash', reasoning: { effort: 'high' } }, undefined, ['dropped reasoning']],
    [{ model: 'gemini-2.0-flash', reasoning: { effort: 'none' } }, undefined, []],
    [{ model: THIRD, reasoning: { effort: 'medium' } }, { thinkingConfig: { thinkingLevel: 'MEDIUM' } }, []],
    [{ model: THIRD, reasoning: { effort: 'minimal' } }, { thinkingConfig: { thinkingLevel: 'LOW' } }, []],
    [{ model: 'gemini-3-flash-preview', reasoning: { effort: 'minimal' } }, { thinkingConfig: { thinkingLevel: 'MINIMAL' } }, []],
    [{ model: THIRD, reasoning: { budgetTokens: 0 } }, { thinkingConfig: { thinkingLevel: 'LOW' } }, ['dropped reasoning']],
    [{ model: THIRD, reasoning: { budgetTokens: 5000, adaptive: true } }, { thinkingConfig: { thinkingBudget: 5000 } }, []],
    [{ model: THIRD, reasoning: { effort: 'max' } }, { thinkingConfig: { thinkingLevel: 'HIGH' } }, ['dropped reasoning']],
    [{ model: THIRD, reasoning: { adaptive: true } }, undefined, []],
  ])('of %j are %j', (more, expected, losses) => {
    const written = write(more);
    expect(written.body.generationConfig).toEqual(expected);
    expect(written.losses).toEqual(losses);
  });

  it.each<[Partial<NeutralChat>, object, readonly string[]]>([
    [{ tools: [{ name: 'f', description: undefined, parameters: undefined, strict: undefined }] }, { tools: [{ functionDeclarations: [{ name: 'f' }] }] }, []],
    [
      { tools: [{ name: 'f', description: 'd', parameters: { type: 'object' }, strict: true }] },
      {
        tools: [{ functionDeclarations: [{ name: 'f', description: 'd', parametersJsonSchema: { type: 'object' } }] }],
        toolConfig: { functionCallingConfig: { mode: 'VALIDATED' } },
      },
      [],
    ],
    [
      {
        tools: [{ name: 'f', description: undefined, parameters: undefined, strict: false }],
        toolChoice: { kind: 'required', names: ['f'] },
        parallelToolCalls: false,
      },
      { toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['f'] } } },
      ['dropped parallel_tool_calls'],
    ],
    [{ toolChoice: { kind: 'none' } }, { contents: [{}] }, []],
    [{ user: 'u', tier: 'auto', metadata: { Team: 'A' } }, { contents: [{}] }, ['dropped user', 'dropped metadata']],
    [{ tier: 'flex', metadata: { team: 'a' } }, { serviceTier: 'flex', labels: { team: 'a' } }, []],
  ])('beside them: %j is %j', (more, expected, losses) => {
    const written = write(more);
    expect(written.body).toMatchObject(expected);
    expect(written.losses).toEqual(losses);
  });
});

describe('the endpoint', () => {
  it('names the model and the method, and asks for events', () => {
    expect(writeRequest({ ...BASE, model: 'org/m', stream: true }).endpoint).toEqual({
      operation: 'chat',
      path: '/models/org%2Fm:streamGenerateContent',
      body: 'json',
      model: 'org/m',
      stream: true,
      streamForm: 'sse',
    });
    expect(writeRequest({ kind: 'count_tokens', chat: BASE }).endpoint).toMatchObject({
      operation: 'count_tokens',
      path: '/models/gemini-2.5-flash:countTokens',
    });
  });
});
