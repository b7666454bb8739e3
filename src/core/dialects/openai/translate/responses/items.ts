import type { NeutralLogprob, NeutralThinking, NeutralToolCall } from '../../../neutral.ts';
import { writeLogprobs } from '../logprobs.ts';
import { writeCallSignature, writeSeal } from '../signature.ts';
import type { JsonObject } from '../../../values.ts';

/*
 * Items of a response's output.
 * Source: `ResponseOutputMessage`, `ResponseReasoningItem` and `ResponseFunctionToolCall` of the `openai` package.
 */

export type ItemStatus = 'in_progress' | 'completed' | 'incomplete';

export function textPart(text: string, logprobs: readonly NeutralLogprob[] = []): JsonObject {
  return { type: 'output_text', text, annotations: [], logprobs: writeLogprobs(logprobs) };
}

export function refusalPart(refusal: string): JsonObject {
  return { type: 'refusal', refusal };
}

export function messageItem(id: string, status: ItemStatus, content: readonly JsonObject[]): JsonObject {
  return { id, type: 'message', status, role: 'assistant', content };
}

export function summaryPart(text: string): JsonObject {
  return { type: 'summary_text', text };
}

/** Thinking is shown as a summary, where clients look for it, with whatever seals it as the encrypted content. */
export function reasoningItem(id: string, thinking: Omit<NeutralThinking, 'kind'>): JsonObject {
  const seal = writeSeal(thinking);
  return {
    id,
    type: 'reasoning',
    summary: thinking.text === '' ? [] : [summaryPart(thinking.text)],
    ...(seal === undefined ? {} : { encrypted_content: seal }),
  };
}

export function callItem(id: string, status: ItemStatus, call: Omit<NeutralToolCall, 'kind'>): JsonObject {
  return { id, type: 'function_call', status, call_id: call.id, name: call.name, arguments: call.argumentsJson, ...writeCallSignature(call) };
}

/** Item ids are ours: the response's with the item's kind and place. */
export function itemId(prefix: 'msg' | 'rs' | 'fc', responseId: string, place: number): string {
  return `${prefix}_${responseId}_${place}`;
}
