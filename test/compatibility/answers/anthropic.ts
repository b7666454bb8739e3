import type { Message, TextBlock, Usage } from '@anthropic-ai/sdk/resources/messages/messages';
import type { Answers, Probe } from '../probe.ts';
import { CALLS_UNASKED, IN_THE_BOOKS, NO_CITATIONS, NO_PLACE } from '../material.ts';

const TEXT: TextBlock = { type: 'text', text: 'It is raining.', citations: null };
const USAGE: Usage = {
  input_tokens: 100,
  output_tokens: 20,
  cache_creation: null,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
  inference_geo: null,
  output_tokens_details: null,
  server_tool_use: null,
  service_tier: 'standard',
  speed: 'standard',
};
const CALL = { type: 'tool_use', id: 'toolu_1', name: 'weather', input: { city: 'Ulm' }, caller: { type: 'direct' } } as const;
const BASE: Message = {
  id: 'msg_1',
  type: 'message',
  role: 'assistant',
  model: 'm',
  content: [TEXT],
  container: null,
  diagnostics: null,
  stop_details: null,
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: USAGE,
};
const said = (...content: Message['content']): Partial<Message> => ({ content });
const used = (usage: Partial<Usage>): Partial<Message> => ({ usage: { ...USAGE, ...usage } });

const PROBES: readonly Probe<Message>[] = [
  { name: '`stop_reason`: max_tokens', with: { stop_reason: 'max_tokens' } },
  {
    name: '`stop_reason`: stop_sequence',
    with: { stop_reason: 'stop_sequence', stop_sequence: 'END' },
    silent: 'an end like any other there; no field names the sequence',
  },
  { name: '`stop_reason`: pause_turn', with: { stop_reason: 'pause_turn' }, silent: 'it comes of tools of the provider, which other APIs cannot ask for' },
  { name: '`stop_reason`: refusal', with: { stop_reason: 'refusal' } },
  { name: '`stop_reason`: model_context_window_exceeded', with: { stop_reason: 'model_context_window_exceeded' as Message['stop_reason'] } },
  {
    name: 'a refusal explained (`stop_details`)',
    with: { stop_reason: 'refusal', stop_details: { type: 'refusal', category: null, explanation: 'This is not allowed.' } as Message['stop_details'] },
  },
  { name: 'a tool call', with: { ...said(CALL), stop_reason: 'tool_use' } },
  { name: 'two tool calls beside text', with: { ...said(TEXT, CALL, { ...CALL, id: 'toolu_2' }), stop_reason: 'tool_use' }, silent: CALLS_UNASKED },
  { name: 'thinking', with: said({ type: 'thinking', thinking: 'Hm.', signature: 'c2VhbA==' }, TEXT), silent: NO_PLACE },
  { name: 'hidden thinking (`redacted_thinking`)', with: said({ type: 'redacted_thinking', data: 'c2VhbA==' }, TEXT), silent: NO_PLACE },
  {
    name: 'citations',
    with: said({
      ...TEXT,
      citations: [{ type: 'web_search_result_location', cited_text: 'rain', encrypted_index: 'e', title: 'A title', url: 'https://example.com' }],
    }),
    silent: NO_CITATIONS,
  },
  {
    name: 'a web search of Anthropic’s',
    with: said({ type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'q' }, caller: { type: 'direct' } }, TEXT),
    silent: 'the text tells what came of it; other APIs cannot ask for it',
  },
  { name: 'usage: cache reads', with: used({ cache_read_input_tokens: 40 }) },
  {
    name: 'usage: cache writes',
    with: used({ cache_creation_input_tokens: 40, cache_creation: { ephemeral_1h_input_tokens: 10, ephemeral_5m_input_tokens: 30 } }),
  },
  { name: 'usage: thinking', with: used({ output_tokens_details: { thinking_tokens: 10 } }) },
  { name: 'usage: web searches', with: used({ server_tool_use: { web_search_requests: 2, web_fetch_requests: 0 } }), silent: NO_PLACE },
  { name: 'usage: `service_tier`', with: used({ service_tier: 'priority' }), silent: IN_THE_BOOKS },
];

export const anthropicAnswers: Answers = { back: 'anthropic', base: BASE, probes: PROBES };
