import type { NeutralEmbedding } from '../../../neutral.ts';
import type { LossLog } from '../../../losses.ts';
import { readModel, readUser } from '../parameters.ts';
import type { ObjectReader } from '../reading.ts';
import { withoutAbsent } from '../../../values.ts';
import type { JsonObject } from '../../../values.ts';

/** More dimensions than any model has. */
const DIMENSIONS = { min: 1, max: 1_000_000 };

/** Reads the body of `POST /embeddings`. Source: `EmbeddingCreateParams` of the `openai` package. */
export function readEmbedding(body: ObjectReader): NeutralEmbedding {
  const embedding: NeutralEmbedding = {
    kind: 'embedding',
    model: readModel(body),
    inputs: readInputs(body),
    dimensions: body.integer('dimensions', DIMENSIONS),
    encoding: body.word('encoding_format', ['float', 'base64'] as const) ?? 'float',
    task: undefined,
    title: undefined,
    user: readUser(body),
    single: false,
  };
  body.dropRest();
  return embedding;
}

function readInputs(body: ObjectReader): readonly string[] {
  const input = body.value('input');
  if (typeof input === 'string') return [input];
  const items = body.array('input');
  if (items.length === 0) body.log.invalid('input', 'input must be a string or an array of at least one.');
  const texts = items.filter((item) => typeof item === 'string');
  if (texts.length === items.length) return texts;
  const isTokens = items.every((item) => typeof item === 'number') || items.every((item) => Array.isArray(item));
  if (isTokens) body.refuse('input', "input holds the ids of tokens, which are one model's own. Send text.");
  else body.log.invalid('input', 'input must be a string or an array of strings.');
  return [];
}

/** Writes the body of `POST /embeddings`. Vectors are asked for as numbers, which every compatible server can write. */
export function writeEmbedding(embedding: NeutralEmbedding, losses: LossLog): JsonObject {
  if (embedding.task !== undefined) losses.dropped('task_type', "OpenAI's embeddings know no task. The task type was left out.");
  if (embedding.title !== undefined) losses.dropped('title', "OpenAI's embeddings know no title. It was left out.");
  return {
    model: embedding.model,
    input: embedding.inputs,
    encoding_format: 'float',
    ...withoutAbsent({ dimensions: embedding.dimensions, user: embedding.user }),
  };
}
