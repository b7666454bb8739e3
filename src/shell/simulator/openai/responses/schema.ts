/** Requests of the Responses API. Source: `ResponseCreateParams` and `ResponseInputItem` of the `openai` package. */
import { z } from 'zod';
import { functionName, imageUrl, jsonSchema, metadata, reasoningEffort, serviceTier } from '../schema.ts';

const text = z.string();
const flag = z.boolean();
const detail = z.enum(['auto', 'low', 'high', 'original']);
const given = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('input_text'), text }),
  z.strictObject({ type: z.literal('input_image'), image_url: imageUrl.nullable().optional(), file_id: text.nullable().optional(), detail: detail.optional() }),
  z.strictObject({
    type: z.literal('input_file'),
    file_data: text.optional(),
    file_id: text.nullable().optional(),
    file_url: text.optional(),
    filename: text.optional(),
    detail: z.enum(['low', 'high', 'auto']).optional(),
  }),
]);
const said = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('output_text'), text, annotations: z.array(z.unknown()).optional(), logprobs: z.array(z.unknown()).optional() }),
  z.strictObject({ type: z.literal('refusal'), refusal: text }),
]);
const state = z.enum(['in_progress', 'completed', 'incomplete']).nullable().optional();
const id = text.optional();
/** Which call of the model's a message answers is none of ours. */
const phase = z.enum(['commentary', 'final_answer']).nullable().optional();

const item = z.union([
  z.strictObject({
    type: z.literal('message').optional(),
    id,
    role: z.enum(['user', 'system', 'developer']),
    content: z.union([text, z.array(given).min(1)]),
    status: state,
  }),
  z.strictObject({ type: z.literal('message').optional(), id, role: z.literal('assistant'), content: z.union([text, z.array(said)]), status: state, phase }),
  z.strictObject({ type: z.literal('item_reference').nullable().optional(), id: text.min(1) }),
  z.strictObject({ type: z.literal('function_call'), id, call_id: text.min(1), name: text.min(1), arguments: text, status: state }),
  z.strictObject({
    type: z.literal('function_call_output'),
    id: text.nullable().optional(),
    call_id: text.min(1),
    output: z.union([text, z.array(given)]),
    status: state,
  }),
  z.strictObject({
    type: z.literal('reasoning'),
    id,
    summary: z.array(z.strictObject({ type: z.literal('summary_text'), text })),
    content: z.array(z.unknown()).optional(),
    encrypted_content: text.nullable().optional(),
    status: state,
  }),
]);

const tool = z.strictObject({
  type: z.literal('function'),
  name: functionName,
  description: text.nullable().optional(),
  parameters: jsonSchema.nullable(),
  strict: flag.nullable(),
});
const named = z.strictObject({ type: z.literal('function'), name: text });

export const responsesRequest = z.strictObject({
  model: text.min(1),
  input: z.union([text, z.array(item).min(1)]),
  instructions: text.nullable().optional(),
  max_output_tokens: z.int().min(16).nullable().optional(),
  max_tool_calls: z.int().nullable().optional(),
  stream: flag.nullable().optional(),
  stream_options: z.strictObject({ include_obfuscation: flag.optional() }).nullable().optional(),
  store: flag.nullable().optional(),
  background: flag.nullable().optional(),
  previous_response_id: text.nullable().optional(),
  include: z.array(text).nullable().optional(),
  metadata: metadata.optional(),
  parallel_tool_calls: flag.nullable().optional(),
  prompt_cache_key: text.optional(),
  prompt_cache_retention: z.enum(['in_memory', '24h']).nullable().optional(),
  reasoning: z
    .strictObject({ effort: reasoningEffort.optional(), summary: z.enum(['auto', 'concise', 'detailed']).nullable().optional() })
    .nullable()
    .optional(),
  safety_identifier: text.optional(),
  service_tier: serviceTier.optional(),
  temperature: z.number().min(0).max(2).nullable().optional(),
  text: z
    .strictObject({
      format: z
        .discriminatedUnion('type', [
          z.strictObject({ type: z.literal('text') }),
          z.strictObject({ type: z.literal('json_object') }),
          z.strictObject({
            type: z.literal('json_schema'),
            name: functionName,
            description: text.optional(),
            schema: jsonSchema,
            strict: flag.nullable().optional(),
          }),
        ])
        .optional(),
      verbosity: z.enum(['low', 'medium', 'high']).nullable().optional(),
    })
    .optional(),
  tool_choice: z
    .union([
      z.enum(['none', 'auto', 'required']),
      named,
      z.strictObject({ type: z.literal('allowed_tools'), mode: z.enum(['auto', 'required']), tools: z.array(named).min(1) }),
    ])
    .optional(),
  tools: z.array(tool).optional(),
  top_logprobs: z.int().min(0).max(20).nullable().optional(),
  top_p: z.number().min(0).max(1).nullable().optional(),
  truncation: z.enum(['auto', 'disabled']).nullable().optional(),
  user: text.optional(),
});

/** `POST /responses/input_tokens` takes what makes up the input, and no more. */
export const countRequest = responsesRequest.pick({
  model: true,
  input: true,
  instructions: true,
  previous_response_id: true,
  parallel_tool_calls: true,
  reasoning: true,
  text: true,
  tool_choice: true,
  tools: true,
  truncation: true,
});

export type ResponsesRequest = z.output<typeof responsesRequest>;
export type CountRequest = z.output<typeof countRequest>;
