import { parsePlainObject } from '../../../json/index.ts';
import { err, ok } from '../../../units/index.ts';
import type { Result } from '../../../units/index.ts';
import type { NeutralChat, NeutralRequest } from '../../neutral.ts';
import type { ParsedRequest } from '../../translation.ts';
import type { Endpoint, RequestFault } from '../../types.ts';
import { tierOf } from '../usage.ts';
import { readMessages } from './parse-contents.ts';
import { readEmbedding } from './parse-embedding.ts';
import { readSettings } from './parse-settings.ts';
import { readTools } from './parse-tools.ts';
import { ObjectReader, RequestLog } from './reading.ts';

/** Reads a caller's request. What it names that has no neutral form is told as lost, never left out without a word. */
export function parseRequest(endpoint: Endpoint, body: Uint8Array): Result<ParsedRequest, RequestFault> {
  const parsed = parsePlainObject(body);
  if (parsed === undefined) return err({ code: 'invalid_json', param: undefined, message: 'The body is not a JSON object.' });
  const log = new RequestLog();
  const request = readRequest(endpoint, new ObjectReader(parsed.value, '', log));
  return log.faults.first === undefined ? ok({ request, losses: log.losses.list() }) : err(log.faults.first);
}

function readRequest(endpoint: Endpoint, body: ObjectReader): NeutralRequest {
  const model = endpoint.model ?? '';
  switch (endpoint.operation) {
    case 'embeddings':
      return readEmbedding(endpoint, model, body);
    case 'count_tokens': {
      const whole = body.object('generateContentRequest');
      const chat = readChat(endpoint, model, whole ?? body);
      if (whole !== undefined) body.dropRest();
      return { kind: 'count_tokens', chat };
    }
    default:
      return readChat(endpoint, model, body);
  }
}

function readChat(endpoint: Endpoint, model: string, body: ObjectReader): NeutralChat {
  const messages = readMessages(body);
  if (!messages.some(({ role }) => role !== 'system'))
    body.log.invalid(body.at('contents'), `${body.at('contents')} must be an array of at least one content.`);
  const chat: NeutralChat = {
    kind: 'chat',
    model,
    stream: endpoint.stream === true,
    wantsStreamUsage: true,
    messages,
    ...readTools(body),
    parallelToolCalls: undefined,
    ...readSettings(body.object('generationConfig')),
    user: undefined,
    metadata: body.record('labels'),
    tier: readTier(body),
  };
  body.drop('safetySettings', 'safetySettings has no equal at other providers, which filter by rules of their own, and was left out.');
  body.refuse('cachedContent', 'cachedContent names what Google keeps, which no other provider can read. Send the content itself.');
  body.refuse('continuationToken', 'continuationToken goes on with an answer of one Gemini model, and of no other.');
  // The path names the model, and nothing is stored.
  body.ignore(['model', 'store']);
  body.dropRest();
  return chat;
}

function readTier(body: ObjectReader): NeutralChat['tier'] {
  const name = body.string('serviceTier');
  const tier = name === undefined ? undefined : tierOf(name);
  if (name !== undefined && tier === undefined) body.drop('serviceTier', 'serviceTier names a tier that is not known here and was left out.');
  if (name?.toLowerCase() === 'unspecified') return 'auto';
  return tier === 'batch' ? undefined : tier;
}
