import { encodeJson, encodeUtf8 } from '../../../json/index.ts';
import type { NeutralAnswer, NeutralChatAnswer, NeutralPart } from '../../neutral.ts';
import type { AnswerContext } from '../../translation.ts';
import { stopReasonOf } from './finish.ts';
import { inputOf, stringify } from './jsontext.ts';
import { writeCallSeal, writeSeal } from './seals.ts';
import { usageObject } from './usage.ts';
import type { Wire } from './write-content.ts';

/** Writes an answer for a caller. Embeddings cannot have been asked for in this dialect. Source: `Message` of `@anthropic-ai/sdk`. */
export function writeAnswer(answer: NeutralAnswer, context: AnswerContext): Uint8Array {
  switch (answer.kind) {
    case 'chat':
      return encodeUtf8(stringify(messageOf(answer, context)));
    case 'count_tokens':
      return encodeJson({ input_tokens: answer.inputTokens });
    case 'embedding':
      throw new TypeError('Anthropic has no embeddings to be answered.');
  }
}

/** A message before its content; the model is the one that was asked for where the provider names none. */
export function emptyMessage(id: string, model: string, { request, requestId }: AnswerContext): Wire {
  const asked = request.kind === 'chat' ? request.model : '';
  return {
    id: id === '' ? `msg_${requestId}` : id,
    type: 'message',
    role: 'assistant',
    model: model === '' ? asked : model,
    content: [],
    container: null,
    diagnostics: null,
    stop_details: null,
    stop_reason: null,
    stop_sequence: null,
  };
}

function messageOf({ id, model, choices: [choice], usage }: NeutralChatAnswer, context: AnswerContext): Wire {
  const parts = choice?.parts ?? [];
  const held = { toolCalls: parts.some(({ kind }) => kind === 'tool_call'), refusals: parts.some(({ kind }) => kind === 'refusal') };
  return {
    ...emptyMessage(id, model, context),
    content: parts.flatMap((part, index) => blocksOf(part, `toolu_${context.requestId}_${index}`)),
    stop_reason: stopReasonOf(choice?.finish, held),
    stop_sequence: choice?.stopSequence ?? null,
    usage: usageObject(usage),
  };
}

/** `callId`: for a call without an id. */
function blocksOf(part: NeutralPart, callId: string): readonly Wire[] {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      return part.text === '' ? [] : [{ type: 'text', text: part.text, citations: null }];
    case 'thinking':
      if (part.redacted !== undefined) return [{ type: 'redacted_thinking', data: writeSeal(part.redacted) }];
      if (part.text === '' && part.signature === undefined) return [];
      return [{ type: 'thinking', thinking: part.text, signature: part.signature === undefined ? '' : writeSeal(part.signature) }];
    case 'tool_call':
      return [
        ...(part.signature === undefined ? [] : [{ type: 'redacted_thinking', data: writeCallSeal(part.signature) }]),
        { ...toolUse(part.id === '' ? callId : part.id, part.name), input: inputOf(part.argumentsJson) },
      ];
    default:
      // Models answer in text; what else a provider may return has no block at Anthropic.
      return [];
  }
}

/** A call before its input. Source: `ToolUseBlock` of `@anthropic-ai/sdk`. */
export function toolUse(id: string, name: string): Wire {
  return { type: 'tool_use', id, name, input: {}, caller: { type: 'direct' } };
}
