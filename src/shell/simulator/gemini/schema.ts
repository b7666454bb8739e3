/**
 * Requests of Gemini's API as strictly as it takes them: unknown names are refused at any depth. Source: the types of
 * `@google/genai` (what it sends, not what its callers write); Gemini API reference, "Generating content", "Embeddings".
 */
import { z } from 'zod';

const text = z.string();
const flag = z.boolean();
const int = z.int();
const base64 = text.regex(/^[A-Za-z0-9+/_-]*=*$/, 'Base64 decoding failed');
const object = z.record(text, z.unknown());

const part = z.strictObject({
  text: text.optional(),
  thought: flag.optional(),
  thoughtSignature: base64.optional(),
  inlineData: z.strictObject({ mimeType: text, data: base64, displayName: text.optional() }).optional(),
  fileData: z.strictObject({ mimeType: text.optional(), fileUri: text, displayName: text.optional() }).optional(),
  functionCall: z.strictObject({ id: text.optional(), name: text.min(1), args: object.optional() }).optional(),
  functionResponse: z
    .strictObject({
      id: text.optional(),
      name: text.min(1),
      response: object,
      willContinue: flag.optional(),
      scheduling: text.optional(),
      parts: z.array(z.unknown()).optional(),
    })
    .optional(),
  videoMetadata: object.optional(),
  mediaResolution: z.unknown().optional(),
});

const content = z.strictObject({ role: z.enum(['user', 'model', 'function']).optional(), parts: z.array(part).min(1) });
const instruction = z.strictObject({ role: text.optional(), parts: z.array(part).min(1) });

const kind = z.enum([
  'TYPE_UNSPECIFIED',
  'STRING',
  'NUMBER',
  'INTEGER',
  'BOOLEAN',
  'ARRAY',
  'OBJECT',
  'NULL',
  'string',
  'number',
  'integer',
  'boolean',
  'array',
  'object',
  'null',
]);
/** The part of OpenAPI's schema that Gemini has fields for. */
export interface GeminiSchema {
  readonly type?: z.output<typeof kind> | undefined;
  readonly [name: string]: unknown;
}
const schema: z.ZodType<GeminiSchema> = z.lazy(() =>
  z.strictObject({
    type: kind.optional(),
    format: text.optional(),
    title: text.optional(),
    description: text.optional(),
    nullable: flag.optional(),
    enum: z.array(text).optional(),
    maxItems: z.union([text, int]).optional(),
    minItems: z.union([text, int]).optional(),
    properties: z.record(text, schema).optional(),
    required: z.array(text).optional(),
    minProperties: z.union([text, int]).optional(),
    maxProperties: z.union([text, int]).optional(),
    minLength: z.union([text, int]).optional(),
    maxLength: z.union([text, int]).optional(),
    pattern: text.optional(),
    example: z.unknown().optional(),
    anyOf: z.array(schema).optional(),
    propertyOrdering: z.array(text).optional(),
    default: z.unknown().optional(),
    items: schema.optional(),
    minimum: z.number().optional(),
    maximum: z.number().optional(),
  }),
);

const declaration = z.strictObject({
  name: text.regex(/^[a-zA-Z_][a-zA-Z0-9_.:-]{0,127}$/, 'Invalid function name. Must start with a letter or an underscore.'),
  description: text.optional(),
  behavior: text.optional(),
  parameters: schema.optional(),
  parametersJsonSchema: z.unknown().optional(),
  response: schema.optional(),
  responseJsonSchema: z.unknown().optional(),
});

const tool = z.strictObject({
  functionDeclarations: z.array(declaration).optional(),
  googleSearch: object.optional(),
  codeExecution: object.optional(),
  urlContext: object.optional(),
});

const generationConfig = z.strictObject({
  stopSequences: z.array(text).max(5).optional(),
  responseMimeType: z.enum(['text/plain', 'application/json', 'text/x.enum']).optional(),
  responseSchema: schema.optional(),
  responseJsonSchema: z.unknown().optional(),
  responseModalities: z.array(z.enum(['TEXT', 'IMAGE', 'AUDIO'])).optional(),
  candidateCount: int.min(1).max(8).optional(),
  maxOutputTokens: int.min(1).optional(),
  temperature: z.number().min(0).max(2).optional(),
  topP: z.number().min(0).max(1).optional(),
  topK: z.number().min(1).optional(),
  seed: int.optional(),
  presencePenalty: z.number().min(-2).max(2).optional(),
  frequencyPenalty: z.number().min(-2).max(2).optional(),
  responseLogprobs: flag.optional(),
  logprobs: int.min(0).max(20).optional(),
  enableEnhancedCivicAnswers: flag.optional(),
  speechConfig: object.optional(),
  thinkingConfig: z
    .strictObject({
      includeThoughts: flag.optional(),
      thinkingBudget: int.min(-1).optional(),
      thinkingLevel: z.enum(['THINKING_LEVEL_UNSPECIFIED', 'MINIMAL', 'LOW', 'MEDIUM', 'HIGH', 'minimal', 'low', 'medium', 'high']).optional(),
    })
    .optional(),
  mediaResolution: text.optional(),
});

export const generateRequest = z.strictObject({
  model: text.optional(),
  contents: z.array(content).min(1),
  systemInstruction: instruction.optional(),
  tools: z.array(tool).optional(),
  toolConfig: z
    .strictObject({
      functionCallingConfig: z
        .strictObject({ mode: z.enum(['MODE_UNSPECIFIED', 'AUTO', 'ANY', 'NONE', 'VALIDATED']).optional(), allowedFunctionNames: z.array(text).optional() })
        .optional(),
      retrievalConfig: object.optional(),
    })
    .optional(),
  safetySettings: z.array(z.strictObject({ category: text, threshold: text })).optional(),
  generationConfig: generationConfig.optional(),
  cachedContent: text.optional(),
  serviceTier: text.optional(),
  labels: z.record(text, text).optional(),
});

export const countRequest = z.strictObject({ contents: z.array(content).min(1).optional(), generateContentRequest: generateRequest.optional() });

const embedding = {
  model: text.optional(),
  content: z.strictObject({ role: text.optional(), parts: z.array(part).min(1) }),
  taskType: text.optional(),
  title: text.optional(),
  outputDimensionality: int.min(1).max(3072).optional(),
  autoTruncate: flag.optional(),
};
export const embedRequest = z.strictObject(embedding);
export const batchEmbedRequest = z.strictObject({ requests: z.array(z.strictObject({ ...embedding, model: text })).min(1) });

export type GenerateRequest = z.output<typeof generateRequest>;
export type Content = GenerateRequest['contents'][number];
export type GeminiPart = Content['parts'][number];
