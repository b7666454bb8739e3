import type { ChatCompletionCreateParamsBase, ChatCompletionMessageParam, ChatCompletionTool } from 'openai/resources/chat/completions';
import { openai } from '../../../src/core/dialects/index.ts';
import type { Front, Probe } from '../probe.ts';
import { CACHE_HINT, DEFAULT, ENFORCED, MP3, NOTHING_STORED, PDF, PIXEL, SCHEMA, UNASKED } from '../material.ts';

/** With the fields that compatible servers and relays take beside OpenAI's own. */
type Body = ChatCompletionCreateParamsBase & { readonly top_k?: number; readonly chat_template_kwargs?: object };

const tool = (name: string, strict?: boolean): ChatCompletionTool => ({
  type: 'function',
  function: { name, description: 'Tells the weather.', parameters: SCHEMA, ...(strict === undefined ? {} : { strict }) },
});
const TOOLS = { tools: [tool('weather'), tool('tide')] };
const QUESTION: ChatCompletionMessageParam = { role: 'user', content: 'How is the weather in Ulm?' };
const CALL = { id: 'call_1', type: 'function' as const, function: { name: 'weather', arguments: '{"city":"Ulm"}' } };
const asked = (...messages: readonly ChatCompletionMessageParam[]): Partial<Body> => ({ messages: [QUESTION, ...messages] });
const said = (content: Extract<ChatCompletionMessageParam, { role: 'user' }>['content']): Partial<Body> => ({ messages: [{ role: 'user', content }] });
const TEXT = { type: 'text' as const, text: 'What is this?' };
const BARE = said([TEXT]);
const schema = (strict?: boolean): Partial<Body> => ({
  response_format: {
    type: 'json_schema',
    json_schema: { name: 'place', description: 'A place.', schema: SCHEMA, ...(strict === undefined ? {} : { strict }) },
  },
});

