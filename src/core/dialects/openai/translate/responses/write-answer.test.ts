import { describe, expect, it } from 'vitest';
import type { NeutralChat, NeutralChoice } from '../../../neutral.ts';
import { openaiTranslation } from '../index.ts';

const RESPONSES = { operation: 'responses', path: '/responses', body: 'json' } as const;
const REQUEST: NeutralChat = {
  kind: 'chat',
  model: 'm',
  stream: false,
  wantsStreamUsage: true,
  messages: [{ role: 'user', parts: [{ kind: 'text', text: 'Hello' }] }],
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

const write = (choice: Omit<NeutralChoice, 'index'>): Readonly<Record<string, unknown>> => {
  const bytes = openaiTranslation.writeAnswer(
    { kind: 'chat', id: '', model: 'm', created: undefined, choices: [{ index: 0, ...choice }], usage: undefined },
    { endpoint: RESPONSES, request: REQUEST, requestId: 'r1', created: 9 },
  );
  return JSON.parse(new TextDecoder().decode(bytes)) as Readonly<Record<string, unknown>>;
};

describe('a response', () => {
  it('repeats what the API would have taken where nothing was asked for', () => {
    expect(write({ parts: [], finish: 'stop' })).toMatchObject({
      id: 'resp-r1',
      created_at: 9,
      status: 'completed',
      output: [],
      instructions: null,
      max_output_tokens: null,
      parallel_tool_calls: true,
      reasoning: { effort: null, summary: null },
      safety_identifier: null,
      service_tier: 'auto',
      temperature: null,
      text: { format: { type: 'text' } },
      tool_choice: 'auto',
      tools: [],
      top_logprobs: 0,
      top_p: null,
      usage: null,
      metadata: {},
    });
  });

  it('has items in the order of the answer, with seals', () => {
    const { output } = write({
      parts: [
        { kind: 'thinking', text: 'Hm.', signature: { origin: 'openai', data: 'gAAA' } },
        { kind: 'thinking', text: '', redacted: { origin: 'anthropic', data: 'eA==' } },
        { kind: 'text', text: 'a' },
        { kind: 'text', text: 'b' },
        { kind: 'tool_call', id: 'c', name: 'f', argumentsJson: '{}', signature: { origin: 'gemini', data: 's' } },
        { kind: 'refusal', text: 'no' },
      ],
      finish: 'tool_calls',
      logprobs: [{ token: 'a', logprob: -1, top: [] }],
    });
    expect(output).toEqual([
      { id: 'rs_resp-r1_0', type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm.' }], encrypted_content: 'gAAA' },
      { id: 'rs_resp-r1_1', type: 'reasoning', summary: [], encrypted_content: 'airmesh:anthropic:redacted:eA==' },
      {
        id: 'msg_resp-r1_2',
        type: 'message',
        status: 'completed',
        role: 'assistant',
        content: [
          { type: 'output_text', text: 'a', annotations: [], logprobs: [{ token: 'a', logprob: -1, bytes: [97], top_logprobs: [] }] },
          { type: 'output_text', text: 'b', annotations: [], logprobs: [] },
        ],
      },
      {
        id: 'fc_resp-r1_3',
        type: 'function_call',
        status: 'completed',
        call_id: 'c',
        name: 'f',
        arguments: '{}',
        extra_content: { google: { thought_signature: 's' } },
      },
      { id: 'msg_resp-r1_4', type: 'message', status: 'completed', role: 'assistant', content: [{ type: 'refusal', refusal: 'no' }] },
    ]);
  });

  it('gives seals back to where they came from', () => {
    const parts: NeutralChoice['parts'] = [
      { kind: 'thinking', text: 'Hm.', signature: { origin: 'anthropic', data: 'c2:ln' } },
      { kind: 'thinking', text: '', signature: { origin: 'anthropic', data: 'of what is not shown' } },
      { kind: 'thinking', text: '', redacted: { origin: 'openai', data: 'gAAA' } },
      { kind: 'tool_call', id: 'c', name: 'f', argumentsJson: '{}', signature: { origin: 'gemini', data: 's' } },
    ];
    const { output } = write({ parts, finish: 'tool_calls' });
    const input = [{ role: 'user', content: 'x' }, ...(output as object[]), { type: 'function_call_output', call_id: 'c', output: 'ok' }];
    const read = openaiTranslation.parseRequest(RESPONSES, new TextEncoder().encode(JSON.stringify({ model: 'm', input })));
    expect(read).toMatchObject({ ok: true, value: { losses: [], request: { messages: [{ role: 'user' }, { role: 'assistant', parts }, { role: 'user' }] } } });
  });
});
