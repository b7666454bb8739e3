import { describe, expect, it } from 'vitest';
import type { Loss, NeutralChat } from '../../../neutral.ts';
import { openaiTranslation } from '../index.ts';

const RESPONSES = { operation: 'responses', path: '/responses', body: 'json' } as const;

const parse = (body: object): ReturnType<typeof openaiTranslation.parseRequest> =>
  openaiTranslation.parseRequest(RESPONSES, new TextEncoder().encode(JSON.stringify({ model: 'm', input: 'Hello', ...body })));

const read = (body: object): { readonly chat: NeutralChat; readonly losses: readonly Loss[] } => {
  const parsed = parse(body);
  if (!parsed.ok || parsed.value.request.kind !== 'chat') throw new Error(JSON.stringify(parsed));
  return { chat: parsed.value.request, losses: parsed.value.losses };
};

const lost = (body: object): readonly string[] => read(body).losses.map(({ treatment, param }) => `${treatment} ${param}`);

const CALL = { type: 'function_call', id: 'fc_1', call_id: 'c', name: 'look', arguments: '{"x":1}', status: 'completed' };
const OUTPUT = { type: 'function_call_output', call_id: 'c', output: 'ok' };
const HELLO = { role: 'user', parts: [{ kind: 'text', text: 'Hello' }] } as const;

