/**
 * Requests of OpenAI's API as strictly as it takes them. Source: the types of the official `openai` package
 * (resources/chat/completions, completions, embeddings, responses, moderations, images, audio).
 */
import { z } from 'zod';

const cap = z.int().min(1);
const metadata = z.record(z.string(), z.string()).nullable();
const stop = z.union([z.string(), z.array(z.string()).max(4)]).nullable();
const imagePart = z.strictObject({ type: z.literal('image_url'), image_url: z.strictObject({ url: z.string(), detail: z.enum(['auto', 'low', 'high']).optional() }) });
const textPart = z.strictObject({ type: z.literal('text'), text: z.string() });
const audioPart = z.strictObject({ type: z.literal('input_audio'), input_audio: z.strictObject({ data: z.string(), format: z.enum(['wav', 'mp3']) }) });
const filePart = z.strictObject({ type: z.literal('file'), file: z.strictObject({ file_data: z.string().optional(), file_id: z.string().optional(), filename: z.string().optional() }) });
const content = z.union([z.string(), z.array(z.union([textPart, imagePart, audioPart, filePart])).min(1)]);
const plain = z.union([z.string(), z.array(textPart).min(1)]);
const toolCall = z.strictObject({ id: z.string(), type: z.literal('function'), function: z.strictObject({ name: z.string(), arguments: z.string() }) });

const message = z.discriminatedUnion('role', [
  z.strictObject({ role: z.literal('system'), content: plain, name: z.string().optional() }),
  z.strictObject({ role: z.literal('developer'), content: plain, name: z.string().optional() }),
  z.strictObject({ role: z.literal('user'), content, name: z.string().optional() }),
  z.strictObject({
    role: z.literal('assistant'),
    content: plain.nullable().optional(),
    refusal: z.string().nullable().optional(),
    name: z.string().optional(),
    tool_calls: z.array(toolCall).min(1).optional(),
    audio: z.unknown().optional(),
    function_call: z.unknown().optional(),
  }),
  z.strictObject({ role: z.literal('tool'), content: plain, tool_call_id: z.string() }),
]);

const tool = z.strictObject({
  type: z.literal('function'),
  function: z.strictObject({ name: z.string().regex(/^[a-zA-Z0-9_-]{1,64}$/), description: z.string().optional(), parameters: z.record(z.string(), z.unknown()).optional(), strict: z.boolean().nullable().optional() }),
});

const responseFormat = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text') }),
  z.strictObject({ type: z.literal('json_object') }),
  z.strictObject({
    type: z.literal('json_schema'),
    json_schema: z.strictObject({ name: z.string(), description: z.string().optional(), schema: z.record(z.string(), z.unknown()).optional(), strict: z.boolean().nullable().optional() }),
  }),
]);

const common = {
  model: z.string().min(1),
  frequency_penalty: z.number().min(-2).max(2).nullable().optional(),
  logit_bias: z.record(z.string(), z.number()).nullable().optional(),
  n: z.int().min(1).max(128).nullable().optional(),
  presence_penalty: z.number().min(-2).max(2).nullable().optional(),
  seed: z.int().nullable().optional(),
  stop: stop.optional(),
  stream: z.boolean().nullable().optional(),
  stream_options: z.strictObject({ include_usage: z.boolean().optional(), include_obfuscation: z.boolean().optional() }).nullable().optional(),
  temperature: z.number().min(0).max(2).nullable().optional(),
  top_p: z.number().min(0).max(1).nullable().optional(),
  user: z.string().optional(),
  max_tokens: cap.nullable().optional(),
};

export const chatRequest = z.strictObject({
  ...common,
  messages: z.array(message).min(1),
  max_completion_tokens: cap.nullable().optional(),
  tools: z.array(tool).max(128).optional(),
  tool_choice: z.union([z.enum(['none', 'auto', 'required']), z.strictObject({ type: z.literal('function'), function: z.strictObject({ name: z.string() }) })]).optional(),
  parallel_tool_calls: z.boolean().optional(),
  response_format: responseFormat.optional(),
  logprobs: z.boolean().nullable().optional(),
  top_logprobs: z.int().min(0).max(20).nullable().optional(),
  reasoning_effort: z.enum(['none', 'minimal', 'low', 'medium', 'high', 'xhigh']).nullable().optional(),
  service_tier: z.enum(['auto', 'default', 'flex', 'scale', 'priority']).nullable().optional(),
  store: z.boolean().nullable().optional(),
  metadata: metadata.optional(),
  modalities: z.array(z.enum(['text', 'audio'])).nullable().optional(),
  audio: z.unknown().optional(),
  prediction: z.unknown().optional(),
  prompt_cache_key: z.string().optional(),
  safety_identifier: z.string().optional(),
  verbosity: z.enum(['low', 'medium', 'high']).nullable().optional(),
});

export const completionRequest = z.strictObject({
  ...common,
  prompt: z.union([z.string(), z.array(z.string()).min(1), z.array(z.int()).min(1)]),
  best_of: z.int().min(1).max(20).nullable().optional(),
  echo: z.boolean().nullable().optional(),
  logprobs: z.int().min(0).max(5).nullable().optional(),
  suffix: z.string().nullable().optional(),
});

export const embeddingRequest = z.strictObject({
  model: z.string().min(1),
  input: z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(2048), z.array(z.int()).min(1), z.array(z.array(z.int()).min(1)).min(1).max(2048)]),
  dimensions: z.int().min(1).max(3072).optional(),
  encoding_format: z.enum(['float', 'base64']).optional(),
  user: z.string().optional(),
});

export const responsesRequest = z.looseObject({
  model: z.string().min(1),
  input: z.union([z.string(), z.array(z.unknown()).min(1)]),
  instructions: z.string().nullable().optional(),
  max_output_tokens: z.int().min(16).nullable().optional(),
  stream: z.boolean().nullable().optional(),
  store: z.boolean().nullable().optional(),
});

export const moderationRequest = z.strictObject({ model: z.string().optional(), input: z.union([z.string(), z.array(z.unknown()).min(1)]) });

export type ChatRequest = z.output<typeof chatRequest>;
export type CompletionRequest = z.output<typeof completionRequest>;
export type EmbeddingRequest = z.output<typeof embeddingRequest>;
export type ResponsesRequest = z.output<typeof responsesRequest>;
