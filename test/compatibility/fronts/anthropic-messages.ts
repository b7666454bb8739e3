import type { ContentBlockParam, MessageCreateParamsBase, MessageParam, Tool } from '@anthropic-ai/sdk/resources/messages/messages';
import { anthropic } from '../../../src/core/dialects/index.ts';
import type { Front, Probe } from '../probe.ts';
import { CACHE_HINT, DEFAULT, PDF_BYTES, PNG, SCHEMA } from '../material.ts';

/** With fields of earlier versions, which clients still send. */
type Body = MessageCreateParamsBase & {
  readonly temperature?: number;
  readonly top_p?: number;
  readonly top_k?: number;
  readonly output_format?: object;
  readonly mcp_servers?: readonly object[];
};

const tool = (name: string, more: Partial<Tool> = {}): Tool => ({
  name,
  description: 'Tells the weather.',
  input_schema: { ...SCHEMA, required: ['city'] },
  ...more,
});
const TOOLS = { tools: [tool('weather'), tool('tide')] };
const QUESTION: MessageParam = { role: 'user', content: 'How is the weather in Ulm?' };
const CALL = { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Ulm' } } as const;
const RESULT = { type: 'tool_result', tool_use_id: 'toolu_1', content: 'Rain.' } as const;
const asked = (...messages: readonly MessageParam[]): Partial<Body> => ({ messages: [QUESTION, ...messages] });
const said = (...content: readonly ContentBlockParam[]): Partial<Body> => ({ messages: [{ role: 'user', content: [...content] }] });
const answered = (...content: readonly ContentBlockParam[]): Partial<Body> => asked({ role: 'assistant', content: [...content] }, QUESTION);
const TEXT = { type: 'text', text: 'What is this?' } as const;
const BARE = said(TEXT);
const PDF_BLOCK = { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: PDF_BYTES } } as const;

