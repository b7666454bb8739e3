import type { ChatCompletion, ChatCompletionMessage } from 'openai/resources/chat/completions';
import type { Answers, Probe } from '../probe.ts';
import { IN_THE_BOOKS, NO_CITATIONS, NO_PLACE } from '../material.ts';

/** With what DeepSeek and other compatible servers answer beside it. */
type Message = ChatCompletionMessage & { readonly reasoning_content?: string };
type Usage = NonNullable<ChatCompletion['usage']> & { readonly prompt_cache_hit_tokens?: number; readonly prompt_cache_miss_tokens?: number };

const MESSAGE: Message = { role: 'assistant', content: 'It is raining.', refusal: null };
const USAGE: Usage = { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 };
const CALL = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"city":"Ulm"}' } } as const;

const chosen = (choice: Partial<ChatCompletion.Choice>): Partial<ChatCompletion> => ({
  choices: [{ index: 0, message: MESSAGE, logprobs: null, finish_reason: 'stop', ...choice }],
});
const said = (message: Partial<Message>, finish: ChatCompletion.Choice['finish_reason'] = 'stop'): Partial<ChatCompletion> =>
  chosen({ message: { ...MESSAGE, ...message }, finish_reason: finish });
const used = (usage: Partial<Usage>): Partial<ChatCompletion> => ({ usage: { ...USAGE, ...usage } });

const PROBES: readonly Probe<ChatCompletion>[] = [
  { name: '`finish_reason`: length', with: chosen({ finish_reason: 'length' }) },
  { name: '`finish_reason`: content_filter', with: chosen({ finish_reason: 'content_filter' }) },
  { name: 'a refusal (`message.refusal`)', with: said({ content: null, refusal: 'I will not.' }) },
  { name: 'a tool call', with: said({ content: null, tool_calls: [CALL] }, 'tool_calls') },
  { name: 'two tool calls beside text', with: said({ tool_calls: [CALL, { ...CALL, id: 'call_2' }] }, 'tool_calls') },
  { name: 'thinking (`reasoning_content` of DeepSeek and others)', with: said({ reasoning_content: 'Hm.' }) },
  {
    name: 'citations (`message.annotations`)',
    with: said({ annotations: [{ type: 'url_citation', url_citation: { start_index: 0, end_index: 2, title: 'A title', url: 'https://example.com' } }] }),
    silent: NO_CITATIONS,
  },
  {
    name: 'log probabilities',
    with: chosen({
      logprobs: {
        content: [{ token: 'It', logprob: -0.1, bytes: [73, 116], top_logprobs: [{ token: 'It', logprob: -0.1, bytes: [73, 116] }] }],
        refusal: null,
      },
    }),
    silent: NO_PLACE,
  },
  {
    name: 'a second choice',
    with: { choices: [...(chosen({}).choices ?? []), ...(chosen({ index: 1 }).choices ?? [])] },
    silent: 'one cannot ask for more than one there',
  },
  { name: 'usage: cached', with: used({ prompt_tokens_details: { cached_tokens: 40 } }) },
  { name: 'usage: cached (DeepSeek)', with: used({ prompt_cache_hit_tokens: 40, prompt_cache_miss_tokens: 60 }) },
  { name: 'usage: reasoning', with: used({ completion_tokens_details: { reasoning_tokens: 10 } }) },
  { name: 'usage: audio', with: used({ prompt_tokens_details: { audio_tokens: 30 } }), silent: NO_PLACE },
  { name: '`service_tier`', with: { service_tier: 'flex' }, silent: IN_THE_BOOKS },
  { name: '`system_fingerprint`', with: { system_fingerprint: 'fp_1' }, silent: NO_PLACE },
];

export const openaiAnswers: Answers = {
  back: 'openai',
  base: { id: 'chatcmpl-1', object: 'chat.completion', created: 1_700_000_000, model: 'm', ...chosen({}), usage: USAGE } satisfies ChatCompletion | object,
  probes: PROBES,
};
