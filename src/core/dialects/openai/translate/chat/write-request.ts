import type { NeutralChat, NeutralFormat, NeutralTool, NeutralToolChoice } from '../../../neutral.ts';
import type { LossLog } from '../../../losses.ts';
import { writeEffort } from '../reasoning.ts';
import { withoutAbsent } from '../../../values.ts';
import type { JsonObject } from '../../../values.ts';
import { writeMessages } from './write-messages.ts';

/** Most stop sequences that the API takes. Source: `stop` in `ChatCompletionCreateParamsBase` of the `openai` package. */
const MAX_STOPS = 4;

/** A schema has to have a name; other APIs' have none. */
const UNNAMED_SCHEMA = 'answer';

/**
 * Writes the body of `POST /chat/completions` with fields that every compatible server takes: `tool_choice` in its plain
 * forms, `user`, and nothing that repeats a default.
 */
export function writeChat(chat: NeutralChat, losses: LossLog): JsonObject {
  if (chat.sampling.topK !== undefined) losses.dropped('top_k', 'top_k has no equivalent in chat completions and was left out.');
  // OpenAI refuses metadata on an answer that it does not store.
  if (chat.metadata !== undefined) losses.dropped('metadata', 'metadata labels stored answers, and was left out as none is stored.');
  if (chat.reasoning?.visible === true)
    losses.dropped('reasoning', 'Chat completions have no word for showing what the model thinks; it is shown where the provider shows it by itself.');
  return {
    model: chat.model,
    messages: writeMessages(chat.messages, losses),
    ...(chat.stream ? { stream: true, stream_options: { include_usage: true } } : {}),
    ...writeToolUse(chat),
    ...writeSampling(chat, losses),
    ...withoutAbsent({
      max_completion_tokens: chat.maxOutputTokens,
      n: chat.choices === 1 ? undefined : chat.choices,
      reasoning_effort: writeEffort(chat.reasoning),
      response_format: writeFormat(chat.format),
      user: chat.user,
      service_tier: writeTier(chat.tier),
    }),
  };
}

function writeSampling({ sampling }: NeutralChat, losses: LossLog): JsonObject {
  const { stop, topLogprobs } = sampling;
  if (stop !== undefined && stop.length > MAX_STOPS) losses.dropped('stop', `Only the first ${MAX_STOPS} stop sequences were kept, as the API takes no more.`);
  return withoutAbsent({
    temperature: sampling.temperature,
    top_p: sampling.topP,
    frequency_penalty: sampling.frequencyPenalty,
    presence_penalty: sampling.presencePenalty,
    seed: sampling.seed,
    stop: stop === undefined || stop.length === 0 ? undefined : stop.slice(0, MAX_STOPS),
    logit_bias: sampling.logitBias,
    logprobs: sampling.logprobs ?? (topLogprobs === undefined ? undefined : true),
    top_logprobs: topLogprobs,
  });
}

/** A choice among tools is taken only where there are some. */
function writeToolUse({ tools, toolChoice, parallelToolCalls }: NeutralChat): JsonObject {
  if (tools.length === 0) return {};
  const names = toolChoice?.kind === 'required' ? toolChoice.names : undefined;
  // Those that may not be called are left out, as compatible servers do not know `allowed_tools`.
  const listed = names === undefined ? tools : tools.filter(({ name }) => names.includes(name));
  return { tools: listed.map(writeTool), ...withoutAbsent({ tool_choice: writeChoice(toolChoice), parallel_tool_calls: parallelToolCalls }) };
}

function writeTool({ name, description, parameters, strict }: NeutralTool): JsonObject {
  return { type: 'function', function: withoutAbsent({ name, description, parameters, strict }) };
}

function writeChoice(choice: NeutralToolChoice | undefined): string | JsonObject | undefined {
  return choice?.kind === 'tool' ? { type: 'function', function: { name: choice.name } } : choice?.kind;
}

function writeFormat(format: NeutralFormat | undefined): JsonObject | undefined {
  if (format?.kind !== 'json_schema') return format === undefined ? undefined : { type: format.kind };
  const { name = UNNAMED_SCHEMA, description, schema, strict } = format;
  return { type: 'json_schema', json_schema: { name, ...withoutAbsent({ description, strict }), schema } };
}

/** `auto` is what the field means where it is absent; servers that do not know it need not see it. */
function writeTier(tier: NeutralChat['tier']): string | undefined {
  return tier === 'standard' ? 'default' : tier === 'auto' ? undefined : tier;
}
