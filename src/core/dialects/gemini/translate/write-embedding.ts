import { encodeJson } from '../../../json/index.ts';
import type { NeutralEmbedding } from '../../neutral.ts';
import type { WrittenRequest } from '../../translation.ts';
import { bareModel, endpointOf } from '../endpoints.ts';
import { LossLog } from '../../losses.ts';
import { withoutAbsent } from '../../values.ts';
import type { JsonObject } from '../../values.ts';

/** Writes one request for an embedding, or a list of them. Vectors always come as numbers; the caller's writer encodes them. */
export function writeEmbedding(embedding: NeutralEmbedding): WrittenRequest {
  const losses = new LossLog();
  if (embedding.user !== undefined) losses.dropped('user', 'Gemini takes no id of the end user, so it was left out.');
  const requests = embedding.inputs.map((text) => requestOf(embedding, text));
  const [first] = requests;
  const isSingle = embedding.single && first !== undefined;
  return {
    endpoint: endpointOf(embedding.model, isSingle ? 'embedContent' : 'batchEmbedContents', 'json_array'),
    body: encodeJson(isSingle ? first : { requests }),
    losses: losses.list(),
  };
}

function requestOf({ model, task, title, dimensions }: NeutralEmbedding, text: string): JsonObject {
  return withoutAbsent({ model: `models/${bareModel(model)}`, content: { parts: [{ text }] }, taskType: task, title, outputDimensionality: dimensions });
}
