import { encodeJson } from '../../../json/index.ts';
import type { NeutralAnswer, NeutralChatAnswer, NeutralEmbeddingAnswer } from '../../neutral.ts';
import type { AnswerContext } from '../../translation.ts';
import { methodOf } from '../endpoints.ts';
import { writeCandidate } from './parts.ts';
import { writeUsage } from './usage.ts';
import { withoutAbsent } from '../../values.ts';
import type { JsonObject } from '../../values.ts';

/** Writes a whole answer for a caller. Source: as for `parseAnswer`. */
export function writeAnswer(answer: NeutralAnswer, context: AnswerContext): Uint8Array {
  switch (answer.kind) {
    case 'chat':
      return encodeJson(writeChat(answer, context));
    case 'embedding':
      return encodeJson(writeEmbeddings(answer, context));
    case 'count_tokens':
      return encodeJson({ totalTokens: answer.inputTokens });
  }
}

function writeChat({ id, model, choices, usage }: NeutralChatAnswer, { requestId }: AnswerContext): JsonObject {
  return {
    candidates: choices.map(writeCandidate),
    ...withoutAbsent({ usageMetadata: usage === undefined ? undefined : writeUsage(usage) }),
    modelVersion: model,
    responseId: id === '' ? requestId : id,
  };
}

function writeEmbeddings({ vectors, usage }: NeutralEmbeddingAnswer, { endpoint }: AnswerContext): JsonObject {
  const usageMetadata = usage === undefined ? undefined : { promptTokenCount: usage.inputTokens, totalTokenCount: usage.inputTokens };
  const embeddings = vectors.map((values) => ({ values }));
  return {
    ...(methodOf(endpoint.path) === 'embedContent' ? { embedding: embeddings[0] ?? { values: [] } } : { embeddings }),
    ...withoutAbsent({ usageMetadata }),
  };
}
