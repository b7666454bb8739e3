import type { NeutralChatAnswer, NeutralChoice, NeutralPart, NeutralToolCall } from '../../../neutral.ts';
import type { AnswerContext } from '../../../translation.ts';
import { answerId } from '../answer-context.ts';
import { writeLogprobs } from '../logprobs.ts';
import { writeCallSignature } from '../signature.ts';
import { writeChatUsage } from '../usage.ts';
import type { JsonObject } from '../../../values.ts';
import { writeFinish } from './finish.ts';

/** Writes a `chat.completion`. Thinking goes where DeepSeek puts it, which clients of compatible servers look at. */
export function writeChatAnswer(answer: NeutralChatAnswer, context: AnswerContext): JsonObject {
  return {
    id: answerId(answer.id, context, 'chatcmpl'),
    object: 'chat.completion',
    created: answer.created ?? context.created,
    model: answer.model,
    choices: answer.choices.map(writeChoice),
    ...(answer.usage === undefined ? {} : { usage: writeChatUsage(answer.usage) }),
  };
}

function writeChoice(choice: NeutralChoice): JsonObject {
  const { index, parts, finish, logprobs } = choice;
  const calls = parts.filter((part) => part.kind === 'tool_call');
  const refusal = textOf(parts, 'refusal');
  const text = textOf(parts, 'text');
  const thought = textOf(parts, 'thinking');
  const said = { calls: calls.length > 0, refused: refusal !== '' };
  return {
    index,
    message: {
      role: 'assistant',
      content: text === '' && (said.calls || said.refused) ? null : text,
      refusal: said.refused ? refusal : null,
      ...(thought === '' ? {} : { reasoning_content: thought }),
      ...(said.calls ? { tool_calls: calls.map(writeCall) } : {}),
    },
    logprobs: logprobs === undefined ? null : { content: writeLogprobs(logprobs), refusal: null },
    finish_reason: writeFinish(finish, said),
  };
}

function writeCall(call: NeutralToolCall): JsonObject {
  return { id: call.id, type: 'function', function: { name: call.name, arguments: call.argumentsJson }, ...writeCallSignature(call) };
}

/** All text of a kind, in its order. */
export function textOf(parts: readonly NeutralPart[], kind: 'text' | 'refusal' | 'thinking'): string {
  return parts.map((part) => (part.kind === kind ? part.text : '')).join('');
}
