import { isSealed } from '../seal.ts';
import type { Content, GenerateRequest, GeminiPart } from './schema.ts';

/** What thoughts and calls are sealed for. */
export const THOUGHT_SEAL = 'gemini thought';

/** Names that are listed; others of their families are served as well. */
export const MODELS: readonly string[] = ['gemini-2.5-flash', 'gemini-2.5-pro', 'gemini-2.0-flash', 'gemini-3-pro-preview', 'gemini-embedding-001'];

const MODEL = /^(?:gemini-(?:\d(?:\.\d)?-[a-z]+[\w.-]*|(?:pro|flash)[\w.-]*)|gemma-[\w.-]+)$/;
const EMBEDDING_MODEL = /^(?:gemini-embedding|text-embedding|embedding)-[\w.-]+$/;

const GENERATING = ['generateContent', 'streamGenerateContent', 'countTokens'] as const;
const EMBEDDING = ['embedContent', 'batchEmbedContents', 'countTokens'] as const;
const NONE = [] as const;

export type Method = (typeof GENERATING | typeof EMBEDDING)[number];

/** What may be asked of a model; nothing of one that there is not. */
export function methodsOf(model: string): readonly Method[] {
  return EMBEDDING_MODEL.test(model) ? EMBEDDING : MODEL.test(model) ? GENERATING : NONE;
}

/** Without a method a model is only looked at. */
export function supports(model: string, method: string | undefined): method is Method | undefined {
  const methods: readonly string[] = methodsOf(model);
  return method === undefined ? methods.length > 0 : methods.includes(method);
}

/** What stands in for a signature where another model made the call. Source: Gemini API docs, "Thought signatures". */
const ACCEPTED_WITHOUT_SEAL = new Set(['context_engineering_is_the_way_to_go', 'skip_thought_signature_validator']);

/** Models that refuse calls without the signature that they came with. */
const wantsSignatures = (model: string): boolean => model.startsWith('gemini-3');

/** Models that think unless told not to; of the others, those of 2.5 do when they are asked to. */
export const thinksAlways = (model: string): boolean => /^gemini-(?:3|2\.5-pro)/.test(model);
export const canThink = (model: string): boolean => /^gemini-(?:3|2\.5)/.test(model);

/** What the fields are each allowed and together are not: a sentence, or `undefined`. */
export function impossible(model: string, request: GenerateRequest): string | undefined {
  return wrongContents(model, request.contents) ?? wrongSettings(model, request);
}

function wrongContents(model: string, contents: readonly Content[]): string | undefined {
  for (const [index, { role = 'user', parts }] of contents.entries()) {
    const before = contents[index - 1];
    const calls = callsIn(before?.parts ?? []);
    const responses = parts.filter((part) => part.functionResponse !== undefined).length;
    if (callsIn(parts) > 0 && (index === 0 || contents[index - 1]?.role === 'model'))
      return 'Please ensure that function call turn comes immediately after a user turn or after a function response turn.';
    if (responses > 0 && before?.role !== 'model') return 'Please ensure that function response turn comes immediately after a function call turn.';
    if (responses > 0 && responses !== calls)
      return 'Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.';
    if (calls > 0 && responses === 0 && before?.role === 'model')
      return 'Please ensure that function response turn comes immediately after a function call turn.';
    const problem = parts.map((part, place) => wrongPart(role, part, `contents[${index}].parts[${place}]`)).find((sentence) => sentence !== undefined);
    if (problem !== undefined) return problem;
  }
  const unsigned = wantsSignatures(model) ? unsignedCall(contents) : undefined;
  if (unsigned !== undefined)
    return `Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly. Additional data, function call \`default_api:${unsigned}\`.`;
  const last = contents.at(-1);
  return last !== undefined && callsIn(last.parts) > 0 ? 'Please ensure that function call turn is followed by a function response turn.' : undefined;
}

