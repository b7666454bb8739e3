/**
 * Requests of Anthropic's API as strictly as it takes them. Source: `MessageCreateParams` and `MessageCountTokensParams`
 * of `@anthropic-ai/sdk`; Claude API reference, "Create a Message".
 */
import { z } from 'zod';

const text = z.string();
const flag = z.boolean();
const cache = z
  .strictObject({ type: z.literal('ephemeral'), ttl: z.enum(['5m', '1h']).optional() })
  .nullable()
  .optional();
const base64 = text.regex(/^[A-Za-z0-9+/]+=*$/, 'invalid base64 data');
const imageSource = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('base64'), media_type: z.enum(['image/jpeg', 'image/png', 'image/gif', 'image/webp']), data: base64 }),
  z.strictObject({ type: z.literal('url'), url: z.url({ protocol: /^https?$/ }) }),
]);
const citations = z.strictObject({ enabled: flag.optional() }).nullable().optional();
const documentSource = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('base64'), media_type: z.literal('application/pdf'), data: base64 }),
  z.strictObject({ type: z.literal('text'), media_type: z.literal('text/plain'), data: text }),
  z.strictObject({ type: z.literal('url'), url: z.url({ protocol: /^https?$/ }) }),
]);

const textBlock = z.strictObject({ type: z.literal('text'), text, cache_control: cache, citations: z.array(z.unknown()).nullable().optional() });
const imageBlock = z.strictObject({ type: z.literal('image'), source: imageSource, cache_control: cache });
const documentBlock = z.strictObject({
  type: z.literal('document'),
  source: documentSource,
  cache_control: cache,
  citations,
  context: text.nullable().optional(),
  title: text.nullable().optional(),
});
const toolUse = z.strictObject({
  type: z.literal('tool_use'),
  id: text.regex(/^[a-zA-Z0-9_-]+$/),
  name: text.min(1).max(200),
  input: z.record(text, z.unknown()),
  cache_control: cache,
  caller: z.unknown().optional(),
});
const toolResult = z.strictObject({
  type: z.literal('tool_result'),
  tool_use_id: text,
  content: z.union([text, z.array(z.discriminatedUnion('type', [textBlock, imageBlock, documentBlock]))]).optional(),
  is_error: flag.optional(),
  cache_control: cache,
});
const thinkingBlock = z.strictObject({ type: z.literal('thinking'), thinking: text, signature: text });
const redactedBlock = z.strictObject({ type: z.literal('redacted_thinking'), data: text });

const message = z.discriminatedUnion('role', [
  z.strictObject({
    role: z.literal('user'),
    content: z.union([text, z.array(z.discriminatedUnion('type', [textBlock, imageBlock, documentBlock, toolResult])).min(1)]),
  }),
  z.strictObject({
    role: z.literal('assistant'),
    content: z.union([text, z.array(z.discriminatedUnion('type', [textBlock, toolUse, thinkingBlock, redactedBlock]))]),
  }),
]);

const schema = z.looseObject({ type: z.literal('object') });
const tool = z.strictObject({
  type: z.literal('custom').nullable().optional(),
  name: text.regex(/^[a-zA-Z0-9_-]{1,128}$/),
  description: text.optional(),
  input_schema: schema,
  cache_control: cache,
  strict: flag.optional(),
  eager_input_streaming: flag.nullable().optional(),
  input_examples: z.array(z.unknown()).optional(),
  defer_loading: flag.optional(),
  allowed_callers: z.array(z.enum(['direct', 'code_execution_20250825', 'code_execution_20260120', 'code_execution_20260521'])).optional(),
});
const single = { disable_parallel_tool_use: flag.optional() };

const input = {
  model: text.min(1),
  messages: z.array(message).min(1),
  system: z.union([text, z.array(textBlock)]).optional(),
  tools: z.array(tool).optional(),
  tool_choice: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('auto'), ...single }),
      z.strictObject({ type: z.literal('any'), ...single }),
      z.strictObject({ type: z.literal('tool'), name: text, ...single }),
      z.strictObject({ type: z.literal('none') }),
    ])
    .optional(),
  thinking: z
    .discriminatedUnion('type', [
      z.strictObject({ type: z.literal('enabled'), budget_tokens: z.int().min(1024), display: z.enum(['summarized', 'omitted']).nullable().optional() }),
      z.strictObject({ type: z.literal('disabled') }),
      z.strictObject({ type: z.literal('adaptive'), display: z.enum(['summarized', 'omitted']).nullable().optional() }),
    ])
    .optional(),
  output_config: z
    .strictObject({
      effort: z.enum(['low', 'medium', 'high', 'xhigh', 'max']).nullable().optional(),
      format: z
        .strictObject({ type: z.literal('json_schema'), schema: z.record(text, z.unknown()) })
        .nullable()
        .optional(),
    })
    .optional(),
  cache_control: cache,
};

export const countRequest = z.strictObject(input);

export const messageRequest = z.strictObject({
  ...input,
  max_tokens: z.int().min(1),
  metadata: z.strictObject({ user_id: text.max(256).nullable().optional() }).optional(),
  stop_sequences: z.array(text.min(1)).optional(),
  stream: flag.optional(),
  temperature: z.number().min(0).max(1).optional(),
  top_p: z.number().min(0).max(1).optional(),
  top_k: z.int().min(0).optional(),
  service_tier: z.enum(['auto', 'standard_only']).optional(),
  inference_geo: text.nullable().optional(),
});

/** The version of October 2026 has no sampling parameters. Source: Claude API docs, "Versions". */
export const newestMessageRequest = messageRequest.omit({ temperature: true, top_p: true, top_k: true });

export type CountRequest = z.output<typeof countRequest>;
export type MessageRequest = z.output<typeof messageRequest>;
export type Message = MessageRequest['messages'][number];
export type Block = Exclude<Message['content'], string>[number];
