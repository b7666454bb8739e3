import type { NeutralChat, NeutralFormat, NeutralReasoning, NeutralSampling, NeutralTool, NeutralToolChoice } from '../../neutral.ts';
import { MAX_TOKEN_CAP } from '../../limits.ts';
import { MAX_CHOICES } from '../limits.ts';
import { tierOf } from '../usage.ts';
import type { ObjectReader } from './reading.ts';
import { withoutAbsent } from '../../values.ts';

/*
 * Fields that chat completions, responses and text completions share.
 * Source: the `*CreateParams` types of the `openai` package.
 */

const WHOLE = { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER };
const CHOICES = { min: 1, max: MAX_CHOICES };
const TOKEN_CAP = { min: 1, max: MAX_TOKEN_CAP };

const EFFORTS = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'] as const;

/** Hints to OpenAI's own cache: they change the bill of a repeated prompt, and no answer. */
const CACHE_HINTS: readonly string[] = ['prompt_cache_key', 'prompt_cache_options', 'prompt_cache_retention'];

type Tier = NonNullable<NeutralChat['tier']>;

export function readModel(body: ObjectReader): string {
  return body.required('model');
}

/** What decides the next token. `top_k` is no field of OpenAI's, but many compatible servers take it, and other providers. */
export function readSampling(body: ObjectReader): NeutralSampling {
  return withoutAbsent({
    temperature: body.number('temperature'),
    topP: body.number('top_p'),
    topK: body.integer('top_k', WHOLE),
    frequencyPenalty: body.number('frequency_penalty'),
    presencePenalty: body.number('presence_penalty'),
    seed: body.integer('seed', WHOLE),
    stop: readStop(body),
    logitBias: body.record('logit_bias', 'number'),
  });
}

function readStop(body: ObjectReader): readonly string[] | undefined {
  const stop = body.value('stop');
  if (stop === undefined) return undefined;
  return typeof stop === 'string' ? [stop] : body.strings('stop');
}

export function readChoices(body: ObjectReader): number {
  return body.integer('n', CHOICES) ?? 1;
}

/** The first cap that is there; `readRequest` has seen to it that two of them agree. */
export function readCap(body: ObjectReader, fields: readonly string[]): number | undefined {
  const caps = fields.map((field) => body.integer(field, TOKEN_CAP));
  return caps.find((cap) => cap !== undefined);
}

/** `safety_identifier` is the newer name of `user`. */
export function readUser(body: ObjectReader): string | undefined {
  const user = body.string('user');
  for (const hint of CACHE_HINTS)
    body.drop(hint, `${hint} speaks to OpenAI's own cache and was left out. Mark what is to be cached by prompt_cache_breakpoint.`);
  return body.string('safety_identifier') ?? user;
}

export function readTier(body: ObjectReader): Tier | undefined {
  const name = body.string('service_tier');
  if (name === undefined || name === 'auto') return name;
  const tier = tierOf(name);
  if (tier !== undefined && tier !== 'batch') return tier;
  body.drop('service_tier', 'service_tier names a tier that is not known here and was left out.');
  return undefined;
}

export function readStream(body: ObjectReader): Pick<NeutralChat, 'stream' | 'wantsStreamUsage'> {
  const stream = body.boolean('stream') === true;
  const options = body.object('stream_options');
  // Padding against those who guess at text by its length; no answer depends on it.
  options?.ignore(['include_obfuscation']);
  const wantsStreamUsage = options?.boolean('include_usage') === true;
  options?.dropRest();
  return { stream, wantsStreamUsage };
}

export function readReasoning(effort: ObjectReader, field: 'effort' | 'reasoning_effort', visible: boolean | undefined): NeutralReasoning | undefined {
  const reasoning = withoutAbsent({ effort: effort.word(field, EFFORTS), visible });
  return Object.keys(reasoning).length === 0 ? undefined : reasoning;
}

/** A function in the form that both APIs share; `holder` is what has its name. */
export function readFunction(holder: ObjectReader): NeutralTool {
  return {
    name: holder.required('name'),
    description: holder.string('description'),
    parameters: holder.json('parameters'),
    strict: holder.boolean('strict'),
  };
}

/** A format of answers; `holder` is what has a schema's name, beside the type or below it. */
export function readSchema(holder: ObjectReader): NeutralFormat {
  return {
    kind: 'json_schema',
    name: holder.string('name'),
    description: holder.string('description'),
    schema: holder.json('schema') ?? {},
    strict: holder.boolean('strict'),
  };
}

/** Which tools a model may call, and how it chooses among them. */
export interface ToolUse {
  readonly tools: readonly NeutralTool[];
  readonly toolChoice: NeutralToolChoice | undefined;
}

/**
 * A choice among some of the tools. Where the model is free to call none, the others are left out of the list, which
 * comes to the same: the field exists so that a cached list can stay as it is.
 */
export function allowTools(tools: readonly NeutralTool[], mode: 'auto' | 'required' | undefined, names: readonly string[]): ToolUse {
  if (mode === 'required') return { tools, toolChoice: { kind: 'required', names } };
  return { tools: tools.filter(({ name }) => names.includes(name)), toolChoice: { kind: 'auto' } };
}
