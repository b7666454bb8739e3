import { encodeUtf8 } from '../../../json/index.ts';
import type { NeutralChat, NeutralFormat, NeutralRequest } from '../../neutral.ts';
import type { WrittenRequest } from '../../translation.ts';
import type { Endpoint } from '../../types.ts';
import { generationOf } from './generation.ts';
import type { Generation } from './generation.ts';
import { stringify } from './jsontext.ts';
import { LossLog } from './losses.ts';
import { decoderSchema } from './schema.ts';
import { BlockWriter } from './write-content.ts';
import type { Wire } from './write-content.ts';
import { writeConversation } from './write-messages.ts';
import { accountOf, samplingOf, toolChoiceOf, toolsOf } from './write-options.ts';
import { reasoningOf } from './write-reasoning.ts';

/** Anthropic wants a cap, and the caller named none: `call/` writes the admitted one over this. A budget of thinking comes on top. */
export const DEFAULT_MAX_TOKENS = 8_192;

const MESSAGES: Endpoint = { operation: 'chat', path: '/messages', body: 'json' };
const COUNT_TOKENS: Endpoint = { operation: 'count_tokens', path: '/messages/count_tokens', body: 'json' };

/** Writes a request for Anthropic, which has no embeddings. Source: `MessageCreateParams` and `MessageCountTokensParams` of `@anthropic-ai/sdk`. */
export function writeRequest(request: NeutralRequest): WrittenRequest | undefined {
  if (request.kind === 'embedding') return undefined;
  const chat = request.kind === 'chat' ? request : request.chat;
  const losses = new LossLog();
  const input = writeInput(chat, losses);
  const body = request.kind === 'chat' ? { ...input.counted, ...input.uncounted } : input.counted;
  return { endpoint: request.kind === 'chat' ? MESSAGES : COUNT_TOKENS, body: encodeUtf8(stringify(body)), losses: losses.all };
}

/** A body's fields, by whether the endpoint that counts tokens takes them too. */
interface WrittenInput {
  readonly counted: Wire;
  readonly uncounted: Wire;
}

function writeInput(chat: NeutralChat, losses: LossLog): WrittenInput {
  if (chat.choices > 1) losses.refused('n', 'Anthropic gives one answer to a request. Ask several times instead.');
  const generation = generationOf(chat.model);
  const blocks = new BlockWriter(callIdsOf(chat), losses);
  const tools = toolsOf(chat, blocks, losses);
  const conversation = writeConversation(chat.messages, blocks, losses);
  const format = formatOf(chat.format, generation, losses);
  const { thinking, effort, thinks, budgetTokens } = reasoningOf(chat, generation, losses);
  const config = { effort, format: format.output };
  return {
    counted: {
      model: chat.model,
      system: systemOf([...conversation.system, ...format.instructions]),
      messages: conversation.messages,
      ...tools,
      ...toolChoiceOf(chat, losses),
      thinking,
      output_config: effort === undefined && format.output === undefined ? undefined : config,
    },
    uncounted: {
      max_tokens: chat.maxOutputTokens ?? DEFAULT_MAX_TOKENS + budgetTokens,
      stream: chat.stream ? true : undefined,
      ...samplingOf(chat.sampling, generation, thinks, losses),
      ...accountOf(chat, losses),
    },
  };
}

function callIdsOf({ messages }: NeutralChat): readonly string[] {
  return messages.flatMap(({ parts }) => parts.flatMap((part) => (part.kind === 'tool_call' ? [part.id] : part.kind === 'tool_result' ? [part.callId] : [])));
}

/** One plain text is written as a string. */
function systemOf(blocks: readonly Wire[]): unknown {
  const [only, ...others] = blocks;
  if (only === undefined) return undefined;
  return others.length === 0 && only['cache_control'] === undefined ? only['text'] : blocks;
}

interface WrittenFormat {
  readonly output?: Wire;
  /** Blocks behind the system prompt, where the format can only be asked for. */
  readonly instructions: readonly Wire[];
}

/** A schema is enforced where the model can; any JSON object is only asked for. The schema's name is for people, and has no place here. */
function formatOf(format: NeutralFormat | undefined, generation: Generation, losses: LossLog): WrittenFormat {
  if (format === undefined || format.kind === 'text') return { instructions: [] };
  if (format.kind === 'json_object') {
    losses.dropped('response_format', 'Anthropic has no format of any JSON object; the model is asked for one, and its answer is not checked.');
    return { instructions: [instruction('Answer with one JSON object and nothing else.')] };
  }
  const { schema, isRelaxed } = decoderSchema(described(format));
  if (!generation.format) {
    losses.dropped('response_format', 'This model enforces no schema; it is asked to keep to it, and its answer is not checked.');
    return { instructions: [instruction(`Answer with one JSON value that matches this JSON Schema and nothing else: ${stringify(format.schema)}`)] };
  }
  if (isRelaxed) losses.dropped('response_format', 'Anthropic cannot enforce all of the schema; what it cannot is told the model in descriptions.');
  return { output: { type: 'json_schema', schema }, instructions: [] };
}

function described({ schema, description }: Extract<NeutralFormat, { readonly kind: 'json_schema' }>): Readonly<Record<string, unknown>> {
  return description === undefined || schema['description'] !== undefined ? schema : { ...schema, description };
}

function instruction(text: string): Wire {
  return { type: 'text', text };
}