describe('input', () => {
  it.each<[string, object, NeutralChat['messages']]>([
    ['a text', {}, [HELLO]],
    ['instructions', { instructions: 'Be brief.' }, [{ role: 'system', parts: [{ kind: 'text', text: 'Be brief.' }] }, HELLO]],
    [
      'messages with and without their type',
      {
        input: [
          { role: 'developer', content: 'a' },
          { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'b' }] },
          {
            type: 'message',
            role: 'assistant',
            id: 'msg_1',
            status: 'completed',
            phase: 'final_answer',
            content: [
              { type: 'output_text', text: 'c', annotations: [], logprobs: [] },
              { type: 'refusal', refusal: 'd' },
            ],
          },
        ],
      },
      [
        { role: 'system', parts: [{ kind: 'text', text: 'a' }] },
        { role: 'user', parts: [{ kind: 'text', text: 'b' }] },
        {
          role: 'assistant',
          parts: [
            { kind: 'text', text: 'c' },
            { kind: 'refusal', text: 'd' },
          ],
        },
      ],
    ],
    [
      'images and files',
      {
        input: [
          {
            role: 'user',
            content: [
              { type: 'input_image', detail: 'high', image_url: 'data:image/jpeg;base64,AAAA' },
              { type: 'input_file', filename: 'a.pdf', file_data: 'data:application/pdf;base64,BBBB' },
              { type: 'input_file', file_url: 'https://example.com/a.pdf' },
              { type: 'input_audio', input_audio: { data: 'CCCC', format: 'wav' } },
            ],
          },
        ],
      },
      [
        {
          role: 'user',
          parts: [
            { kind: 'image', source: { kind: 'base64', mediaType: 'image/jpeg', data: 'AAAA' }, detail: 'high' },
            { kind: 'document', source: { kind: 'base64', mediaType: 'application/pdf', data: 'BBBB' }, name: 'a.pdf' },
            { kind: 'document', source: { kind: 'url', url: 'https://example.com/a.pdf' } },
            { kind: 'audio', source: { kind: 'base64', mediaType: 'audio/wav', data: 'CCCC' } },
          ],
        },
      ],
    ],
    [
      'a turn of thinking, words and calls, which becomes one message, as do results',
      {
        input: [
          { role: 'user', content: 'Hello' },
          {
            type: 'reasoning',
            id: 'rs_1',
            summary: [
              { type: 'summary_text', text: 'Hm.' },
              { type: 'summary_text', text: 'Yes.' },
            ],
            encrypted_content: 'gAAA',
          },
          { type: 'message', role: 'assistant', content: 'Let me see.' },
          CALL,
          { ...CALL, call_id: 'd' },
          {
            ...OUTPUT,
            output: [
              { type: 'input_text', text: 'x' },
              { type: 'input_image', detail: 'auto', image_url: 'https://example.com/x.png' },
            ],
          },
          { ...OUTPUT, call_id: 'd' },
        ],
      },
      [
        HELLO,
        {
          role: 'assistant',
          parts: [
            { kind: 'thinking', text: 'Hm.\n\nYes.', signature: { origin: 'openai', data: 'gAAA' } },
            { kind: 'text', text: 'Let me see.' },
            { kind: 'tool_call', id: 'c', name: 'look', argumentsJson: '{"x":1}' },
            { kind: 'tool_call', id: 'd', name: 'look', argumentsJson: '{"x":1}' },
          ],
        },
        {
          role: 'user',
          parts: [
            {
              kind: 'tool_result',
              callId: 'c',
              name: 'look',
              content: [
                { kind: 'text', text: 'x' },
                { kind: 'image', source: { kind: 'url', url: 'https://example.com/x.png' }, detail: 'auto' },
              ],
              isError: false,
            },
            { kind: 'tool_result', callId: 'd', name: 'look', content: [{ kind: 'text', text: 'ok' }], isError: false },
          ],
        },
      ],
    ],
    [
      'thinking that is hidden, of others, in full, and empty',
      {
        input: [
          { type: 'reasoning', id: 'a', summary: [], encrypted_content: 'gAAA' },
          { type: 'reasoning', id: 'b', summary: [{ type: 'summary_text', text: 'Hm.' }], encrypted_content: 'airmesh:anthropic:signature:c2:ln' },
          { type: 'reasoning', id: 'c', summary: [], encrypted_content: 'airmesh:anthropic:redacted:eHg=' },
          { type: 'reasoning', id: 'd', summary: [], content: [{ type: 'reasoning_text', text: 'All of it.' }] },
          { type: 'reasoning', id: 'e', summary: [] },
        ],
      },
      [
        {
          role: 'assistant',
          parts: [
            { kind: 'thinking', text: '', redacted: { origin: 'openai', data: 'gAAA' } },
            { kind: 'thinking', text: 'Hm.', signature: { origin: 'anthropic', data: 'c2:ln' } },
            { kind: 'thinking', text: '', redacted: { origin: 'anthropic', data: 'eHg=' } },
            { kind: 'thinking', text: 'All of it.' },
          ],
        },
      ],
    ],
  ])('is read: %s', (_name, body, messages) => {
    expect(read(body).chat.messages).toEqual(messages);
    expect(read(body).losses).toEqual([]);
  });

  it.each<[string, object, string]>([
    ['output without its call', { input: [OUTPUT] }, 'input[0].call_id'],
    ['a call without its output', { input: [CALL] }, 'input'],
    ['nothing', { input: [] }, 'input'],
    ['an unknown part', { input: [{ role: 'user', content: [{ type: 'smell' }] }] }, 'input[0].content[0].type'],
    ['an unknown role', { input: [{ role: 'king', content: 'x' }] }, 'input[0].role'],
  ])('faults %s', (_name, body, param) => {
    expect(parse(body)).toMatchObject({ ok: false, error: { code: 'invalid_value', param } });
  });

  it.each<[readonly object[], readonly string[]]>([
    [[{ type: 'web_search_call', id: 'ws_1', status: 'completed' }], ['refused input[1]']],
    [[{ id: 'msg_1' }], ['refused input[1]']],
    [[{ ...CALL, arguments: 'x' }, OUTPUT], ['refused input[1].arguments']],
    [[{ ...CALL, namespace: 'crm' }, OUTPUT], ['refused input[1].namespace']],
    [[{ role: 'user', content: [{ type: 'input_file', file_id: 'f' }] }], ['refused input[1].content[0].file_id']],
    [[{ role: 'user', content: [{ type: 'input_image', detail: 'auto', file_id: 'f' }] }], ['refused input[1].content[0].file_id']],
    [[{ role: 'user', content: 'x', mood: 'good' }], ['dropped input[1].mood']],
  ])('tells of what only OpenAI has: %j', (items, expected) => {
    expect(lost({ input: [{ role: 'user', content: 'x' }, ...items] })).toEqual(expected);
  });
});

