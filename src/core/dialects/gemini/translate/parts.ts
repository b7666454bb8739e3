import type { NeutralChoice, NeutralPart, NeutralToolCall } from '../../neutral.ts';
import { standardBase64 } from './base64.ts';
import type { AnswerCalls } from './calls.ts';
import { writeFinish } from './finish.ts';
import { writeLogprobs } from './logprobs.ts';
import { readSeal, writeSeal } from './signature.ts';
import { isEmpty, objectAt, textAt, withoutAbsent, wordAt } from '../../values.ts';
import type { JsonObject } from '../../values.ts';
import { argumentsOf } from './write-contents.ts';

/** Source: `FinishReason` of `@google/genai`. */
const MALFORMED_CALL = 'MALFORMED_FUNCTION_CALL';

/**
 * Reads a part of an answer; `undefined` for one that has no neutral form. Seals of thoughts and calls are kept; those of
 * what is said aloud are not, as Google goes on without them and nobody else knows what to do with one.
 */
export function readAnswerPart(part: JsonObject, answerId: string, calls: AnswerCalls): NeutralPart | undefined {
  const seal = readSeal(textAt(part, 'thoughtSignature'));
  const call = objectAt(part, 'functionCall');
  if (call !== undefined) {
    const argumentsJson = JSON.stringify(objectAt(call, 'args') ?? {});
    return {
      kind: 'tool_call',
      id: calls.idOf(wordAt(call, 'id'), answerId),
      name: textAt(call, 'name') ?? '',
      argumentsJson,
      ...withoutAbsent({ signature: seal.signature }),
    };
  }
  const inline = objectAt(part, 'inlineData');
  const mediaType = textAt(inline, 'mimeType')?.toLowerCase() ?? '';
  if (mediaType.startsWith('image/')) return { kind: 'image', source: { kind: 'base64', mediaType, data: standardBase64(textAt(inline, 'data') ?? '') } };
  if (inline !== undefined) return undefined;
  const text = textAt(part, 'text');
  if (part['thought'] === true) return { kind: 'thinking', text: text ?? '', ...seal };
  return text === undefined ? undefined : { kind: 'text', text };
}

/** Whether a part tells nothing: an empty text that only carried a seal. */
export function isSilent(part: NeutralPart): boolean {
  return (
    (part.kind === 'text' && part.text === '') ||
    (part.kind === 'thinking' && part.text === '' && isEmpty(withoutAbsent({ signature: part.signature, redacted: part.redacted })))
  );
}

/**
 * Writes an answer for a caller, or what is left to say of it at the end of a stream. There is always a part: Google's SDK
 * forgets a turn that has none. A call whose arguments are broken is not handed out, and the reason says so as Google does.
 * Source: `isValidContent` and `FinishReason` of `@google/genai`.
 */
export function writeCandidate({ index, parts, finish, logprobs }: NeutralChoice): JsonObject {
  const written = parts.flatMap(writeAnswerPart);
  const isMalformed = finish !== 'length' && parts.some((part) => part.kind === 'tool_call' && argumentsOf(part.argumentsJson) === undefined);
  return {
    content: { parts: written.length === 0 ? [{ text: '' }] : written, role: 'model' },
    finishReason: isMalformed ? MALFORMED_CALL : writeFinish(finish),
    index,
    ...withoutAbsent({ logprobsResult: logprobs === undefined ? undefined : writeLogprobs(logprobs) }),
  };
}

/** Writes a part of an answer for a caller; none where Gemini has no form for it. */
export function writeAnswerPart(part: NeutralPart): readonly JsonObject[] {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      return part.text === '' ? [] : [{ text: part.text }];
    case 'thinking':
      return [{ text: part.text, thought: true, ...withoutAbsent({ thoughtSignature: writeSeal(part) }) }];
    case 'tool_call':
      return writeAnswerCall(part);
    case 'image':
      return part.source.kind === 'base64' ? [{ inlineData: { mimeType: part.source.mediaType, data: part.source.data } }] : [];
    default:
      return [];
  }
}

function writeAnswerCall({ id, name, argumentsJson, signature }: NeutralToolCall): readonly JsonObject[] {
  const args = argumentsOf(argumentsJson);
  return args === undefined ? [] : [{ functionCall: { id, name, args }, ...withoutAbsent({ thoughtSignature: writeSeal(withoutAbsent({ signature })) }) }];
}
