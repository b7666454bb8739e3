import type { Format, Part, Prompt, ToolChoice, Turn } from '../prompt.ts';
import { canThink, thinksAlways } from './rules.ts';
import { jsonSchemaOf } from './jsonschema.ts';
import type { Content, GeminiPart, GenerateRequest } from './schema.ts';

/** What is asked, in words that all dialects share. */
export function promptOf(model: string, request: GenerateRequest): Prompt {
  const { generationConfig: config = {}, systemInstruction: system, tools = [], toolConfig } = request;
  return {
    model,
    turns: [...(system === undefined ? [] : [{ role: 'system' as const, parts: system.parts.flatMap(partsOf) }]), ...request.contents.flatMap(turnsOf)],
    tools: tools.flatMap(({ functionDeclarations = [] }) =>
      functionDeclarations.map(({ name, description, parameters, parametersJsonSchema }) => ({
        name,
        description,
        schema: (parametersJsonSchema as Readonly<Record<string, unknown>> | undefined) ?? (parameters === undefined ? {} : jsonSchemaOf(parameters)),
      })),
    ),
    choice: choiceOf(toolConfig?.functionCallingConfig),
    parallel: true,
    format: formatOf(config),
    cap: config.maxOutputTokens ?? Number.POSITIVE_INFINITY,
    stops: config.stopSequences ?? [],
    thinking: thinkingOf(model, config.thinkingConfig),
    answers: config.candidateCount ?? 1,
  };
}

/** Results of tools are turns of their own. */
function turnsOf({ role, parts }: Content): readonly Turn[] {
  const results = parts.flatMap(({ functionResponse: result }): Turn[] =>
    result === undefined ? [] : [{ role: 'tool', parts: [{ kind: 'text', text: resultText(result.response) }] }],
  );
  const rest = parts.flatMap(partsOf);
  return rest.length === 0 ? results : [...results, { role: role === 'model' ? 'assistant' : 'user', parts: rest }];
}

/** What a tool said, where it was put into an object because Gemini wants one. */
function resultText(response: Readonly<Record<string, unknown>>): string {
  const [only, ...others] = Object.entries(response);
  const isWrapped = only !== undefined && others.length === 0 && ['output', 'result', 'content', 'error'].includes(only[0]) && typeof only[1] === 'string';
  return isWrapped ? String(only[1]) : JSON.stringify(response);
}

export function partsOf(part: GeminiPart): readonly Part[] {
  if (part.thought === true) return [];
  if (part.text !== undefined) return [{ kind: 'text', text: part.text }];
  if (part.inlineData !== undefined) return [{ kind: 'media', data: part.inlineData.data }];
  if (part.fileData !== undefined) return [{ kind: 'media', data: part.fileData.fileUri }];
  if (part.functionCall !== undefined) return [{ kind: 'call', name: part.functionCall.name, arguments: JSON.stringify(part.functionCall.args ?? {}) }];
  return [];
}

function choiceOf(config: NonNullable<GenerateRequest['toolConfig']>['functionCallingConfig']): ToolChoice {
  switch (config?.mode) {
    case 'ANY':
      return { kind: 'required', ...(config.allowedFunctionNames === undefined ? {} : { names: config.allowedFunctionNames }) };
    case 'NONE':
      return { kind: 'none' };
    default:
      return { kind: 'auto' };
  }
}

function formatOf({ responseMimeType: mime, responseSchema, responseJsonSchema }: NonNullable<GenerateRequest['generationConfig']>): Format | undefined {
  if (mime !== 'application/json') return undefined;
  if (responseJsonSchema !== undefined) return { kind: 'schema', schema: responseJsonSchema as Readonly<Record<string, unknown>> };
  return responseSchema === undefined ? { kind: 'object' } : { kind: 'schema', schema: jsonSchemaOf(responseSchema) };
}

/** Flash models decide by themselves; here they think only when they are asked to. */
function thinkingOf(model: string, config: NonNullable<GenerateRequest['generationConfig']>['thinkingConfig']): number {
  if (!canThink(model)) return 0;
  const { thinkingBudget: budget, thinkingLevel: level, includeThoughts } = config ?? {};
  if (budget !== undefined) return budget < 0 ? Number.POSITIVE_INFINITY : budget;
  return thinksAlways(model) || level !== undefined || includeThoughts === true ? Number.POSITIVE_INFINITY : 0;
}
