import type { MessageCreateParams } from '@anthropic-ai/sdk/resources/messages';
import { IMAGE_URL, PARAMETERS, PDF, PDF_URL, PNG, SCHEMA } from './probe.ts';
import type { ProbedApi } from './probe.ts';

type Message = Partial<MessageCreateParams> & { readonly temperature?: number; readonly top_p?: number; readonly top_k?: number };

const message = (subject: string, change: Message, isDefault = false) => ({ subject, change: change as Readonly<Record<string, unknown>>, isDefault });
const TOOLS: NonNullable<Message['tools']> = ['look', 'ask'].map((name) => ({ name, description: 'A tool.', input_schema: { ...PARAMETERS, type: 'object' as const } }));
const user = (...content: Extract<NonNullable<Message['messages']>[number]['content'], readonly unknown[]>): Message => ({ messages: [{ role: 'user', content }] });

export const ANTHROPIC: ProbedApi = {
  name: 'Anthropic messages',
  path: '/v1/messages',
  plain: { model: 'm', max_tokens: 2000, messages: [{ role: 'user', content: 'hi' }] } satisfies MessageCreateParams,
  probes: [
    message('stream', { stream: true }),
    message('system', { system: 'Be brief.' }),
    message('system, in blocks', { system: [{ type: 'text', text: 'Be brief.' }, { type: 'text', text: 'Be kind.' }] }),
    message('several turns', { messages: [{ role: 'user', content: 'hi' }, { role: 'assistant', content: 'ho' }, { role: 'user', content: 'hi' }] }),
    message('an answer begun (assistant last)', { messages: [{ role: 'user', content: 'hi' }, { role: 'assistant', content: 'The answer is' }] }),
    message('image, base64', user({ type: 'text', text: 'hi' }, { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } })),
    message('image, URL', user({ type: 'text', text: 'hi' }, { type: 'image', source: { type: 'url', url: IMAGE_URL } })),
    message('PDF, base64', user({ type: 'text', text: 'hi' }, { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: PDF } })),
    message('PDF, URL', user({ type: 'text', text: 'hi' }, { type: 'document', source: { type: 'url', url: PDF_URL } })),
    message('document, text', user({ type: 'text', text: 'hi' }, { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'x' } })),
    message('citations', user({ type: 'text', text: 'hi' }, { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'x' }, citations: { enabled: true } })),
    message('tools', { tools: TOOLS }),
    message('tools, strict', { tools: [{ name: 'look', input_schema: { ...PARAMETERS, type: 'object' }, strict: true }] }),
    message('tool_choice: auto', { tools: TOOLS, tool_choice: { type: 'auto' } }),
    message('tool_choice: none', { tools: TOOLS, tool_choice: { type: 'none' } }),
    message('tool_choice: any', { tools: TOOLS, tool_choice: { type: 'any' } }),
    message('tool_choice: one tool', { tools: TOOLS, tool_choice: { type: 'tool', name: 'look' } }),
    message('disable_parallel_tool_use', { tools: TOOLS, tool_choice: { type: 'auto', disable_parallel_tool_use: true } }),
    message('uses and results', {
      tools: TOOLS,
      messages: [
        { role: 'user', content: 'hi' },
        { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'look', input: { city: 'Oslo' } }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'snow' }] },
      ],
    }),
    message('tool_result with an image', {
      tools: TOOLS,
      messages: [
        { role: 'user', content: 'hi' },
        { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'look', input: { city: 'Oslo' } }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: [{ type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } }] }] },
      ],
    }),
    message('tool_result.is_error', {
      tools: TOOLS,
      messages: [
        { role: 'user', content: 'hi' },
        { role: 'assistant', content: [{ type: 'tool_use', id: 'toolu_1', name: 'look', input: { city: 'Oslo' } }] },
        { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'toolu_1', content: 'no', is_error: true }] },
      ],
    }),
    message('output_config.format', { output_config: { format: { type: 'json_schema', schema: SCHEMA } } }),
    message('output_config.effort', { output_config: { effort: 'low' } }),
    message('thinking: enabled', { thinking: { type: 'enabled', budget_tokens: 1024 } }),
    // What models of OpenAI's do unless they are told otherwise.
    message('thinking: adaptive', { thinking: { type: 'adaptive' } }, true),
    message('thinking: disabled', { thinking: { type: 'disabled' } }),
    message('stop_sequences', { stop_sequences: ['END'] }),
    message('temperature', { temperature: 0.5 }),
    message('top_p', { top_p: 0.5 }),
    message('top_k', { top_k: 5 }),
    message('metadata.user_id', { metadata: { user_id: 'ann' } }),
    message('cache_control', { system: [{ type: 'text', text: 'Be brief.', cache_control: { type: 'ephemeral' } }] }),
    message('service_tier: standard_only', { service_tier: 'standard_only' }),
    message('hosted tools', { tools: [{ type: 'web_search_20250305', name: 'web_search' }] }),
  ],
};
