import { describe, expect, it } from 'vitest';
import type { NeutralChat } from '../../../neutral.ts';
import { openaiTranslation } from '../index.ts';

const chat: NeutralChat = {
  kind: 'chat',
  model: 'm',
  stream: false,
  wantsStreamUsage: false,
  messages: [
    { role: 'system', parts: [{ kind: 'text', text: 'Be brief.' }] },
    {
      role: 'user',
      parts: [
        { kind: 'text', text: 'Hello' },
        { kind: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' } },
        { kind: 'document', source: { kind: 'url', url: 'https://example.com/a.pdf' } },
      ],
    },
    {
      role: 'assistant',
      parts: [
        { kind: 'thinking', text: 'Hm.' },
        { kind: 'text', text: 'Let me see.' },
        { kind: 'tool_call', id: 'c', name: 'look', argumentsJson: '{}' },
      ],
    },
    {
      role: 'user',
      parts: [
        { kind: 'tool_result', callId: 'c', name: 'look', content: [{ kind: 'text', text: 'ok' }], isError: false },
        { kind: 'text', text: 'And?' },
      ],
    },
  ],
  tools: [{ name: 'look', description: undefined, parameters: undefined, strict: undefined }],
  toolChoice: { kind: 'required', names: ['look'] },
  parallelToolCalls: undefined,
  format: { kind: 'json_object' },
  sampling: { temperature: 1 },
  reasoning: { budgetTokens: 4000 },
  maxOutputTokens: 5,
  choices: 1,
  user: 'u',
  metadata: undefined,
  tier: undefined,
};

describe('a count of tokens', () => {
  it('asks for what the same chat would be charged for as a response', () => {
    const written = openaiTranslation.writeRequest({ kind: 'count_tokens', chat });
    expect(written?.endpoint.path).toBe('/responses/input_tokens');
    expect(written?.losses.map(({ treatment, param }) => `${treatment} ${param}`)).toEqual(['dropped thinking']);
    expect(JSON.parse(new TextDecoder().decode(written?.body))).toEqual({
      model: 'm',
      input: [
        { type: 'message', role: 'system', content: [{ type: 'input_text', text: 'Be brief.' }] },
        {
          type: 'message',
          role: 'user',
          content: [
            { type: 'input_text', text: 'Hello' },
            { type: 'input_image', detail: 'auto', image_url: 'data:image/png;base64,AAAA' },
            { type: 'input_file', file_url: 'https://example.com/a.pdf' },
          ],
        },
        { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Let me see.' }] },
        { type: 'function_call', call_id: 'c', name: 'look', arguments: '{}' },
        { type: 'function_call_output', call_id: 'c', output: [{ type: 'input_text', text: 'ok' }] },
        { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'And?' }] },
      ],
      tools: [{ type: 'function', name: 'look', parameters: null, strict: null }],
      tool_choice: { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'look' }] },
      text: { format: { type: 'json_object' } },
      reasoning: { effort: 'medium' },
    });
  });

  it('refuses what is not counted', () => {
    const messages = [{ role: 'user', parts: [{ kind: 'audio', source: { kind: 'base64', mediaType: 'audio/wav', data: 'A' } }] }] as const;
    expect(openaiTranslation.writeRequest({ kind: 'count_tokens', chat: { ...chat, messages } })?.losses).toMatchObject([
      { treatment: 'refused', param: 'audio' },
    ]);
  });

  it('is read and written', () => {
    const endpoint = { operation: 'count_tokens', path: '/responses/input_tokens', body: 'json' } as const;
    const body = { object: 'response.input_tokens', input_tokens: 42 };
    const answer = openaiTranslation.parseAnswer(endpoint, new TextEncoder().encode(JSON.stringify(body)));
    expect(answer).toEqual({ ok: true, value: { kind: 'count_tokens', inputTokens: 42 } });
    const bytes = openaiTranslation.writeAnswer(
      { kind: 'count_tokens', inputTokens: 42 },
      { endpoint, request: { kind: 'count_tokens', chat }, requestId: 'r', created: 0 },
    );
    expect(JSON.parse(new TextDecoder().decode(bytes))).toEqual(body);
    expect(openaiTranslation.parseAnswer(endpoint, new TextEncoder().encode('{"input_tokens":-1}')).ok).toBe(false);
  });
});