describe('parameters', () => {
  it('are all read', () => {
    const { chat, losses } = read({
      stream: true,
      temperature: 0.5,
      top_p: 0.9,
      top_logprobs: 2,
      max_output_tokens: 100,
      parallel_tool_calls: true,
      reasoning: { effort: 'high', summary: 'auto' },
      text: { format: { type: 'json_schema', name: 'n', schema: { type: 'object' }, strict: true } },
      include: ['reasoning.encrypted_content', 'message.output_text.logprobs'],
      metadata: { a: 'b' },
      service_tier: 'flex',
      safety_identifier: 'u',
      store: false,
      truncation: 'disabled',
      tools: [{ type: 'function', name: 'f', description: null, parameters: null, strict: null }],
      tool_choice: { type: 'function', name: 'f' },
    });
    expect(losses).toEqual([]);
    expect(chat).toMatchObject({
      stream: true,
      wantsStreamUsage: true,
      sampling: { temperature: 0.5, topP: 0.9, logprobs: true, topLogprobs: 2 },
      maxOutputTokens: 100,
      parallelToolCalls: true,
      reasoning: { effort: 'high', visible: true },
      format: { kind: 'json_schema', name: 'n', schema: { type: 'object' }, strict: true },
      metadata: { a: 'b' },
      tier: 'flex',
      user: 'u',
      tools: [{ name: 'f', description: undefined, parameters: undefined, strict: undefined }],
      toolChoice: { kind: 'tool', name: 'f' },
      choices: 1,
    });
  });

  it.each<[object, readonly string[]]>([
    [{ previous_response_id: 'resp_1' }, ['refused previous_response_id']],
    [{ conversation: 'conv_1' }, ['refused conversation']],
    [{ prompt: { id: 'p' } }, ['refused prompt']],
    [{ background: true, store: true }, ['refused background', 'refused store']],
    [{ truncation: 'auto' }, ['dropped truncation']],
    [{ include: ['web_search_call.results'] }, ['dropped include']],
    [{ text: { verbosity: 'low' } }, ['dropped text.verbosity']],
    [{ reasoning: { effort: 'low', context: 'all_turns' } }, ['dropped reasoning.context']],
    [{ max_tool_calls: 3 }, ['dropped max_tool_calls']],
    [{ tools: [{ type: 'web_search' }] }, ['refused tools[0]']],
    [{ tools: [{ type: 'function', name: 'f', parameters: {}, strict: true, defer_loading: true }] }, ['dropped tools[0].defer_loading']],
    [{ tool_choice: { type: 'web_search_preview' } }, ['refused tool_choice']],
    [{ tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'mcp', server_label: 'x' }] } }, ['refused tool_choice.tools[0]']],
  ])('%j are lost', (body, expected) => {
    expect(lost(body)).toEqual(expected);
  });

  it('names the tool that it refuses, but no words of the caller', () => {
    expect(read({ tools: [{ type: 'web_search' }] }).losses[0]?.message).toContain('"web_search"');
    expect(read({ tools: [{ type: 'my secret plan' }] }).losses[0]?.message).not.toContain('secret');
  });

  it('chooses among some of the tools', () => {
    const tools = ['a', 'b'].map((name) => ({ type: 'function', name, parameters: null, strict: null }));
    const choose = (mode: string): NeutralChat => read({ tools, tool_choice: { type: 'allowed_tools', mode, tools: [{ type: 'function', name: 'b' }] } }).chat;
    expect([choose('required').toolChoice, choose('auto').toolChoice]).toEqual([{ kind: 'required', names: ['b'] }, { kind: 'auto' }]);
    expect([choose('required').tools.length, choose('auto').tools.length]).toEqual([2, 1]);
  });
});