/** The first call of each step since the user spoke is signed. Source: Gemini API docs, "Thought signatures". */
function unsignedCall(contents: readonly Content[]): string | undefined {
  const spoken = contents.findLastIndex(({ role = 'user', parts }) => role === 'user' && parts.some(({ functionResponse }) => functionResponse === undefined));
  const firsts = contents.slice(spoken + 1).flatMap(({ parts }) => parts.find(({ functionCall }) => functionCall !== undefined) ?? []);
  return firsts.find(({ thoughtSignature }) => thoughtSignature === undefined)?.functionCall?.name;
}

const callsIn = (parts: readonly GeminiPart[]): number => parts.filter((part) => part.functionCall !== undefined).length;

const DATA_FIELDS = ['text', 'inlineData', 'fileData', 'functionCall', 'functionResponse'] as const;

function wrongPart(role: string, part: GeminiPart, at: string): string | undefined {
  const fields = DATA_FIELDS.filter((field) => part[field] !== undefined);
  if (fields.length === 0 && part.thoughtSignature === undefined) return `Unable to submit request because it must have one initialized field: ${at}.data`;
  if (fields.length > 1) return `Invalid value (oneof), oneof field 'data' is already set. Cannot set '${fields[1]}' at '${at}'`;
  if (part.functionCall !== undefined && role !== 'model') return `${at}: function calls are the model's.`;
  if (part.functionResponse !== undefined && role === 'model') return `${at}: function responses are not the model's.`;
  if (part.inlineData !== undefined && !/^(?:image\/(?:png|jpeg|webp|heic|heif|gif)|audio\/|video\/|application\/pdf|text\/)/.test(part.inlineData.mimeType))
    return `Unsupported MIME type: ${part.inlineData.mimeType.slice(0, 60)}`;
  const signature = part.thoughtSignature;
  if (signature !== undefined && !ACCEPTED_WITHOUT_SEAL.has(signature) && !isSealed(THOUGHT_SEAL, '', signature)) return 'Corrupted thought signature.';
  return undefined;
}

function wrongSettings(model: string, { generationConfig = {}, tools = [], toolConfig }: GenerateRequest): string | undefined {
  const { responseMimeType: mime, responseSchema, responseJsonSchema, thinkingConfig: thinking, logprobs, responseLogprobs } = generationConfig;
  if ((responseSchema !== undefined || responseJsonSchema !== undefined) && mime === undefined)
    return 'Response schema requires a response MIME type of application/json.';
  if (responseSchema !== undefined && responseJsonSchema !== undefined) return 'Only one of response_schema and response_json_schema may be set.';
  if (logprobs !== undefined && responseLogprobs !== true) return 'Logprobs are only allowed when response_logprobs is true.';
  if (thinking !== undefined && !canThink(model)) return 'Thinking is not enabled for this model.';
  if (thinking?.thinkingBudget === 0 && thinksAlways(model)) return 'Budget 0 is invalid. This model only works in thinking mode.';
  if (thinking?.thinkingLevel !== undefined && !model.startsWith('gemini-3')) return 'Thinking level is not supported for this model.';
  if (thinking?.thinkingBudget !== undefined && thinking.thinkingLevel !== undefined) return 'You can only set only one of thinking budget and thinking level.';
  const declared = tools.flatMap(({ functionDeclarations = [] }) => functionDeclarations);
  if (new Set(declared.map(({ name }) => name)).size < declared.length) return 'Duplicate function declaration found.';
  if (declared.some(({ parameters, parametersJsonSchema }) => parameters !== undefined && parametersJsonSchema !== undefined))
    return 'Only one of parameters and parameters_json_schema may be set.';
  const calling = toolConfig?.functionCallingConfig;
  if (calling?.mode === 'ANY' && declared.length === 0) return 'Function calling config is set without function_declarations.';
  const unknown = calling?.allowedFunctionNames?.find((name) => !declared.some((one) => one.name === name));
  if (unknown !== undefined) return `allowed_function_names contains "${unknown.slice(0, 60)}", which is not declared.`;
  return calling?.allowedFunctionNames !== undefined && calling.mode !== 'ANY' && calling.mode !== 'VALIDATED'
    ? 'Allowed function names should be set only when function calling mode is ANY or VALIDATED.'
    : undefined;
}
