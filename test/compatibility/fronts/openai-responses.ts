import type { FunctionTool, ResponseCreateParamsBase, ResponseInputContent, ResponseInputItem } from 'openai/resources/responses/responses';
import { openai } from '../../../src/core/dialects/index.ts';
import type { Front, Probe } from '../probe.ts';
import { DEFAULT, ENFORCED, NOTHING_STORED, PDF, PIXEL, SCHEMA, UNASKED } from '../material.ts';

type Body = ResponseCreateParamsBase;

const tool = (name: string, strict: boolean | null = null): FunctionTool => ({
  type: 'function',
  name,
  description: 'Tells the weather.',
  parameters: SCHEMA,
  strict,
});
const TOOLS = { tools: [tool('weather'), tool('tide')] };
const QUESTION = { role: 'user', content: 'How is the weather in Ulm?' } as const;
const CALL = { type: 'function_call', call_id: 'call_1', name: 'weather', arguments: '{"city":"Ulm"}' } as const;
const RESULT = { type: 'function_call_output', call_id: 'call_1', output: 'Rain.' } as const;
const asked = (...items: readonly ResponseInputItem[]): Partial<Body> => ({ input: [QUESTION, ...items] });
const said = (...content: readonly ResponseInputContent[]): Partial<Body> => ({ input: [{ role: 'user', content: [...content] }] });
const TEXT = { type: 'input_text', text: 'What is this?' } as const;
const BARE = said(TEXT);

