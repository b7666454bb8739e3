import { err, ok } from '../../../units/index.ts';
import type { Result } from '../../../units/index.ts';
import type { NeutralAnswer, NeutralChatAnswer, NeutralRequest } from '../../neutral.ts';
import type { AnswerContext, StreamReader, StreamWriter } from '../../translation.ts';
import type { Endpoint } from '../../types.ts';
import { readChatAnswer } from './chat/read-answer.ts';
import { readChat } from './chat/read-request.ts';
import { ChatChunks } from './chat/read-stream.ts';
import { writeChatAnswer } from './chat/write-answer.ts';
import { ChatStreamWriter } from './chat/write-stream.ts';
import { readCompletionAnswer, writeCompletionAnswer } from './completions/answer.ts';
import { readCompletion } from './completions/request.ts';
import { CompletionChunks, CompletionStreamWriter } from './completions/stream.ts';
import { readEmbeddingAnswer, writeEmbeddingAnswer } from './embeddings/answer.ts';
import { readEmbedding } from './embeddings/request.ts';
import { EventStreamReader } from './event-stream.ts';
import type { ObjectReader } from './reading.ts';
import { readResponseAnswer } from './responses/read-answer.ts';
import { readResponse } from './responses/read-request.ts';
import { ResponseEvents } from './responses/read-stream.ts';
import { writeResponse } from './responses/write-answer.ts';
import { INPUT_TOKENS } from './responses/write-count.ts';
import { ResponseStreamWriter } from './responses/write-stream.ts';
import { integerAt } from './values.ts';
import type { JsonObject, ParsedObject } from './values.ts';

/** One endpoint's language; what it lacks, the endpoint does not do. */
export interface Language {
  readonly readRequest?: (body: ObjectReader) => NeutralRequest;
  readonly readAnswer: (answer: ParsedObject, endpoint: Endpoint) => Result<NeutralAnswer, string>;
  readonly writeAnswer: (answer: NeutralAnswer, context: AnswerContext) => JsonObject;
  readonly readStream?: (endpoint: Endpoint) => StreamReader;
  readonly writeStream?: (context: AnswerContext) => StreamWriter;
}

const LANGUAGES: ReadonlyMap<string, Language> = new Map<string, Language>([
  [
    '/chat/completions',
    {
      readRequest: readChat,
      readAnswer: readChatAnswer,
      writeAnswer: forChat(writeChatAnswer),
      readStream: (endpoint) => new EventStreamReader(new ChatChunks(endpoint)),
      writeStream: (context) => new ChatStreamWriter(context),
    },
  ],
  [
    '/responses',
    {
      readRequest: readResponse,
      readAnswer: readResponseAnswer,
      writeAnswer: forChat(writeResponse),
      readStream: (endpoint) => new EventStreamReader(new ResponseEvents(endpoint)),
      writeStream: (context) => new ResponseStreamWriter(context),
    },
  ],
  [
    '/completions',
    {
      readRequest: readCompletion,
      readAnswer: readCompletionAnswer,
      writeAnswer: forChat(writeCompletionAnswer),
      readStream: (endpoint) => new EventStreamReader(new CompletionChunks(endpoint)),
      writeStream: (context) => new CompletionStreamWriter(context),
    },
  ],
  ['/embeddings', { readRequest: readEmbedding, readAnswer: readEmbeddingAnswer, writeAnswer: forEmbedding }],
  [INPUT_TOKENS.path, { readRequest: (body) => ({ kind: 'count_tokens', chat: readResponse(body) }), readAnswer: readCount, writeAnswer: forCount }],
]);

export function languageOf({ path }: Endpoint): Language | undefined {
  return LANGUAGES.get(path);
}

function forChat(write: (answer: NeutralChatAnswer, context: AnswerContext) => JsonObject): Language['writeAnswer'] {
  return (answer, context) => (answer.kind === 'chat' ? write(answer, context) : mismatch(context));
}

function forEmbedding(answer: NeutralAnswer, context: AnswerContext): JsonObject {
  return answer.kind === 'embedding' ? writeEmbeddingAnswer(answer, context) : mismatch(context);
}

/** Source: `InputTokenCountResponse` of the `openai` package. */
function forCount(answer: NeutralAnswer, context: AnswerContext): JsonObject {
  return answer.kind === 'count_tokens' ? { object: 'response.input_tokens', input_tokens: answer.inputTokens } : mismatch(context);
}

function readCount({ value }: ParsedObject): Result<NeutralAnswer, string> {
  const inputTokens = integerAt(value, 'input_tokens');
  return inputTokens === undefined || inputTokens < 0 ? err('the answer names no input tokens') : ok({ kind: 'count_tokens', inputTokens });
}

function mismatch({ endpoint }: AnswerContext): never {
  throw new TypeError(`An answer of another kind was to be written for ${endpoint.path}.`);
}
