import type { NeutralChat, NeutralFormat } from '../../neutral.ts';
import { MAX_CANDIDATES } from '../limits.ts';
import type { Generation } from './generation.ts';
import type { LossLog } from '../../losses.ts';
import { isEnforced, withoutConst } from './schema.ts';
import { isEmpty, withoutAbsent } from '../../values.ts';
import type { JsonObject } from '../../values.ts';
import { writeThinkingConfig } from './write-thinking.ts';

/** Most stop sequences. Source: Gemini API reference, "GenerationConfig". */
const MAX_STOPS = 5;

const JSON_TYPE = 'application/json';

/** What a label may be. Source: Google Cloud, "Labels": requirements. */
const LABEL_KEY = /^[a-z][a-z0-9_-]{0,62}$/;
const LABEL_VALUE = /^[a-z0-9_-]{0,63}$/;

/** Writes `generationConfig`; `undefined` where there is nothing to set. */
export function writeSettings(chat: NeutralChat, generation: Generation, losses: LossLog): JsonObject | undefined {
  const { sampling, choices } = chat;
  const { stop = [] } = sampling;
  if (stop.length > MAX_STOPS) losses.refused('stop', `Gemini takes at most ${MAX_STOPS} stop sequences. Send fewer.`);
  if (choices > MAX_CANDIDATES) losses.refused('n', `Gemini gives at most ${MAX_CANDIDATES} answers to one request. Ask for fewer.`);
  if (sampling.logitBias !== undefined) losses.dropped('logit_bias', 'Gemini has no bias of single tokens, so it was left out.');
  const settings = withoutAbsent({
    temperature: sampling.temperature,
    topP: sampling.topP,
    topK: sampling.topK,
    frequencyPenalty: sampling.frequencyPenalty,
    presencePenalty: sampling.presencePenalty,
    seed: sampling.seed,
    stopSequences: sampling.stop,
    responseLogprobs: sampling.logprobs,
    logprobs: sampling.topLogprobs,
    candidateCount: choices === 1 ? undefined : choices,
    maxOutputTokens: chat.maxOutputTokens,
    thinkingConfig: writeThinkingConfig(chat.reasoning, generation, losses),
    ...writeFormat(chat.format, losses),
  });
  return isEmpty(settings) ? undefined : settings;
}

/** Writes what stands beside `generationConfig`. */
export function writeRest({ tier, metadata, user }: NeutralChat, losses: LossLog): JsonObject {
  if (user !== undefined) losses.dropped('user', 'Gemini takes no id of the end user, so it was left out.');
  const fits = Object.entries(metadata ?? {}).every(([key, value]) => LABEL_KEY.test(key) && LABEL_VALUE.test(value));
  if (!fits)
    losses.dropped('metadata', 'Gemini takes metadata as labels of small letters, digits, hyphens and underscores; what was sent is none, and was left out.');
  return withoutAbsent({ serviceTier: tier === 'auto' ? undefined : tier, labels: fits ? metadata : undefined });
}

function writeFormat(format: NeutralFormat | undefined, losses: LossLog): JsonObject {
  switch (format?.kind) {
    case undefined:
      return {};
    case 'text':
      return { responseMimeType: 'text/plain' };
    case 'json_object':
      return { responseMimeType: JSON_TYPE };
    case 'json_schema':
      if (!isEnforced(format.schema))
        losses.dropped('response_format', 'Gemini holds answers to a part of JSON Schema only; what of the schema is not in it is passed over.');
      return { responseMimeType: JSON_TYPE, responseJsonSchema: writeSchema(format) };
  }
}

/** What the format is for is said in the schema itself, where nothing else is said there. */
function writeSchema({ schema, description }: Extract<NeutralFormat, { readonly kind: 'json_schema' }>): JsonObject {
  const isFree = description !== undefined && !Object.hasOwn(schema, 'description') && !Object.hasOwn(schema, '$ref');
  return withoutConst(isFree ? { ...schema, description } : schema);
}
