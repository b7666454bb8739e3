import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSimulator } from './index.ts';
import type { Simulator } from './index.ts';

const KEY = 'sk-simulated';

let simulator: Simulator;

beforeAll(async () => {
  simulator = await startSimulator({ host: '127.0.0.1', port: 0, keys: [KEY] });
});

afterAll(() => simulator.close());

type Row = readonly [what: string, status: number, message: RegExp, change: object, headers?: Readonly<Record<string, string>>];

async function refused(path: string, body: object, headers: Readonly<Record<string, string>>): Promise<{ readonly status: number; readonly text: string }> {
  const answer = await fetch(`${simulator.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return { status: answer.status, text: await answer.text() };
}

function refuses(path: string, whole: object, ownHeaders: Readonly<Record<string, string>>, rows: readonly Row[]): void {
  it('takes what is right', async () => {
    expect(await refused(path, whole, ownHeaders)).toMatchObject({ status: 200 });
  });

  it.each(rows.map(([what, status, message, change, headers]) => ({ what, status, message, change, headers })))(
    'refuses $what',
    async ({ status, message, change, headers }) => {
      const present = Object.fromEntries(Object.entries({ ...ownHeaders, ...headers }).filter(([, value]) => value !== ''));
      expect(await refused(path, { ...whole, ...change }, present)).toEqual({ status, text: expect.stringMatching(message) as unknown });
    },
  );
}

const SAY = [{ role: 'user', content: 'hi' }];
const CALLED = { role: 'assistant', content: null, tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{}' } }] };

describe('OpenAI’s API', () => {
  refuses('/v1/chat/completions', { model: 'gpt-4.1', messages: SAY }, { authorization: `Bearer ${KEY}` }, [
    ['no key', 401, /invalid_api_key/, {}, { authorization: '' }],
    ['a key in another API’s header', 401, /Incorrect API key/, {}, { authorization: '', 'x-api-key': KEY }],
    ['an unknown field', 400, /Unrecognized request argument supplied: top_k/, { top_k: 5 }],
    ['a value of another type', 400, /Invalid type for 'temperature'/, { temperature: 'hot' }],
    ['no messages', 400, /messages/, { messages: [] }],
    ['a result without a call', 400, /must be a response to a preceeding message/, { messages: [...SAY, { role: 'tool', tool_call_id: 'c1', content: 'x' }] }],
    ['a call without a result', 400, /did not have response messages: c1/, { messages: [...SAY, CALLED, { role: 'user', content: 'and?' }] }],
    [
      'a call without an id',
      400,
      /messages\[1\]\.tool_calls\[0\]\.id/,
      { messages: [...SAY, { role: 'assistant', tool_calls: [{ type: 'function', function: { name: 'look', arguments: '{}' } }] }] },
    ],
    ['a model that nobody has', 404, /model_not_found/, { model: 'nothing' }],
    ['both caps', 400, /at the same time/, { max_tokens: 5, max_completion_tokens: 5 }],
    [
      'a loose schema sent as strict',
      400,
      /additionalProperties/,
      { response_format: { type: 'json_schema', json_schema: { name: 'a', strict: true, schema: { type: 'object', properties: {} } } } },
    ],
    ['the old cap at a model that thinks', 400, /max_completion_tokens/, { model: 'o3', max_tokens: 5 }],
  ]);
});

describe('OpenAI’s responses', () => {
  refuses('/v1/responses', { model: 'gpt-4.1', input: 'hi' }, { authorization: `Bearer ${KEY}` }, [
    ['an unknown field', 400, /messages/, { messages: SAY }],
    ['a model that nobody has', 404, /model_not_found/, { model: 'nothing' }],
    [
      'an output without a call',
      400,
      /No tool call found/,
      {
        input: [
          { role: 'user', content: 'hi' },
          { type: 'function_call_output', call_id: 'c', output: 'x' },
        ],
      },
    ],
    [
      'a call without an output',
      400,
      /No tool output found/,
      {
        input: [
          { role: 'user', content: 'hi' },
          { type: 'function_call', call_id: 'c', name: 'look', arguments: '{}' },
        ],
      },
    ],
    ['a cap below 16', 400, /max_output_tokens/, { max_output_tokens: 5 }],
    [
      'reasoning that it did not seal',
      400,
      /could not be verified/,
      {
        model: 'gpt-5',
        input: [
          { role: 'user', content: 'hi' },
          { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'AAAA' },
        ],
      },
    ],
  ]);
});

const VERSION = { 'anthropic-version': '2023-06-01', 'x-api-key': KEY };
const USED = { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'look', input: {} }] };

const RESULT = { type: 'tool_result', tool_use_id: 'toolu_1', content: 'x' };

describe('Anthropic’s API', () => {
  refuses('/v1/messages', { model: 'claude-sonnet-4-5', max_tokens: 2000, messages: SAY }, VERSION, [
    ['no key', 401, /x-api-key header is required/, {}, { 'x-api-key': '' }],
    ['a key in another API’s header', 401, /x-api-key/, {}, { 'x-api-key': '', 'api-key': KEY }],
    ['a wrong bearer', 401, /Invalid bearer token/, {}, { 'x-api-key': '', authorization: 'Bearer wrong' }],
    ['a wrong key beside a right bearer', 401, /invalid x-api-key/, {}, { 'x-api-key': 'wrong', authorization: `Bearer ${KEY}` }],
    ['no version', 400, /anthropic-version: header is required/, {}, { 'anthropic-version': '' }],
    ['a version that does not exist', 400, /not a valid version/, {}, { 'anthropic-version': '2024-01-01' }],
    ['no cap', 400, /max_tokens: Field required/, { max_tokens: undefined }],
    ['an unknown field', 400, /seed: Extra inputs are not permitted/, { seed: 1 }],
    ['a system message', 400, /messages\.0/, { messages: [{ role: 'system', content: 'x' }, ...SAY] }],
    ['an assistant first', 400, /first message must use the user role/, { messages: [{ role: 'assistant', content: 'x' }, ...SAY] }],
    ['an empty text', 400, /non-empty/, { messages: [{ role: 'user', content: [{ type: 'text', text: '' }] }] }],
    [
      'a result without a use',
      400,
      /unexpected `tool_use_id`/,
      { messages: [{ role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_9', content: 'x' }] }] },
    ],
    ['a use without a result', 400, /without `tool_result` blocks immediately after: toolu_1/, { messages: [...SAY, USED, { role: 'user', content: 'and?' }] }],
    [
      'a result after text',
      400,
      /must come first/,
      {
        messages: [
          ...SAY,
          USED,
          {
            role: 'user',
            content: [
              { type: 'text', text: 'x' },
              { type: 'tool_result', tool_use_id: 'toolu_1', content: 'x' },
            ],
          },
        ],
      },
    ],
    [
      'thinking that it did not seal',
      400,
      /Invalid `signature`/,
      {
        messages: [
          ...SAY,
          {
            role: 'assistant',
            content: [
              { type: 'thinking', thinking: 'x', signature: 'AAAA' },
              { type: 'text', text: 'y' },
            ],
          },
          ...SAY,
        ],
      },
    ],
    ['a budget above the cap', 400, /must be greater than `thinking\.budget_tokens`/, { thinking: { type: 'enabled', budget_tokens: 2000 } }],
    ['a temperature while it thinks', 400, /only be set to 1/, { thinking: { type: 'enabled', budget_tokens: 1024 }, temperature: 0 }],
    ['a temperature in the newest version', 400, /temperature: Extra inputs/, { temperature: 0.5 }, { 'anthropic-version': '2026-10-21' }],
    ['another maker’s model', 404, /not_found_error/, { model: 'gpt-4.1' }],
    ['a model that there is not', 404, /model: claude-nothing/, { model: 'claude-nothing' }],
    ['a cap above the model’s', 400, /max_tokens: 64001 > 64000, which is the maximum/, { max_tokens: 64_001 }],
    ['both ways of sampling', 400, /cannot both be specified for this model/, { temperature: 0.5, top_p: 0.5 }],
    [
      'citations from a user in the newest version',
      400,
      /citations: Extra inputs/,
      { messages: [{ role: 'user', content: [{ type: 'text', text: 'x', citations: [{}] }] }] },
      { 'anthropic-version': '2026-10-21' },
    ],
    ['two results for one use', 400, /each tool_use must have a single result/, { messages: [...SAY, USED, { role: 'user', content: [RESULT, RESULT] }] }],
    [
      'two uses of one id',
      400,
      /`tool_use` ids must be unique/,
      { messages: [...SAY, USED, { role: 'user', content: [RESULT] }, USED, { role: 'user', content: [RESULT] }] },
    ],
    [
      'input that is no object',
      400,
      /input: Input should be/,
      { messages: [...SAY, { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'look', input: '{}' }] }] },
    ],
    [
      'a use whose thinking was lost',
      400,
      /Expected `thinking` or `redacted_thinking`, but found `tool_use`/,
      { thinking: { type: 'enabled', budget_tokens: 1024 }, messages: [...SAY, USED, { role: 'user', content: [RESULT] }] },
    ],
    [
      'five marks for the cache',
      400,
      /maximum of 4 blocks with cache_control may be provided\. Found 5/,
      { system: Array.from({ length: 5 }, () => ({ type: 'text', text: 'x', cache_control: { type: 'ephemeral' } })) },
    ],
    [
      'a long mark after a short one',
      400,
      /must not come after a ttl='5m'/,
      { system: ['5m', '1h'].map((ttl) => ({ type: 'text', text: 'x', cache_control: { type: 'ephemeral', ttl } })) },
    ],
  ]);
});

const MODEL_SAYS = { role: 'model', parts: [{ functionCall: { name: 'look', args: {} } }] };
const USER_SAYS = { role: 'user', parts: [{ text: 'hi' }] };

describe('Gemini’s API', () => {
  refuses('/v1beta/models/gemini-2.5-flash:generateContent', { contents: [USER_SAYS] }, { 'x-goog-api-key': KEY }, [
    ['no key', 403, /unregistered callers/, {}, { 'x-goog-api-key': '' }],
    ['a wrong key', 400, /API_KEY_INVALID/, {}, { 'x-goog-api-key': 'AIza' }],
    ['an unknown name', 400, /Unknown name \\"maxOutputTokens\\"/, { maxOutputTokens: 5 }],
    ['an unknown name inside', 400, /at 'generationConfig'/, { generationConfig: { top_k: 5 } }],
    ['a role that it has not', 400, /contents\[0\]\.role/, { contents: [{ role: 'assistant', parts: [{ text: 'x' }] }] }],
    [
      'a part with two kinds of data',
      400,
      /oneof/,
      { contents: [{ role: 'user', parts: [{ text: 'x', inlineData: { mimeType: 'image/png', data: 'AAAA' } }] }] },
    ],
    [
      'a response without a call',
      400,
      /immediately after a function call turn/,
      { contents: [USER_SAYS, { role: 'user', parts: [{ functionResponse: { name: 'look', response: {} } }] }] },
    ],
    ['a call without a response', 400, /followed by a function response turn/, { contents: [USER_SAYS, MODEL_SAYS] }],
    [
      'fewer responses than calls',
      400,
      /number of function response parts/,
      {
        contents: [
          USER_SAYS,
          { role: 'model', parts: [...MODEL_SAYS.parts, ...MODEL_SAYS.parts] },
          { role: 'user', parts: [{ functionResponse: { name: 'look', response: {} } }] },
        ],
      },
    ],
    [
      'a thought that it did not seal',
      400,
      /Corrupted thought signature/,
      { contents: [{ role: 'user', parts: [{ text: 'x' }] }, { role: 'model', parts: [{ text: 'y', thoughtSignature: 'AAAA' }] }, USER_SAYS] },
    ],
    ['a schema without its type', 400, /response MIME type/, { generationConfig: { responseJsonSchema: {} } }],
    [
      'a schema with words that it has not',
      400,
      /additionalProperties/,
      { generationConfig: { responseMimeType: 'application/json', responseSchema: { type: 'OBJECT', additionalProperties: false } } },
    ],
  ]);
});

describe('Gemini’s models', () => {
  it.each([
    ['gemini-nothing', 'generateContent', { contents: [USER_SAYS] }],
    ['gpt-4.1', 'generateContent', { contents: [USER_SAYS] }],
    ['gemini-embedding-001', 'generateContent', { contents: [USER_SAYS] }],
    ['gemini-2.5-flash', 'embedContent', { content: USER_SAYS }],
    ['gemini-2.5-flash', 'doNothing', {}],
  ])('have no %s to %s', async (model, method, body) => {
    expect(await refused(`/v1beta/models/${model}:${method}`, body, { 'x-goog-api-key': KEY })).toEqual({
      status: 404,
      text: expect.stringMatching(/NOT_FOUND/) as unknown,
    });
  });
});

describe('Azure OpenAI', () => {
  refuses('/openai/deployments/gpt-4.1/chat/completions?api-version=2024-10-21', { messages: SAY, model: 'x' }, { 'api-key': KEY }, [
    ['a key in another API’s header', 401, /invalid subscription key/, {}, { 'api-key': '', authorization: `Bearer ${KEY}` }],
    ['an unknown field', 400, /Unrecognized request argument/, { top_k: 5 }],
    ['what its filter finds', 400, /ResponsibleAIPolicyViolation/, {}, { 'x-simulate': 'block=prompt' }],
  ]);

  describe('without dates', () => {
    refuses('/openai/v1/chat/completions', { messages: SAY, model: 'gpt-4.1' }, { authorization: `Bearer ${KEY}` }, [
      ['no key', 401, /invalid subscription key/, {}, { authorization: '' }],
      ['a model that is not deployed', 404, /DeploymentNotFound/, { model: 'gpt-4o' }],
      ['no model', 400, /Missing required parameter: 'model'/, { model: undefined }],
    ]);

    it('refuses a date', async () => {
      expect(await refused('/openai/v1/chat/completions?api-version=2024-10-21', { messages: SAY, model: 'gpt-4.1' }, { 'api-key': KEY })).toMatchObject({
        status: 400,
        text: expect.stringContaining('not allowed when using /v1 path') as unknown,
      });
    });
  });

  it.each([
    ['/openai/deployments/gpt-4.1/chat/completions', 'Resource not found'],
    ['/openai/deployments/gpt-4.1/chat/completions?api-version=2019-01-01', 'Resource not found'],
    ['/openai/deployments/none/chat/completions?api-version=2024-10-21', 'DeploymentNotFound'],
  ])('knows nothing at %s', async (path, message) => {
    expect(await refused(path, { messages: SAY, model: 'x' }, { 'api-key': KEY })).toMatchObject({
      status: 404,
      text: expect.stringContaining(message) as unknown,
    });
  });
});

describe('DeepSeek’s API', () => {
  refuses('/v1/chat/completions', { model: 'deepseek-chat', messages: SAY }, { authorization: `Bearer ${KEY}` }, [
    ['no key', 401, /authentication_error/, {}, { authorization: '' }],
    ['developers', 400, /unknown variant `developer`/, { messages: [{ role: 'developer', content: 'x' }, ...SAY] }],
    ['a schema', 400, /unavailable now/, { response_format: { type: 'json_schema', json_schema: { name: 'a', schema: {} } } }],
    ['an unknown field', 400, /unknown field `top_k`/, { top_k: 5 }],
    ['no messages', 400, /missing field `messages`/, { messages: undefined }],
    [
      'a call whose thoughts were lost',
      400,
      /`reasoning_content` in the thinking mode must be passed back/,
      { model: 'deepseek-v4-pro', messages: [...SAY, CALLED, { role: 'tool', tool_call_id: 'c1', content: 'x' }] },
    ],
    [
      'an image',
      400,
      /unknown variant `image_url`/,
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }] }] },
    ],
  ]);

  it('has no others’ models', async () => {
    expect(await refused('/chat/completions', { model: 'gpt-4.1', messages: SAY }, { authorization: `Bearer ${KEY}` })).toMatchObject({
      status: 400,
      text: expect.stringContaining('Model Not Exist') as unknown,
    });
  });

  it('shows what its reasoner thinks', async () => {
    const answer = await refused('/v1/chat/completions', { model: 'deepseek-reasoner', messages: SAY }, { authorization: `Bearer ${KEY}` });
    expect(JSON.parse(answer.text)).toMatchObject({
      choices: [{ message: { reasoning_content: expect.any(String) as unknown } }],
      usage: { prompt_cache_hit_tokens: 0 },
    });
  });
});
