import type { NeutralPart } from '../../neutral.ts';
import { standardBase64 } from './base64.ts';
import type { AnswerCalls } from './calls.ts';
import { readSeal, writeSeal } from './signature.ts';
import { isEmpty, objectAt, textAt, withoutAbsent, wordAt } from '../../values.ts';
import type { JsonObject } from '../../values.ts';
import { argumentsOf } from './write-contents.ts';

/**
 * Reads a part of an answer; `undefined` for one that has no neutral form. Seals of thoughts and calls are kept; those of
 * what is said aloud are not, as Google goes on without them and nobody else knows what to do with one.
 */
export function readAnswerPart(part: JsonObject, answerId: string, calls: AnswerCalls): NeutralPart | undefined {
  const seal = readSeal(textAt(part, 'thoughtSignature'));
  const call = objectAt(part, 'functionCall');
  if (call !== undefined) {
    const argumentsJson = JSON.stringify(objectAt(call, 'args') ?? {});
    return { kind: 'tool_call', id: calls.idOf(wordAt(call, 'id'), answerId), name: textAt(call, 'name') ?? '', argumentsJson, ...withoutAbsent({ signature: seal.signature }) };
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
  return (part.kind === 'text' && part.text === '') || (part.kind === 'thinking' && part.text === '' && isEmpty(withoutAbsent({ signature: part.signature, redacted: part.redacted })));
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
      return [{ functionCall: { id: part.id, name: part.name, args: argumentsOf(part.argumentsJson) ?? {} }, ...withoutAbsent({ thoughtSignature: writeSeal(withoutAbsent({ signature: part.signature })) }) }];
    case 'image':
      return part.source.kind === 'base64' ? [{ inlineData: { mimeType: part.source.mediaType, data: part.source.data } }] : [];
    default:
      return [];
  }
}