const PROBES: readonly Probe<Body>[] = [
  { name: '`stream`', with: { stream: true } },
  { name: '`stream_options.include_usage`', from: { stream: true }, with: { stream_options: { include_usage: true } }, silent: 'the last chunk has the usage' },
  {
    name: '`stream_options.include_obfuscation`',
    from: { stream: true },
    with: { stream_options: { include_obfuscation: false } },
    silent: 'there is no padding',
  },
  { name: '`max_completion_tokens`', with: { max_completion_tokens: 500 } },
  { name: '`max_tokens`', with: { max_tokens: 500 } },
  { name: '`temperature`', with: { temperature: 0.5 } },
  { name: '`temperature` above 1', with: { temperature: 1.5 } },
  { name: '`top_p`', with: { top_p: 0.9 } },
  { name: '`top_k` (compatible servers)', with: { top_k: 5 } },
  { name: '`frequency_penalty`', with: { frequency_penalty: 0.5 } },
  { name: '`presence_penalty`', with: { presence_penalty: 0.5 } },
  { name: '`seed`', with: { seed: 7 } },
  { name: '`stop`: a string', with: { stop: 'END' } },
  { name: '`stop`: several', with: { stop: ['END', 'STOP'] } },
  { name: '`n`', with: { n: 2 } },
  { name: '`logit_bias`', with: { logit_bias: { 50256: -100 } } },
  { name: '`logprobs`', with: { logprobs: true } },
  { name: '`top_logprobs`', from: { logprobs: true }, with: { top_logprobs: 3 }, silent: 'told with `logprobs`' },
  { name: '`user`', with: { user: 'u-1' } },
  { name: '`safety_identifier`', with: { safety_identifier: 'u-1' } },
  { name: '`metadata`', with: { metadata: { team: 'search' } } },
  { name: '`service_tier`: auto', with: { service_tier: 'auto' }, silent: DEFAULT },
  { name: '`service_tier`: default', with: { service_tier: 'default' } },
  { name: '`service_tier`: flex', with: { service_tier: 'flex' } },
  { name: '`service_tier`: priority', with: { service_tier: 'priority' } },
  { name: '`store`: false', with: { store: false }, silent: NOTHING_STORED },
  { name: '`store`: true', with: { store: true } },
  { name: '`reasoning_effort`: none', with: { reasoning_effort: 'none' }, silent: UNASKED },
  { name: '`reasoning_effort`: minimal', with: { reasoning_effort: 'minimal' } },
  { name: '`reasoning_effort`: low', with: { reasoning_effort: 'low' } },
  { name: '`reasoning_effort`: high', with: { reasoning_effort: 'high' } },
  { name: '`reasoning_effort`: xhigh', with: { reasoning_effort: 'xhigh' } },
  { name: '`verbosity`', with: { verbosity: 'low' } },
  { name: '`prediction`', with: { prediction: { type: 'content', content: 'A text.' } } },
  { name: '`modalities`: text', with: { modalities: ['text'] }, silent: DEFAULT },
  { name: '`modalities` with audio', with: { modalities: ['text', 'audio'], audio: { voice: 'alloy', format: 'mp3' } } },
  { name: '`web_search_options`', with: { web_search_options: {} } },
  { name: '`prompt_cache_key`', with: { prompt_cache_key: 'k' } },
  { name: '`prompt_cache_retention`', with: { prompt_cache_retention: '24h' } },
  { name: 'a field of a server of its own (`chat_template_kwargs`)', with: { chat_template_kwargs: { thinking: true } } },
  { name: '`response_format`: text', with: { response_format: { type: 'text' } }, silent: DEFAULT },
  { name: '`response_format`: json_object', with: { response_format: { type: 'json_object' } } },
  { name: '`response_format`: json_schema', with: schema() },
  { name: '`strict` of a json_schema', from: schema(), with: schema(true), silent: ENFORCED },
  { name: '`tools`', with: { tools: [tool('weather')] } },
  { name: '`strict` of a tool', from: { tools: [tool('weather')] }, with: { tools: [tool('weather', true)] } },
  { name: '`tools`: custom', with: { tools: [{ type: 'custom', custom: { name: 'shell' } }] } },
  { name: '`functions` (deprecated)', with: { functions: [{ name: 'weather', parameters: SCHEMA }] } },
  { name: '`tool_choice`: auto', from: TOOLS, with: { tool_choice: 'auto' } },
  { name: '`tool_choice`: none', from: TOOLS, with: { tool_choice: 'none' } },
  { name: '`tool_choice`: required', from: TOOLS, with: { tool_choice: 'required' } },
  { name: '`tool_choice`: a function', from: TOOLS, with: { tool_choice: { type: 'function', function: { name: 'tide' } } } },
  {
    name: '`tool_choice`: allowed_tools, auto',
    from: TOOLS,
    with: { tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'tide' } }] } } },
  },
  {
    name: '`tool_choice`: allowed_tools, required',
    from: TOOLS,
    with: { tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'tide' } }] } } },
  },
  { name: '`parallel_tool_calls`: false', from: TOOLS, with: { parallel_tool_calls: false } },
  { name: '`parallel_tool_calls`: true', from: TOOLS, with: { parallel_tool_calls: true }, silent: DEFAULT },
  { name: 'a system message', with: { messages: [{ role: 'system', content: 'Be brief.' }, QUESTION] }, from: asked() },
  { name: 'a developer message', with: { messages: [{ role: 'developer', content: 'Be brief.' }, QUESTION] }, from: asked() },
  {
    name: 'a system message between others',
    from: asked({ role: 'assistant', content: 'Fine.' }, QUESTION),
    with: asked({ role: 'assistant', content: 'Fine.' }, { role: 'system', content: 'Be brief.' }, QUESTION),
  },
  { name: 'an earlier answer', from: asked(QUESTION), with: asked({ role: 'assistant', content: 'Fine.' }, QUESTION) },
  { name: '`name` of a participant', from: asked(), with: { messages: [{ ...QUESTION, name: 'ada' } as ChatCompletionMessageParam] } },
  { name: 'the beginning of the answer (a last assistant message)', from: asked(), with: asked({ role: 'assistant', content: 'It is' }) },
  {
    name: "an assistant's `refusal`",
    from: asked({ role: 'assistant', content: null }, QUESTION),
    with: asked({ role: 'assistant', content: null, refusal: 'No.' }, QUESTION),
  },
  {
    name: "an assistant's `audio` by id",
    from: asked({ role: 'assistant', content: 'a' }, QUESTION),
    with: asked({ role: 'assistant', content: 'a', audio: { id: 'audio_1' } }, QUESTION),
  },
  {
    name: "an assistant's `reasoning_content` (DeepSeek)",
    from: asked({ role: 'assistant', content: 'Fine.' }, QUESTION),
    with: asked({ role: 'assistant', content: 'Fine.', reasoning_content: 'Hm.' } as ChatCompletionMessageParam, QUESTION),
  },
  {
    name: 'a call and its result',
    from: { ...TOOLS, ...asked() },
    with: asked({ role: 'assistant', tool_calls: [CALL] }, { role: 'tool', tool_call_id: 'call_1', content: 'Rain.' }),
  },
  {
    name: 'two calls at once, and their results',
    from: { ...TOOLS, ...asked() },
    with: asked(
      { role: 'assistant', tool_calls: [CALL, { ...CALL, id: 'call_2' }] },
      { role: 'tool', tool_call_id: 'call_1', content: 'Rain.' },
      { role: 'tool', tool_call_id: 'call_2', content: 'Sun.' },
    ),
  },
  { name: 'a result without its call', from: asked(), with: asked({ role: 'tool', tool_call_id: 'call_1', content: 'Rain.' }) },
  {
    name: 'arguments of a call that are not JSON',
    from: asked(),
    with: asked(
      { role: 'assistant', tool_calls: [{ ...CALL, function: { name: 'weather', arguments: '{"city' } }] },
      { role: 'tool', tool_call_id: 'call_1', content: 'Rain.' },
    ),
  },
  { name: 'an image by URL', from: BARE, with: said([TEXT, { type: 'image_url', image_url: { url: 'https://example.com/a.png' } }]) },
  { name: 'an image in base64', from: BARE, with: said([TEXT, { type: 'image_url', image_url: { url: PIXEL } }]) },
  {
    name: '`detail` of an image',
    from: said([TEXT, { type: 'image_url', image_url: { url: PIXEL } }]),
    with: said([TEXT, { type: 'image_url', image_url: { url: PIXEL, detail: 'low' } }]),
  },
  { name: 'a PDF in base64', from: BARE, with: said([TEXT, { type: 'file', file: { filename: 'a.pdf', file_data: PDF } }]) },
  { name: 'a file by id', from: BARE, with: said([TEXT, { type: 'file', file: { file_id: 'file-1' } }]) },
  { name: 'audio in base64', from: BARE, with: said([TEXT, { type: 'input_audio', input_audio: { data: MP3, format: 'mp3' } }]) },
  { name: '`prompt_cache_breakpoint` of a part', from: BARE, with: said([{ ...TEXT, prompt_cache_breakpoint: { mode: 'explicit' } }]), silent: CACHE_HINT },
];

export const openaiChat: Front = {
  name: 'OpenAI chat completions',
  dialect: openai,
  path: '/v1/chat/completions',
  base: { model: 'm', messages: [QUESTION] },
  probes: PROBES,
};
