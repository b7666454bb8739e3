/**
 * Requests of OpenAI's API as strictly as it takes them. Source: the types of the official `openai` package
 * (resources/chat/completions, completions, embeddings, moderations).
 */
import { z } from 'zod';

const cap = z.int().min(1);
const text = z.string();
const flag = z.boolean();
export const metadata = z.record(z.string(), z.string()).nullable();
const stop = z.union([text, z.array(text).max(4)]).nullable();
const breakpoint = z.strictObject({ mode: z.literal('explicit'), ttl: z.enum(['30m', '12h']).optional() }).optional();
/** The server fetches addresses itself, and takes images of these kinds inline. */
export const imageUrl = z
  .string()
  .regex(
    /^(?:https?:\/\/|data:image\/(?:png|jpe?g|gif|webp);base64,[A-Za-z0-9+/]+=*$)/,
    'Expected a URL, or a base64 data URL of a PNG, JPEG, GIF or WebP image.',
  );
const imagePart = z.strictObject({
  type: z.literal('image_url'),
  image_url: z.strictObject({ url: imageUrl, detail: z.enum(['auto', 'low', 'high', 'original']).optional() }),
  prompt_cache_breakpoint: breakpoint,
});
const textPart = z.strictObject({ type: z.literal('text'), text, prompt_cache_breakpoint: breakpoint });
const refusalPart = z.strictObject({ type: z.literal('refusal'), refusal: text });
const audioPart = z.strictObject({
  type: z.literal('input_audio'),
  input_audio: z.strictObject({ data: text, format: z.enum(['wav', 'mp3']) }),
  prompt_cache_breakpoint: breakpoint,
});
const filePart = z.strictObject({
  type: z.literal('file'),
  file: z.strictObject({ file_data: text.optional(), file_id: text.optional(), filename: text.optional() }),
  prompt_cache_breakpoint: breakpoint,
});
const content = z.union([text, z.array(z.discriminatedUnion('type', [textPart, imagePart, audioPart, filePart])).min(1)]);
const plain = z.union([text, z.array(textPart).min(1)]);
const said = z.union([text, z.array(z.discriminatedUnion('type', [textPart, refusalPart])).min(1)]);
const toolCall = z.strictObject({ id: text.min(1), type: z.literal('function'), function: z.strictObject({ name: text, arguments: text }) });

const given = [
  z.strictObject({ role: z.literal('system'), content: plain, name: text.optional() }),
  z.strictObject({ role: z.literal('developer'), content: plain, name: text.optional() }),
  z.strictObject({ role: z.literal('user'), content, name: text.optional() }),
  z.strictObject({ role: z.literal('tool'), content: plain, tool_call_id: text }),
] as const;
const assistantMessage = z.strictObject({
  role: z.literal('assistant'),
  content: said.nullable().optional(),
  refusal: text.nullable().optional(),
  name: text.optional(),
  tool_calls: z.array(toolCall).min(1).optional(),
  audio: z.strictObject({ id: text }).nullable().optional(),
  annotations: z.array(z.unknown()).optional(),
  function_call: z.strictObject({ name: text, arguments: text }).nullable().optional(),
});

/** Messages, with fields that a compatible provider has in those of its model. */
export const messagesWith = <Shape extends z.core.$ZodLooseShape>(more: Shape) =>
  z.array(z.discriminatedUnion('role', [...given, assistantMessage.extend(more)])).min(1);

export const functionName = text.regex(/^[a-zA-Z0-9_-]{1,64}$/);
export const jsonSchema = z.record(z.string(), z.unknown());
const functionTool = z.strictObject({
  type: z.literal('function'),
  function: z.strictObject({ name: functionName, description: text.optional(), parameters: jsonSchema.optional(), strict: flag.nullable().optional() }),
});
const namedTool = z.strictObject({ type: z.literal('function'), function: z.strictObject({ name: text }) });
const allowedTools = z.strictObject({
  type: z.literal('allowed_tools'),
  allowed_tools: z.strictObject({ mode: z.enum(['auto', 'required']), tools: z.array(namedTool).min(1) }),
});