const PROBES: readonly Probe<Body>[] = [
  { name: '`max_tokens`', with: { max_tokens: 500 } },
  { name: '`max_tokens`: 0 (fills the cache)', with: { max_tokens: 0 } },
  { name: '`stream`', with: { stream: true } },
  { name: '`system`: a string', with: { system: 'Be brief.' } },
  {
    name: '`system`: blocks',
    with: {
      system: [
        { type: 'text', text: 'Be brief.' },
        { type: 'text', text: 'Be kind.' },
      ],
    },
  },
  {
    name: 'a system message between others',
    from: asked({ role: 'assistant', content: 'Fine.' }, QUESTION),
    with: asked({ role: 'assistant', content: 'Fine.' }, { role: 'system', content: 'Be brief.' }, QUESTION),
  },
  { name: '`temperature`', with: { temperature: 0.5 } },
  { name: '`top_p`', with: { top_p: 0.9 } },
  { name: '`top_k`', with: { top_k: 5 } },
  { name: '`stop_sequences`', with: { stop_sequences: ['END', 'STOP'] } },
  { name: '`stop_sequences`: six', with: { stop_sequences: ['A', 'B', 'C', 'D', 'E', 'F'] } },
  { name: '`metadata.user_id`', with: { metadata: { user_id: 'u-1' } } },
  { name: '`service_tier`: auto', with: { service_tier: 'auto' }, silent: DEFAULT },
  { name: '`service_tier`: standard_only', with: { service_tier: 'standard_only' } },
  { name: '`speed`: fast', with: { speed: 'fast' } },
  { name: '`inference_geo`', with: { inference_geo: 'us' } },
  { name: '`container`', with: { container: 'container_1' } },
  { name: '`mcp_servers`', with: { mcp_servers: [{ type: 'url', name: 'a', url: 'https://example.com/mcp' }] } },
  { name: '`thinking`: enabled, a small budget', with: { thinking: { type: 'enabled', budget_tokens: 1024 }, max_tokens: 4096 }, from: { max_tokens: 4096 } },
  { name: '`thinking`: enabled, a large budget', with: { thinking: { type: 'enabled', budget_tokens: 16_000 } }, from: { max_tokens: 32_000 } },
  { name: '`thinking`: adaptive', with: { thinking: { type: 'adaptive' } }, silent: DEFAULT },
  { name: '`thinking`: disabled', with: { thinking: { type: 'disabled' } } },
  { name: '`output_config.effort`: low', with: { output_config: { effort: 'low' } } },
  { name: '`output_config.effort`: max', with: { output_config: { effort: 'max' } } },
  { name: '`output_config.format`: json_schema', with: { output_config: { format: { type: 'json_schema', schema: { ...SCHEMA } } } } },
  { name: '`output_format` (earlier)', with: { output_format: { type: 'json_schema', schema: SCHEMA } } },
  { name: '`tools`', with: { tools: [tool('weather')] } },
  { name: '`strict` of a tool', from: { tools: [tool('weather')] }, with: { tools: [tool('weather', { strict: true })] } },
  {
    name: '`cache_control` of a tool',
    from: { tools: [tool('weather')] },
    with: { tools: [tool('weather', { cache_control: { type: 'ephemeral' } })] },
    silent: CACHE_HINT,
  },
  { name: '`tools`: web_search', with: { tools: [{ type: 'web_search_20250305', name: 'web_search' }] } },
  { name: '`tools`: code_execution', with: { tools: [{ type: 'code_execution_20250825', name: 'code_execution' }] } },
  { name: '`tools`: bash', with: { tools: [{ type: 'bash_20250124', name: 'bash' }] } },
  { name: '`tool_choice`: auto', from: TOOLS, with: { tool_choice: { type: 'auto' } } },
  { name: '`tool_choice`: any', from: TOOLS, with: { tool_choice: { type: 'any' } } },
  { name: '`tool_choice`: none', from: TOOLS, with: { tool_choice: { type: 'none' } } },
  { name: '`tool_choice`: a tool', from: TOOLS, with: { tool_choice: { type: 'tool', name: 'tide' } } },
  {
    name: '`tool_choice.disable_parallel_tool_use`',
    from: { ...TOOLS, tool_choice: { type: 'any' } },
    with: { tool_choice: { type: 'any', disable_parallel_tool_use: true } },
  },
  { name: '`cache_control` of the request', with: { cache_control: { type: 'ephemeral' } }, silent: CACHE_HINT },
  { name: '`cache_control` of a block', from: BARE, with: said({ ...TEXT, cache_control: { type: 'ephemeral', ttl: '1h' } }), silent: CACHE_HINT },
  { name: 'an earlier answer', from: asked(QUESTION), with: asked({ role: 'assistant', content: 'Fine.' }, QUESTION) },
  { name: 'the beginning of the answer (a last assistant message)', from: asked(), with: asked({ role: 'assistant', content: 'It is' }) },
  { name: 'a call and its result', from: { ...TOOLS, ...asked() }, with: asked({ role: 'assistant', content: [CALL] }, { role: 'user', content: [RESULT] }) },
  {
    name: 'two calls at once, and their results',
    from: { ...TOOLS, ...asked() },
    with: asked({ role: 'assistant', content: [CALL, { ...CALL, id: 'toolu_2' }] }, { role: 'user', content: [RESULT, { ...RESULT, tool_use_id: 'toolu_2' }] }),
  },
  {
    name: '`is_error` of a result',
    from: { ...TOOLS, ...asked({ role: 'assistant', content: [CALL] }, { role: 'user', content: [RESULT] }) },
    with: asked({ role: 'assistant', content: [CALL] }, { role: 'user', content: [{ ...RESULT, is_error: true }] }),
  },
  {
    name: 'an image in a result',
    from: { ...TOOLS, ...asked({ role: 'assistant', content: [CALL] }, { role: 'user', content: [RESULT] }) },
    with: asked(
      { role: 'assistant', content: [CALL] },
      { role: 'user', content: [{ ...RESULT, content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } }] }] },
    ),
  },
  { name: 'a result without its call', from: asked(), with: { messages: [{ role: 'user', content: [RESULT] }] } },
  { name: 'earlier thinking, sealed', from: answered(TEXT), with: answered({ type: 'thinking', thinking: 'Hm.', signature: 'c2VhbA==' }, TEXT) },
  { name: 'earlier thinking, hidden', from: answered(TEXT), with: answered({ type: 'redacted_thinking', data: 'c2VhbA==' }, TEXT) },
  {
    name: 'an earlier web search',
    from: answered(TEXT),
    with: answered(
      { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'q' } },
      { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] },
      TEXT,
    ),
  },
  { name: 'an image by URL', from: BARE, with: said(TEXT, { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } }) },
  { name: 'an image in base64', from: BARE, with: said(TEXT, { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } }) },
  { name: 'a PDF in base64', from: BARE, with: said(TEXT, PDF_BLOCK) },
  { name: 'a PDF by URL', from: BARE, with: said(TEXT, { type: 'document', source: { type: 'url', url: 'https://example.com/a.pdf' } }) },
  { name: 'a document of text', from: BARE, with: said(TEXT, { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'A text.' } }) },
  { name: "a document's `title`", from: said(TEXT, PDF_BLOCK), with: said(TEXT, { ...PDF_BLOCK, title: 'A title' }) },
  { name: "a document's `context`", from: said(TEXT, PDF_BLOCK), with: said(TEXT, { ...PDF_BLOCK, context: 'Where it is from.' }) },
  { name: "a document's `citations`", from: said(TEXT, PDF_BLOCK), with: said(TEXT, { ...PDF_BLOCK, citations: { enabled: true } }) },
  {
    name: 'a search result',
    from: BARE,
    with: said(TEXT, { type: 'search_result', source: 'https://example.com', title: 'A title', content: [{ type: 'text', text: 'A text.' }] }),
  },
  { name: 'a file by id', from: BARE, with: said(TEXT, { type: 'document', source: { type: 'file', file_id: 'file_1' } }) },
  { name: 'a file for a container, by id', from: BARE, with: said(TEXT, { type: 'container_upload', file_id: 'file_1' }) },
];

export const anthropicMessages: Front = {
  name: 'Anthropic Messages',
  dialect: anthropic,
  path: '/v1/messages',
  base: { model: 'm', max_tokens: 1000, messages: [QUESTION] },
  probes: PROBES,
};
