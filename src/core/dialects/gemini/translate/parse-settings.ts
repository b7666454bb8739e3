import type { NeutralChat, NeutralFormat, NeutralReasoning, NeutralSampling } from '../../neutral.ts';
import type { ObjectReader } from './reading.ts';
import { jsonSchemaOf } from './schema.ts';
import { isEmpty, withoutAbsent } from '../../values.ts';
import type { JsonObject } from '../../values.ts';

type Settings = Pick<NeutralChat, 'sampling' | 'format' | 'reasoning' | 'maxOutputTokens' | 'choices'>;

const JSON_TYPES: ReadonlySet<string> = new Set(['application/json', 'APPLICATION_JSON']);
const TEXT_TYPES: ReadonlySet<string> = new Set(['text/plain', 'TEXT_PLAIN']);

/** Source: `ThinkingLevel` of `@google/genai`; the API takes them in small letters too, and `xhigh` for some models. */
const LEVELS: ReadonlyMap<string, NonNullable<NeutralReasoning['effort']>> = new Map([
  ['minimal', 'minimal'],
  ['low', 'low'],
  ['medium', 'medium'],
  ['high', 'high'],
  ['xhigh', 'xhigh'],
]);

/** Reads `generationConfig`. Source: `GenerationConfig` of `@google/genai`. */
export function readSettings(settings: ObjectReader | undefined): Settings {
  if (settings === undefined) return { sampling: {}, format: undefined, reasoning: undefined, maxOutputTokens: undefined, choices: 1 };
  const read: Settings = {
    sampling: readSampling(settings),
    format: readFormat(settings),
    reasoning: readReasoning(settings.object('thinkingConfig')),
    maxOutputTokens: settings.integer('maxOutputTokens'),
    choices: settings.integer('candidateCount') ?? 1,
  };
  const modalities = settings.strings('responseModalities') ?? [];
  if (modalities.some((modality) => modality !== 'TEXT'))
    settings.refuse('responseModalities', `${settings.at('responseModalities')} asks for more than text, which other providers' chats do not give.`);
  settings.dropRest();
  return read;
}

function readSampling(settings: ObjectReader): NeutralSampling {
  return withoutAbsent({
    temperature: settings.number('temperature'),
    topP: settings.number('topP'),
    topK: settings.integer('topK'),
    frequencyPenalty: settings.number('frequencyPenalty'),
    presencePenalty: settings.number('presencePenalty'),
    seed: settings.integer('seed'),
    stop: settings.strings('stopSequences'),
    logprobs: settings.boolean('responseLogprobs'),
    topLogprobs: settings.integer('logprobs'),
  });
}

/** The form of the answer, in the older fields or the newer list of forms. */
function readFormat(settings: ObjectReader): NeutralFormat | undefined {
  const [listed] = settings.objects('responseFormat').flatMap((format) => {
    const text = format.object('text');
    format.dropRest();
    return text ?? [];
  });
  const openApi = settings.json('responseSchema');
  const schema =
    settings.json('responseJsonSchema') ??
    settings.json('_responseJsonSchema') ??
    listed?.json('schema') ??
    (openApi === undefined ? undefined : jsonSchemaOf(openApi));
  const mimeType = settings.string('responseMimeType') ?? listed?.string('mimeType') ?? '';
  listed?.dropRest();
  return formatOf(settings, mimeType, schema);
}

function formatOf(settings: ObjectReader, mimeType: string, schema: JsonObject | undefined): NeutralFormat | undefined {
  if (mimeType !== '' && !JSON_TYPES.has(mimeType) && !TEXT_TYPES.has(mimeType)) {
    const param = settings.at('responseMimeType');
    settings.log.losses.refused(param, `${param} names a form of answers that only Gemini gives. Others give text/plain and application/json.`);
    return undefined;
  }
  if (schema !== undefined) return { kind: 'json_schema', name: undefined, description: undefined, schema, strict: undefined };
  if (JSON_TYPES.has(mimeType)) return { kind: 'json_object' };
  return mimeType === '' ? undefined : { kind: 'text' };
}

/** A budget of -1 leaves it to the model. */
function readReasoning(thinking: ObjectReader | undefined): NeutralReasoning | undefined {
  if (thinking === undefined) return undefined;
  const budget = thinking.integer('thinkingBudget');
  const level = thinking.string('thinkingLevel')?.toLowerCase();
  const effort = level === undefined ? undefined : LEVELS.get(level);
  if (level !== undefined && effort === undefined && level !== 'thinking_level_unspecified') {
    thinking.drop('thinkingLevel', `${thinking.at('thinkingLevel')} names a level that is not known here and was left out.`);
  }
  const reasoning = withoutAbsent({
    effort,
    budgetTokens: budget !== undefined && budget >= 0 ? budget : undefined,
    adaptive: budget !== undefined && budget < 0 ? true : undefined,
    visible: thinking.boolean('includeThoughts'),
  });
  thinking.dropRest();
  return isEmpty(reasoning) ? undefined : reasoning;
}
