import type { NeutralChat, NeutralSampling, NeutralTool } from '../../neutral.ts';
import type { Generation } from './generation.ts';
import type { LossLog } from './losses.ts';
import { decoderSchema } from './schema.ts';
import type { BlockWriter, Wire } from './write-content.ts';

/** Source: Anthropic's error for others, `String should match pattern '^[a-zA-Z0-9_-]{1,128}$'`. */
const TOOL_NAME = /^[a-zA-Z0-9_-]{1,128}$/;

/** Tools without parameters still take an object. */
const NO_PARAMETERS = { type: 'object', properties: {} };

/** Writes `tools`; of a choice among several named ones only those. */
export function toolsOf(chat: NeutralChat, blocks: BlockWriter, losses: LossLog): Wire {
  const names = chat.toolChoice?.kind === 'required' ? chat.toolChoice.names : undefined;
  const tools = names === undefined ? chat.tools : chat.tools.filter(({ name }) => names.includes(name));
  return tools.length === 0 ? {} : { tools: tools.map((tool) => writeTool(tool, blocks, losses)) };
}

function writeTool({ name, description, parameters, strict, cache }: NeutralTool, blocks: BlockWriter, losses: LossLog): Wire {
  if (!TOOL_NAME.test(name)) losses.refused('tools', 'Anthropic takes names of tools of up to 128 letters, digits, underscores and hyphens. Rename the tool.');
  const schema = parameters === undefined ? NO_PARAMETERS : parameters['type'] === undefined ? { type: 'object', ...parameters } : parameters;
  const closed = strict === true ? decoderSchema(schema) : undefined;
  if (closed?.isRelaxed === true)
    losses.dropped('strict', 'Anthropic cannot enforce all of a strict schema; the model is told it, and its calls are not checked against it.');
  const isStrict = closed !== undefined && !closed.isRelaxed;
  return {
    name,
    description,
    input_schema: isStrict ? closed.schema : schema,
    ...(isStrict ? { strict } : strict === false ? { strict } : {}),
    ...blocks.cacheControl(cache),
  };
}

/** Writes `tool_choice`, which Anthropic takes only beside tools. */
export function toolChoiceOf({ tools, toolChoice, parallelToolCalls }: NeutralChat, losses: LossLog): Wire {
  if (tools.length === 0) {
    if (toolChoice?.kind === 'required' || toolChoice?.kind === 'tool')
      losses.refused('tool_choice', 'tool_choice wants a tool to be called, and there is none. Send tools, or leave tool_choice out.');
    return {};
  }
  if (toolChoice?.kind === 'none') return { tool_choice: { type: 'none' } };
  if (toolChoice === undefined && parallelToolCalls !== false) return {};
  const disabled = parallelToolCalls === undefined ? {} : { disable_parallel_tool_use: !parallelToolCalls };
  return { tool_choice: { ...choiceOf(toolChoice), ...disabled } };
}

function choiceOf(choice: NeutralChat['toolChoice']): Wire {
  if (choice?.kind === 'tool') return { type: 'tool', name: choice.name };
  if (choice?.kind !== 'required') return { type: 'auto' };
  const [only, ...others] = choice.names ?? [];
  return only !== undefined && others.length === 0 ? { type: 'tool', name: only } : { type: 'any' };
}

/** Writes `temperature` and the like. `thinks`: with thinking turned on, Anthropic takes none of them. */
export function samplingOf(sampling: NeutralSampling, generation: Generation, thinks: boolean, losses: LossLog): Wire {
  const { temperature, topP, topK, stop } = sampling;
  noteUnknownSampling(sampling, losses);
  const written = { stop_sequences: stopsOf(stop, losses) };
  if (temperature === undefined && topP === undefined && topK === undefined) return written;
  if (!generation.sampling || thinks) {
    losses.dropped('temperature', `Anthropic takes no temperature, top_p or top_k ${thinks ? 'with thinking' : 'for this model'}; they are left out.`);
    return written;
  }
  if (temperature !== undefined && temperature > 1) losses.dropped('temperature', "Anthropic's temperature ends at 1; a higher one is lowered to it.");
  const both = temperature !== undefined && topP !== undefined;
  if (both && !generation.bothSampling) losses.dropped('top_p', 'Anthropic takes temperature or top_p for this model, not both; top_p is left out.');
  return {
    ...written,
    temperature: temperature === undefined ? undefined : Math.min(1, temperature),
    top_p: both && !generation.bothSampling ? undefined : topP,
    top_k: topK,
  };
}

function noteUnknownSampling(sampling: NeutralSampling, losses: LossLog): void {
  const lost: readonly (readonly [param: string, isSaid: boolean])[] = [
    ['frequency_penalty', (sampling.frequencyPenalty ?? 0) !== 0],
    ['presence_penalty', (sampling.presencePenalty ?? 0) !== 0],
    ['seed', sampling.seed !== undefined],
    ['logprobs', sampling.logprobs === true || (sampling.topLogprobs ?? 0) > 0],
    ['logit_bias', Object.keys(sampling.logitBias ?? {}).length > 0],
  ];
  for (const [param, isSaid] of lost) if (isSaid) losses.dropped(param, `Anthropic has no ${param}; it is left out.`);
}

function stopsOf(stop: readonly string[] | undefined, losses: LossLog): readonly string[] | undefined {
  const stops = (stop ?? []).filter((text) => text.trim() !== '');
  if (stops.length < (stop?.length ?? 0)) losses.dropped('stop', 'Anthropic takes no stop sequences of white space only; they are left out.');
  return stops.length === 0 ? undefined : stops;
}

/** Writes who asks, and at which tier. */
export function accountOf({ user, metadata, tier }: NeutralChat, losses: LossLog): Wire {
  if (Object.keys(metadata ?? {}).length > 0) losses.dropped('metadata', 'Anthropic has no metadata but the id of a user; it is left out.');
  if (tier === 'flex' || tier === 'priority') losses.dropped('service_tier', `Anthropic has no tier ${tier} that a request can ask for; it is left out.`);
  return {
    metadata: user === undefined ? undefined : { user_id: user },
    service_tier: tier === 'auto' ? 'auto' : tier === 'standard' ? 'standard_only' : undefined,
  };
}
