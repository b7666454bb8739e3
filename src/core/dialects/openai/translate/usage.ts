import type { Usage } from '../../../catalog/index.ts';
import type { JsonDocument, JsonNode } from '../../../json/index.ts';
import type { Endpoint } from '../../types.ts';
import { readUsage } from '../usage.ts';
import { isObject, objectAt, withoutAbsent } from '../../values.ts';
import type { JsonObject, ParsedObject } from '../../values.ts';

/** Reads the `usage` member of an answer, of a part of a stream, or of the member `within`. What is absent or unsound is unknown. */
export function usageOf(object: ParsedObject, endpoint: Endpoint, within?: string): Usage | undefined {
  const holder = within === undefined ? object.value : objectAt(object.value, within);
  if (!isObject(holder?.['usage'])) return undefined;
  const document = object.document();
  if (document === undefined) return undefined;
  const outer = within === undefined ? document.root : memberOf(document, document.root, within);
  const node = outer === undefined ? undefined : memberOf(document, outer, 'usage');
  const found = node === undefined ? 'absent' : readUsage(document, node, endpoint);
  return found !== 'absent' && found.ok ? found.value : undefined;
}

function memberOf(document: JsonDocument, object: JsonNode, name: string): JsonNode | undefined {
  const members = document.members(object);
  return members.ok ? members.value.get(name) : undefined;
}

/** Usage as chat and text completions have it. Source: `CompletionUsage` of the `openai` package. */
export function writeChatUsage(usage: Usage): JsonObject {
  const inputs = withoutAbsent({
    cached_tokens: usage.cachedInputTokens,
    cache_write_tokens: usage.cacheWriteTokens,
    audio_tokens: usage.inputAudioTokens,
    image_tokens: usage.inputImageTokens,
  });
  const outputs = withoutAbsent({ reasoning_tokens: usage.reasoningTokens, audio_tokens: usage.outputAudioTokens });
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
    ...(Object.keys(inputs).length === 0 ? {} : { prompt_tokens_details: inputs }),
    ...(Object.keys(outputs).length === 0 ? {} : { completion_tokens_details: outputs }),
  };
}

/** Usage as responses have it, whose details are not optional: parts that nobody reported are 0. Source: `ResponseUsage` of the `openai` package. */
export function writeResponseUsage(usage: Usage): JsonObject {
  return {
    input_tokens: usage.inputTokens,
    input_tokens_details: { cached_tokens: usage.cachedInputTokens ?? 0, cache_write_tokens: usage.cacheWriteTokens ?? 0 },
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens ?? 0 },
    total_tokens: usage.inputTokens + usage.outputTokens,
  };
}

/** Usage as embeddings have it. Source: `CreateEmbeddingResponse.Usage` of the `openai` package. */
export function writeEmbeddingUsage({ inputTokens }: Usage): JsonObject {
  return { prompt_tokens: inputTokens, total_tokens: inputTokens };
}
