import { parseJson } from '../../../json/index.ts';
import { err, ok } from '../../../units/index.ts';
import type { Result } from '../../../units/index.ts';
import { FaultLog, Fields } from '../../fields.ts';
import type { NeutralChat, NeutralMessage } from '../../neutral.ts';
import { MAX_MODEL_BYTES, MAX_TOKEN_CAP } from '../../limits.ts';
import type { ParsedRequest } from '../../translation.ts';
import type { Endpoint, RequestFault } from '../../types.ts';
import { LossLog } from './losses.ts';
import { readCache, readContent } from './parse-content.ts';
import type { Conversation } from './parse-content.ts';
import { readFormat, readReasoning, readSampling, readTier, readToolChoice, readTools, readUser } from './parse-options.ts';

/** Longest role that is looked at. */
const MAX_ROLE_BYTES = 32;

const MESSAGE_FIELDS: ReadonlySet<string> = new Set(['role', 'content']);

const BODY_FIELDS: ReadonlySet<string> = new Set([
  'cache_control',
  'compaction',
  'inference_geo',
  'max_tokens',
  'mcp_servers',
  'messages',
  'metadata',
  'model',
  'output_config',
  'output_format',
  'service_tier',
  'stop_sequences',
  'stream',
  'system',
  'temperature',
  'thinking',
  'tool_choice',
  'tools',
  'top_k',
  'top_p',
]);

/**
 * Reads a caller's message, or what it wants counted. Source: `MessageCreateParams` of `@anthropic-ai/sdk`, with the fields
 * of earlier versions (`temperature`, `top_p`, `top_k`, `output_format`).
 */
export function parseRequest(endpoint: Endpoint, bytes: Uint8Array): Result<ParsedRequest, RequestFault> {
  const parsed = parseJson(bytes);
  if (!parsed.ok) return err({ code: 'invalid_json', param: undefined, message: `The body is not valid JSON. ${parsed.error.message}` });
  if (parsed.value.kind(parsed.value.root) !== 'object') return err({ code: 'invalid_body', param: undefined, message: 'The body must be a JSON object.' });
  const faults = new FaultLog();
  const losses = new LossLog();
  const chat = readChat(new Fields(parsed.value, parsed.value.root, '', faults), losses);
  if (faults.first !== undefined) return err(faults.first);
  return ok({ request: endpoint.operation === 'count_tokens' ? { kind: 'count_tokens', chat } : chat, losses: losses.all });
}

function readChat(body: Fields, losses: LossLog): NeutralChat {
  losses.unknownFields(body, BODY_FIELDS);
  refuseWhatOnlyAnthropicDoes(body, losses);
  const conversation: Conversation = { losses, toolNames: new Map() };
  const messages = [...readSystem(body, conversation), ...body.objects('messages').map((message) => readMessage(message, conversation))];
  return {
    kind: 'chat',
    model: body.string('model', MAX_MODEL_BYTES) ?? '',
    stream: body.boolean('stream') ?? false,
    wantsStreamUsage: true,
    messages: withAutomaticCache(body, messages),
    tools: readTools(body, losses),
    ...readToolChoice(body),
    format: readFormat(body, losses),
    sampling: readSampling(body),
    reasoning: readReasoning(body, losses),
    maxOutputTokens: body.integer('max_tokens', { min: 0, max: MAX_TOKEN_CAP }),
    choices: 1,
    user: readUser(body, losses),
    metadata: undefined,
    tier: readTier(body, losses),
  };
}

/** What would change the answer, or where it is made, were it left out. */
function refuseWhatOnlyAnthropicDoes(body: Fields, losses: LossLog): void {
  if (body.items('mcp_servers').length > 0)
    losses.refused('mcp_servers', 'mcp_servers are called by Anthropic itself, which no other provider does. Route this call to Anthropic.');
  if (body.node('compaction') !== undefined)
    losses.refused('compaction', 'compaction asks for a summary in a form of its own, which no other provider has. Route this call to Anthropic.');
  const geo = body.string('inference_geo', MAX_ROLE_BYTES) ?? 'global';
  if (geo !== 'global') losses.refused('inference_geo', 'inference_geo cannot be kept at another provider. Leave it out, or route this call to Anthropic.');
  const cap = body.node('max_tokens');
  if (cap !== undefined && body.document.integer(cap) === 0)
    losses.refused('max_tokens', "A max_tokens of 0 fills Anthropic's prompt cache, which no other provider does. Ask for at least 1 token.");
}

function readSystem(body: Fields, conversation: Conversation): readonly NeutralMessage[] {
  const parts = body.node('system') === undefined ? [] : readContent(body, 'system', 'system', conversation);
  return parts.length === 0 ? [] : [{ role: 'system', parts }];
}

function readMessage(message: Fields, conversation: Conversation): NeutralMessage {
  conversation.losses.unknownFields(message, MESSAGE_FIELDS);
  const role = message.string('role', MAX_ROLE_BYTES);
  if (role !== 'user' && role !== 'assistant' && role !== 'system') {
    message.faults.add('invalid_value', message.at('role'), `${message.at('role')} must be user, assistant or system.`);
    return { role: 'user', parts: [] };
  }
  return { role, parts: readContent(message, 'content', role, conversation) };
}

/** A `cache_control` of the whole request marks its last block. Source: `MessageCreateParams.cache_control`. */
function withAutomaticCache(body: Fields, messages: readonly NeutralMessage[]): readonly NeutralMessage[] {
  const automatic = readCache(body);
  const last = messages.at(-1);
  const part = last?.parts.at(-1);
  if (
    automatic.cache === undefined ||
    last === undefined ||
    part === undefined ||
    part.kind === 'thinking' ||
    part.kind === 'refusal' ||
    part.cache !== undefined
  )
    return messages;
  return [...messages.slice(0, -1), { ...last, parts: [...last.parts.slice(0, -1), { ...part, ...automatic }] }];
}
