import { spoiltUsage } from '../answer.ts';
import type { Exchange } from '../api.ts';
import { NOTHING } from '../books.ts';
import { deliver, refuse } from '../deliver.ts';
import { countTokens } from '../text.ts';
import { vectorOf } from '../vector.ts';
import { failure, parsed } from './errors.ts';
import { partsOf } from './prompt.ts';
import { batchEmbedRequest, embedRequest } from './schema.ts';

const DEFAULT_DIMENSIONS = 3072;

/** `embedContent` and `batchEmbedContents`. Source: `EmbedContentResponse` of `@google/genai`. */
export async function embed(model: string, body: unknown, exchange: Exchange): Promise<void> {
  const request = parsed(embedRequest, body, exchange);
  if (request === undefined) return;
  await deliverVectors(model, [request], exchange, (embeddings) => ({ embedding: embeddings[0] }));
}

export async function embedMany(model: string, body: unknown, exchange: Exchange): Promise<void> {
  const request = parsed(batchEmbedRequest, body, exchange);
  if (request === undefined) return;
  if (request.requests.some((one) => one.model !== `models/${model}`))
    return refuse(exchange, failure(400, '* BatchEmbedContentsRequest.requests[0].model: model does not match the model in the batch request'));
  await deliverVectors(model, request.requests, exchange, (embeddings) => ({ embeddings }));
}

async function deliverVectors(
  model: string,
  requests: readonly { readonly content: { readonly parts: Parameters<typeof partsOf>[0][] }; readonly outputDimensionality?: number | undefined }[],
  exchange: Exchange,
  bodyOf: (embeddings: readonly object[]) => object,
): Promise<void> {
  const texts = requests.map(({ content }) =>
    content.parts
      .flatMap(partsOf)
      .map((part) => (part.kind === 'text' ? part.text : ''))
      .join('\n'),
  );
  const input = texts.reduce((sum, text) => sum + countTokens(text), 0);
  const embeddings = texts.map((text, index) => ({ values: [...vectorOf(text, requests[index]?.outputDimensionality ?? DEFAULT_DIMENSIONS)] }));
  const usage = spoiltUsage({ promptTokenCount: input, promptTokensDetails: [{ modality: 'TEXT', tokenCount: input }] }, exchange.faults.usage);
  await deliver(exchange, { model, counted: { ...NOTHING, input }, stream: undefined, body: () => ({ ...bodyOf(embeddings), usageMetadata: usage }) });
}