const PROBES: readonly Probe<Body>[] = [
  { name: '`input`: a string', from: asked(), with: { input: 'And in Cologne?' } },
  { name: '`instructions`', with: { instructions: 'Be brief.' } },
  { name: '`stream`', with: { stream: true } },
  { name: '`max_output_tokens`', with: { max_output_tokens: 500 } },
  { name: '`max_tool_calls`', with: { max_tool_calls: 3 } },
  { name: '`temperature`', with: { temperature: 0.5 } },
  { name: '`top_p`', with: { top_p: 0.9 } },
  { name: '`top_logprobs`', with: { top_logprobs: 3 } },
  { name: '`include`: log probabilities', with: { include: ['message.output_text.logprobs'] } },
  { name: '`include`: encrypted reasoning', with: { include: ['reasoning.encrypted_content'] }, silent: 'reasoning carries its seal in any case' },
  { name: '`include`: sources of a web search', with: { include: ['web_search_call.action.sources'] } },
  { name: '`user`', with: { user: 'u-1' } },
  { name: '`safety_identifier`', with: { safety_identifier: 'u-1' } },
  { name: '`metadata`', with: { metadata: { team: 'search' } } },
  { name: '`service_tier`: auto', with: { service_tier: 'auto' }, silent: DEFAULT },
  { name: '`service_tier`: flex', with: { service_tier: 'flex' } },
  { name: '`service_tier`: priority', with: { service_tier: 'priority' } },
  { name: '`store`: false', with: { store: false }, silent: NOTHING_STORED },
  { name: '`store`: true', with: { store: true } },
  { name: '`previous_response_id`', with: { previous_response_id: 'resp_1' } },
  { name: '`conversation`', with: { conversation: 'conv_1' } },
  { name: '`prompt` (a stored one)', with: { prompt: { id: 'pmpt_1' } } },
  { name: '`background`', with: { background: true } },
  { name: '`truncation`: auto', with: { truncation: 'auto' } },
  { name: '`truncation`: disabled', with: { truncation: 'disabled' }, silent: DEFAULT },
  { name: '`context_management`', with: { context_management: [{ type: 'compaction' }] } },
  { name: '`prompt_cache_key`', with: { prompt_cache_key: 'k' } },
  { name: '`reasoning.effort`: none', with: { reasoning: { effort: 'none' } }, silent: UNASKED },
  { name: '`reasoning.effort`: low', with: { reasoning: { effort: 'low' } } },
  { name: '`reasoning.effort`: high', with: { reasoning: { effort: 'high' } } },
  {
    name: '`reasoning.summary`',
    from: { reasoning: { effort: 'high' } },
    with: { reasoning: { effort: 'high', summary: 'auto' } },
    silent: 'what the provider shows of its thinking comes as the summary in any case',
  },
  { name: '`text.format`: json_object', with: { text: { format: { type: 'json_object' } } } },
  { name: '`text.format`: json_schema', with: { text: { format: { type: 'json_schema', name: 'place', schema: { ...SCHEMA } } } } },
  {
    name: '`strict` of a json_schema',
    from: { text: { format: { type: 'json_schema', name: 'place', schema: { ...SCHEMA } } } },
    with: { text: { format: { type: 'json_schema', name: 'place', schema: { ...SCHEMA }, strict: true } } },
    silent: ENFORCED,
  },
  { name: '`text.verbosity`', with: { text: { verbosity: 'low' } } },
  { name: '`tools`: functions', with: { tools: [tool('weather')] } },
  { name: '`strict` of a function', from: { tools: [tool('weather')] }, with: { tools: [tool('weather', true)] } },
  { name: '`tools`: custom', with: { tools: [{ type: 'custom', name: 'shell' }] } },
  { name: '`tools`: web_search', with: { tools: [{ type: 'web_search' }] } },
  { name: '`tools`: file_search', with: { tools: [{ type: 'file_search', vector_store_ids: ['vs_1'] }] } },
  { name: '`tools`: code_interpreter', with: { tools: [{ type: 'code_interpreter', container: { type: 'auto' } }] } },
  { name: '`tools`: image_generation', with: { tools: [{ type: 'image_generation' }] } },
  { name: '`tools`: mcp', with: { tools: [{ type: 'mcp', server_label: 'a', server_url: 'https://example.com/mcp' }] } },
  { name: '`tool_choice`: none', from: TOOLS, with: { tool_choice: 'none' } },
  { name: '`tool_choice`: required', from: TOOLS, with: { tool_choice: 'required' } },
  { name: '`tool_choice`: a function', from: TOOLS, with: { tool_choice: { type: 'function', name: 'tide' } } },
  {
    name: '`tool_choice`: allowed_tools, required',
    from: TOOLS,
    with: { tool_choice: { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'tide' }] } },
  },
  { name: '`parallel_tool_calls`: false', from: TOOLS, with: { parallel_tool_calls: false } },
  { name: 'a developer message', from: asked(), with: { input: [{ role: 'developer', content: 'Be brief.' }, QUESTION] } },
  { name: 'an earlier answer', from: asked(QUESTION), with: asked({ role: 'assistant', content: 'Fine.' }, QUESTION) },
  { name: 'a call and its result', from: { ...TOOLS, ...asked() }, with: asked(CALL, RESULT) },
  { name: 'a result without its call', from: asked(), with: asked(RESULT) },
  {
    name: 'an image in the result of a call',
    from: { ...TOOLS, ...asked(CALL, RESULT) },
    with: asked(CALL, { ...RESULT, output: [{ type: 'input_image' as const, image_url: PIXEL }] }),
  },
  {
    name: 'earlier reasoning of OpenAI, sealed',
    from: asked(QUESTION),
    with: asked({ type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAA' }, QUESTION),
  },
  {
    name: 'an earlier web search',
    from: asked(QUESTION),
    with: asked({ type: 'web_search_call', id: 'ws_1', status: 'completed', action: { type: 'search', query: 'q' } } as ResponseInputItem, QUESTION),
  },
  { name: 'an item by its id', from: asked(), with: asked({ type: 'item_reference', id: 'msg_1' }) },
  { name: 'an image by URL', from: BARE, with: said(TEXT, { type: 'input_image', image_url: 'https://example.com/a.png', detail: 'auto' }) },
  { name: 'an image in base64', from: BARE, with: said(TEXT, { type: 'input_image', image_url: PIXEL, detail: 'auto' }) },
  { name: 'an image by file id', from: BARE, with: said(TEXT, { type: 'input_image', file_id: 'file-1', detail: 'auto' }) },
  { name: 'a PDF in base64', from: BARE, with: said(TEXT, { type: 'input_file', filename: 'a.pdf', file_data: PDF }) },
  { name: 'a PDF by URL', from: BARE, with: said(TEXT, { type: 'input_file', file_url: 'https://example.com/a.pdf' }) },
];

export const openaiResponses: Front = {
  name: 'OpenAI responses',
  dialect: openai,
  path: '/v1/responses',
  base: { model: 'm', store: false, input: [QUESTION] },
  probes: PROBES,
};