const responseFormat = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text') }),
  z.strictObject({ type: z.literal('json_object') }),
  z.strictObject({
    type: z.literal('json_schema'),
    json_schema: z.strictObject({ name: functionName, description: text.optional(), schema: jsonSchema.optional(), strict: flag.nullable().optional() }),
  }),
]);

export const reasoningEffort = z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max']).nullable();
export const serviceTier = z.enum(['auto', 'default', 'flex', 'scale', 'priority', 'fast']).nullable();

const common = {
  model: text.min(1),
  frequency_penalty: z.number().min(-2).max(2).nullable().optional(),
  logit_bias: z.record(z.string(), z.number().min(-100).max(100)).nullable().optional(),
  n: z.int().min(1).max(128).nullable().optional(),
  presence_penalty: z.number().min(-2).max(2).nullable().optional(),
  seed: z.int().nullable().optional(),
  stop: stop.optional(),
  stream: flag.nullable().optional(),
  stream_options: z.strictObject({ include_usage: flag.optional(), include_obfuscation: flag.optional() }).nullable().optional(),
  temperature: z.number().min(0).max(2).nullable().optional(),
  top_p: z.number().min(0).max(1).nullable().optional(),
  user: text.optional(),
  max_tokens: cap.nullable().optional(),
};

export const chatRequest = z.strictObject({
  ...common,
  messages: messagesWith({}),
  max_completion_tokens: cap.nullable().optional(),
  tools: z.array(functionTool).min(1).max(128).optional(),
  tool_choice: z.union([z.enum(['none', 'auto', 'required']), z.discriminatedUnion('type', [namedTool, allowedTools])]).optional(),
  parallel_tool_calls: flag.optional(),
  response_format: responseFormat.optional(),
  logprobs: flag.nullable().optional(),
  top_logprobs: z.int().min(0).max(20).nullable().optional(),
  reasoning_effort: reasoningEffort.optional(),
  service_tier: serviceTier.optional(),
  store: flag.nullable().optional(),
  metadata: metadata.optional(),
  modalities: z
    .array(z.enum(['text', 'audio']))
    .nullable()
    .optional(),
  audio: z.unknown().optional(),
  prediction: z.unknown().optional(),
  prompt_cache_key: text.nullable().optional(),
  prompt_cache_options: z.strictObject({ mode: z.enum(['implicit', 'explicit']).optional(), ttl: z.literal('30m').optional() }).optional(),
  prompt_cache_retention: z.enum(['in_memory', '24h']).nullable().optional(),
  safety_identifier: text.nullable().optional(),
  verbosity: z.enum(['low', 'medium', 'high']).nullable().optional(),
  web_search_options: z.unknown().optional(),
});

export const completionRequest = z.strictObject({
  ...common,
  prompt: z.union([text, z.array(text).min(1), z.array(z.int()).min(1)]),
  best_of: z.int().min(1).max(20).nullable().optional(),
  echo: flag.nullable().optional(),
  logprobs: z.int().min(0).max(5).nullable().optional(),
  suffix: text.nullable().optional(),
});

export const embeddingRequest = z.strictObject({
  model: text.min(1),
  input: z.union([text.min(1), z.array(text.min(1)).min(1).max(2048), z.array(z.int()).min(1), z.array(z.array(z.int()).min(1)).min(1).max(2048)]),
  dimensions: z.int().min(1).max(3072).optional(),
  encoding_format: z.enum(['float', 'base64']).optional(),
  user: text.optional(),
});

export const moderationRequest = z.strictObject({ model: text.optional(), input: z.union([text, z.array(z.unknown()).min(1)]) });

export type ChatRequest = z.output<typeof chatRequest>;
export type CompletionRequest = z.output<typeof completionRequest>;
export type EmbeddingRequest = z.output<typeof embeddingRequest>;
