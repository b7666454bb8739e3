import { err, ok } from '../../../../units/index.ts';
import type { Result } from '../../../../units/index.ts';
import type { NeutralEmbeddingAnswer } from '../../../neutral.ts';
import type { AnswerContext } from '../../../translation.ts';
import type { Endpoint } from '../../../types.ts';
import { usageOf, writeEmbeddingUsage } from '../usage.ts';
import { integerAt, objectsAt, textAt } from '../../../values.ts';
import type { JsonObject, ParsedObject } from '../../../values.ts';
import { readVector, writeVector } from './vectors.ts';

/** Reads a list of embeddings, in the order of its indexes. Source: `CreateEmbeddingResponse` of the `openai` package. */
export function readEmbeddingAnswer(answer: ParsedObject, endpoint: Endpoint): Result<NeutralEmbeddingAnswer, string> {
  const items = objectsAt(answer.value, 'data').map((item, place) => ({ index: integerAt(item, 'index') ?? place, vector: readVector(item['embedding']) }));
  const vectors = items.toSorted((one, other) => one.index - other.index).flatMap(({ vector }) => (vector === undefined ? [] : [vector]));
  if (!Array.isArray(answer.value['data']) || vectors.length < items.length) return err('the answer is no list of embeddings');
  return ok({ kind: 'embedding', model: textAt(answer.value, 'model') ?? '', vectors, usage: usageOf(answer, endpoint) });
}

export function writeEmbeddingAnswer(answer: NeutralEmbeddingAnswer, { request }: AnswerContext): JsonObject {
  const inBase64 = request.kind === 'embedding' && request.encoding === 'base64';
  return {
    object: 'list',
    data: answer.vectors.map((vector, index) => ({ object: 'embedding', index, embedding: inBase64 ? writeVector(vector) : vector })),
    model: answer.model,
    ...(answer.usage === undefined ? {} : { usage: writeEmbeddingUsage(answer.usage) }),
  };
}
