import { parsePlainObject } from '../../../json/index.ts';
import { err, ok } from '../../../units/index.ts';
import type { Result } from '../../../units/index.ts';
import type { NeutralAnswer, NeutralChoice, NeutralEmbeddingAnswer } from '../../neutral.ts';
import type { Endpoint } from '../../types.ts';
import { AnswerCalls } from './calls.ts';
import { readFinish } from './finish.ts';
import { readLogprobs } from './logprobs.ts';
import { isSilent, readAnswerPart } from './parts.ts';
import { usageOf } from './usage.ts';
import { integerAt, numbersAt, objectAt, objectsAt, textAt, withoutAbsent, wordAt } from '../../values.ts';
import type { JsonObject, ParsedObject } from '../../values.ts';

/** Reads a whole answer. Source: `GenerateContentResponse`, `EmbedContentResponse` and `CountTokensResponse` of `@google/genai`. */
export function parseAnswer(endpoint: Endpoint, body: Uint8Array): Result<NeutralAnswer, string> {
  const parsed = parsePlainObject(body);
  if (parsed === undefined) return err('The answer is not a JSON object.');
  switch (endpoint.operation) {
    case 'embeddings':
      return readEmbeddings(endpoint, parsed);
    case 'count_tokens': {
      const inputTokens = integerAt(parsed.value, 'totalTokens') ?? 0;
      return inputTokens < 0 ? err('totalTokens is negative.') : ok({ kind: 'count_tokens', inputTokens });
    }
    default:
      return readChat(endpoint, parsed);
  }
}

function readChat(endpoint: Endpoint, parsed: ParsedObject): Result<NeutralAnswer, string> {
  const { value } = parsed;
  const id = textAt(value, 'responseId') ?? '';
  const calls = new AnswerCalls();
  const candidates = objectsAt(value, 'candidates');
  const isBlocked = wordAt(objectAt(value, 'promptFeedback'), 'blockReason') !== undefined;
  if (candidates.length === 0 && !isBlocked) return err('The answer has neither candidates nor a reason for their absence.');
  const choices: readonly NeutralChoice[] =
    candidates.length === 0 ? [{ index: 0, parts: [], finish: 'content_filter' }] : candidates.map((candidate) => readCandidate(candidate, id, calls));
  return ok({ kind: 'chat', id, model: wordAt(value, 'modelVersion') ?? endpoint.model ?? '', created: undefined, choices, usage: usageOf(parsed) });
}

function readCandidate(candidate: JsonObject, id: string, calls: AnswerCalls): NeutralChoice {
  const parts = objectsAt(objectAt(candidate, 'content'), 'parts')
    .flatMap((part) => readAnswerPart(part, id, calls) ?? [])
    .filter((part) => !isSilent(part));
  const reason = wordAt(candidate, 'finishReason');
  const hasCalls = parts.some(({ kind }) => kind === 'tool_call');
  return {
    index: integerAt(candidate, 'index') ?? 0,
    parts,
    finish: reason === undefined ? undefined : readFinish(reason, hasCalls),
    ...withoutAbsent({ logprobs: readLogprobs(candidate) }),
  };
}

function readEmbeddings(endpoint: Endpoint, parsed: ParsedObject): Result<NeutralEmbeddingAnswer, string> {
  const single = objectAt(parsed.value, 'embedding');
  const list = single === undefined ? objectsAt(parsed.value, 'embeddings') : [single];
  const vectors = list.flatMap((embedding) => {
    const values = numbersAt(embedding, 'values');
    return values === undefined ? [] : [values];
  });
  if (vectors.length === 0 || vectors.length < list.length) return err('The answer has no embeddings, or one that is not a list of numbers.');
  return ok({ kind: 'embedding', model: endpoint.model ?? '', vectors, usage: usageOf(parsed) });
}
