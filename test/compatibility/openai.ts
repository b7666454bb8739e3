import type { ChatCompletionCreateParams } from 'openai/resources/chat/completions';
import type { ResponseCreateParams } from 'openai/resources/responses/responses';
import { IMAGE_URL, PARAMETERS, PDF, PDF_URL, PNG, SCHEMA, WAV } from './probe.ts';
import type { ProbedApi } from './probe.ts';

type Chat = Partial<ChatCompletionCreateParams>;
type Response = Partial<ResponseCreateParams>;

const chat = (subject: string, change: Chat, isDefault = false) => ({ subject, change: change as Readonly<Record<string, unknown>>, isDefault });
const response = (subject: string, change: Response, isDefault = false) => ({ subject, change: change as Readonly<Record<string, unknown>>, isDefault });

const TOOLS: NonNullable<Chat['tools']> = ['look', 'ask'].map((name) => ({ type: 'function', function: { name, description: 'A tool.', parameters: PARAMETERS } }));
const user = (...content: Extract<Extract<NonNullable<Chat['messages']>[number], { role: 'user' }>['content'], readonly unknown[]>): Chat => ({ messages: [{ role: 'user', content }] });

export const OPENAI_CHAT: ProbedApi = {
  name: 'OpenAI chat completions',
  path: '/v1/chat/completions',
  plain: { model: 'm', messages: [{ role: 'user', content: 'hi' }] } satisfies ChatCompletionCreateParams,
  probes: [
    chat('stream', { stream: true }),
    chat('stream_options.include_usage', { stream: true, stream_options: { include_usage: true } }),
    chat('system message', { messages: [{ role: 'system', content: 'Be brief.' }, { role: 'user', content: 'hi' }] }),
    chat('developer message', { messages: [{ role: 'developer', content: 'Be brief.' }, { role: 'user', content: 'hi' }] }),
    chat('system message in the middle', { messages: [{ role: 'user', content: 'hi' }, { role: 'assistant', content: 'ho' }, { role: 'system', content: 'Be brief.' }, { role: 'user', content: 'hi' }] }),
    chat('several turns', { messages: [{ role: 'user', content: 'hi' }, { role: 'assistant', content: 'ho' }, { role: 'user', content: 'hi' }] }),
    chat('an answer begun (assistant last)', { messages: [{ role: 'user', content: 'hi' }, { role: 'assistant', content: 'The answer is' }] }),
    chat('name of a message', { messages: [{ role: 'user', name: 'ann', content: 'hi' }] }),
    chat('refusal in an earlier answer', { messages: [{ role: 'user', content: 'hi' }, { role: 'assistant', refusal: 'No.' }, { role: 'user', content: 'hi' }] }),
    chat('image, base64', user({ type: 'text', text: 'hi' }, { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } })),
    chat('image, URL', user({ type: 'text', text: 'hi' }, { type: 'image_url', image_url: { url: IMAGE_URL } })),
    chat('image detail', user({ type: 'text', text: 'hi' }, { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}`, detail: 'low' } })),
    chat('PDF', user({ type: 'text', text: 'hi' }, { type: 'file', file: { filename: 'a.pdf', file_data: `data:application/pdf;base64,${PDF}` } })),
    chat('audio', user({ type: 'text', text: 'hi' }, { type: 'input_audio', input_audio: { data: WAV, format: 'wav' } })),
    chat('tools', { tools: TOOLS }),
    chat('tools, strict', { tools: [{ type: 'function', function: { name: 'look', parameters: PARAMETERS, strict: true } }] }),
    chat('tool_choice: auto', { tools: TOOLS, tool_choice: 'auto' }),
    chat('tool_choice: none', { tools: TOOLS, tool_choice: 'none' }),
    chat('tool_choice: required', { tools: TOOLS, tool_choice: 'required' }),
    chat('tool_choice: one function', { tools: TOOLS, tool_choice: { type: 'function', function: { name: 'look' } } }),
    chat('tool_choice: some functions', { tools: TOOLS, tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'look' } }] } } }),
    chat('parallel_tool_calls: false', { tools: TOOLS, parallel_tool_calls: false }),
    chat('calls and results', {
      tools: TOOLS,
      messages: [
        { role: 'user', content: 'hi' },
        { role: 'assistant', tool_calls: [{ id: 'c1', type: 'function', function: { name: 'look', arguments: '{"city":"Oslo"}' } }] },
        { role: 'tool', tool_call_id: 'c1', content: 'snow' },
      ],
    }),
    chat('response_format: json_schema', { response_format: { type: 'json_schema', json_schema: { name: 'answer', strict: true, schema: SCHEMA } } }),
    chat('response_format: json_object', { messages: [{ role: 'user', content: 'hi, as JSON' }], response_format: { type: 'json_object' } }),
    chat('max_completion_tokens', { max_completion_tokens: 100 }),
    chat('max_tokens', { max_tokens: 100 }),
    chat('stop', { stop: ['END'] }),
    chat('temperature', { temperature: 0.5 }),
    chat('temperature above 1', { temperature: 1.5 }),
    chat('top_p', { top_p: 0.5 }),
    chat('seed', { seed: 7 }),
    chat('frequency_penalty', { frequency_penalty: 0.5 }),
    chat('presence_penalty', { presence_penalty: 0.5 }),
    chat('logprobs', { logprobs: true, top_logprobs: 3 }),
    chat('logit_bias', { logit_bias: { '50256': -100 } }),
    chat('n', { n: 2 }),
    chat('reasoning_effort', { reasoning_effort: 'low' }),
    chat('verbosity', { verbosity: 'low' }),
    chat('user', { user: 'ann' }),
    chat('safety_identifier', { safety_identifier: 'ann' }),
    chat('metadata', { metadata: { team: 'a' } }),
    chat('prompt_cache_key', { prompt_cache_key: 'k' }),
    chat('service_tier: flex', { service_tier: 'flex' }),
    chat('service_tier: priority', { service_tier: 'priority' }),
    chat('store: false', { store: false }, true),
    chat('prediction', { prediction: { type: 'content', content: 'x' } }),
    chat('audio out', { modalities: ['text', 'audio'], audio: { format: 'wav', voice: 'alloy' } }),
    chat('web search', { web_search_options: {} }),
  ],
};

const RESPONSE_TOOLS: NonNullable<Response['tools']> = ['look', 'ask'].map((name) => ({ type: 'function', name, description: 'A tool.', parameters: PARAMETERS, strict: false }));

export const OPENAI_RESPONSES: ProbedApi = {
  name: 'OpenAI responses',
  path: '/v1/responses',
  plain: { model: 'm', input: 'hi', store: false } satisfies ResponseCreateParams,
  probes: [
    response('stream', { stream: true }),
    response('instructions', { instructions: 'Be brief.' }),
    response('several turns', { input: [{ role: 'user', content: 'hi' }, { role: 'assistant', content: 'ho' }, { role: 'user', content: 'hi' }] }),
    response('developer message', { input: [{ role: 'developer', content: 'Be brief.' }, { role: 'user', content: 'hi' }] }),
    response('image, base64', { input: [{ role: 'user', content: [{ type: 'input_text', text: 'hi' }, { type: 'input_image', detail: 'auto', image_url: `data:image/png;base64,${PNG}` }] }] }),
    response('image, URL', { input: [{ role: 'user', content: [{ type: 'input_text', text: 'hi' }, { type: 'input_image', detail: 'auto', image_url: IMAGE_URL }] }] }),
    response('PDF', { input: [{ role: 'user', content: [{ type: 'input_text', text: 'hi' }, { type: 'input_file', filename: 'a.pdf', file_data: `data:application/pdf;base64,${PDF}` }] }] }),
    response('PDF, URL', { input: [{ role: 'user', content: [{ type: 'input_text', text: 'hi' }, { type: 'input_file', file_url: PDF_URL }] }] }),
    response('tools', { tools: RESPONSE_TOOLS }),
    response('tool_choice: required', { tools: RESPONSE_TOOLS, tool_choice: 'required' }),
    response('tool_choice: one function', { tools: RESPONSE_TOOLS, tool_choice: { type: 'function', name: 'look' } }),
    response('parallel_tool_calls: false', { tools: RESPONSE_TOOLS, parallel_tool_calls: false }),
    response('calls and outputs', { tools: RESPONSE_TOOLS, input: [{ role: 'user', content: 'hi' }, { type: 'function_call', call_id: 'c1', name: 'look', arguments: '{"city":"Oslo"}' }, { type: 'function_call_output', call_id: 'c1', output: 'snow' }] }),
    response('text.format: json_schema', { text: { format: { type: 'json_schema', name: 'answer', strict: true, schema: SCHEMA } } }),
    response('text.format: json_object', { input: 'hi, as JSON', text: { format: { type: 'json_object' } } }),
    response('text.verbosity', { text: { verbosity: 'low' } }),
    response('max_output_tokens', { max_output_tokens: 100 }),
    response('temperature', { temperature: 0.5 }),
    response('top_p', { top_p: 0.5 }),
    response('top_logprobs', { top_logprobs: 3, include: ['message.output_text.logprobs'] }),
    response('reasoning.effort', { reasoning: { effort: 'low' } }),
    response('reasoning.summary', { reasoning: { effort: 'low', summary: 'auto' } }),
    response('include: reasoning.encrypted_content', { include: ['reasoning.encrypted_content'] }, true),
    response('truncation: auto', { truncation: 'auto' }),
    response('max_tool_calls', { max_tool_calls: 3 }),
    response('metadata', { metadata: { team: 'a' } }),
    response('user', { user: 'ann' }),
    response('service_tier: flex', { service_tier: 'flex' }),
    response('previous_response_id', { previous_response_id: 'resp_1' }),
    response('store: true', { store: true }),
    response('background', { background: true }),
    response('hosted tools', { tools: [{ type: 'web_search' }] }),
  ],
};
