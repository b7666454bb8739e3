import type { Usage } from '../../../catalog/index.ts';
import { readUsage } from '../usage.ts';
import { isEmpty, isObject, withoutAbsent } from '../../values.ts';
import type { JsonObject, ParsedObject } from '../../values.ts';

/** Reads the `usageMetadata` of an answer. What is absent or unsound is unknown. */
export function usageOf(object: ParsedObject): Usage | undefined {
  const document = isObject(object.value['usageMetadata']) ? object.document() : undefined;
  if (document === undefined) return undefined;
  const members = document.members(document.root);
  const node = members.ok ? members.value.get('usageMetadata') : undefined;
  const found = node === undefined ? 'absent' : readUsage(document, node);
  return found !== 'absent' && found.ok ? found.value : undefined;
}

/** Usage in Gemini's form, where thoughts are beside the candidates and not among them. */
export function writeUsage(usage: Usage): JsonObject {
  return withoutAbsent({
    promptTokenCount: usage.inputTokens,
    cachedContentTokenCount: usage.cachedInputTokens,
    candidatesTokenCount: usage.outputTokens - (usage.reasoningTokens ?? 0),
    thoughtsTokenCount: usage.reasoningTokens,
    totalTokenCount: usage.inputTokens + usage.outputTokens,
    promptTokensDetails: modalities(usage.inputTokens, usage.inputAudioTokens, usage.inputImageTokens),
    candidatesTokensDetails: modalities(usage.outputTokens - (usage.reasoningTokens ?? 0), usage.outputAudioTokens, usage.outputImageTokens),
  });
}

/** Source: `ModalityTokenCount` of `@google/genai`. What is neither sound nor image counts as text. */
function modalities(total: number, audio: number | undefined, image: number | undefined): readonly JsonObject[] | undefined {
  const parts = withoutAbsent({ AUDIO: audio, IMAGE: image });
  if (isEmpty(parts)) return undefined;
  const text = Math.max(0, total - (audio ?? 0) - (image ?? 0));
  return Object.entries({ TEXT: text, ...parts }).map(([modality, tokenCount]) => ({ modality, tokenCount }));
}
