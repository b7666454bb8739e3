/**
 * OpenAI's APIs to and from the neutral form: chat completions, responses, text completions and embeddings, a folder each.
 *
 * Owns what of a request or an answer means what, and what is lost. Must never know who is on the other side: another
 * dialect is only ever met in the neutral form. Requests are written as chat completions, which every compatible server has.
 */
import { encodeJson, parsePlainObject } from '../../../json/index.ts';
import { err, ok } from '../../../units/index.ts';
import type { Result } from '../../../units/index.ts';
import type { NeutralAnswer, NeutralRequest } from '../../neutral.ts';
import type { AnswerContext, ParsedRequest, StreamReader, StreamWriter, Translation, WrittenRequest } from '../../translation.ts';
import type { Endpoint, RequestFault } from '../../types.ts';
import { errorStatus, parseError, writeError } from './error.ts';
import { languageOf } from './language.ts';
import { LossLog } from '../../losses.ts';
import { ObjectReader, RequestLog } from './reading.ts';
import { writeNeutral } from './write-request.ts';

export const openaiTranslation: Translation = {
  parseRequest,
  writeRequest,
  parseAnswer,
  writeAnswer,
  streamContentType: () => 'text/event-stream',
  readStream,
  writeStream,
  parseError,
  writeError,
  errorStatus,
};

function parseRequest(endpoint: Endpoint, body: Uint8Array): Result<ParsedRequest, RequestFault> {
  const read = languageOf(endpoint)?.readRequest;
  if (read === undefined)
    return err({
      code: 'invalid_body',
      param: undefined,
      message: `${endpoint.path} is not translated between providers. Use a model of a provider that has this API.`,
    });
  const parsed = parsePlainObject(body);
  if (parsed === undefined) return err({ code: 'invalid_json', param: undefined, message: 'The body is not a JSON object.' });
  const log = new RequestLog();
  const request = read(new ObjectReader(parsed.value, '', log));
  return log.faults.first === undefined ? ok({ request, losses: log.losses.list() }) : err(log.faults.first);
}

function writeRequest(request: NeutralRequest): WrittenRequest {
  const losses = new LossLog();
  const { endpoint, body } = writeNeutral(request, losses);
  return { endpoint, body: encodeJson(body), losses: losses.list() };
}

function parseAnswer(endpoint: Endpoint, body: Uint8Array): Result<NeutralAnswer, string> {
  const read = languageOf(endpoint)?.readAnswer;
  const parsed = parsePlainObject(body);
  if (read === undefined || parsed === undefined) return err('the answer is not a JSON object');
  // Relays answer with a status of success and tell of an error in the body.
  if ((parsed.value['error'] ?? null) !== null) return err('the answer holds an error instead of what was asked for');
  return read(parsed, endpoint);
}

function writeAnswer(answer: NeutralAnswer, context: AnswerContext): Uint8Array {
  return encodeJson(required(languageOf(context.endpoint)?.writeAnswer, context.endpoint)(answer, context));
}

function readStream(endpoint: Endpoint): StreamReader {
  return required(languageOf(endpoint)?.readStream, endpoint)(endpoint);
}

function writeStream(context: AnswerContext): StreamWriter {
  return required(languageOf(context.endpoint)?.writeStream, context.endpoint)(context);
}

function required<Part>(part: Part | undefined, { path }: Endpoint): Part {
  if (part === undefined) throw new TypeError(`${path} has no such answers in this dialect.`);
  return part;
}
