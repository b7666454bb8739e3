import { err, ok } from '../../../../units/index.ts';
import type { Result } from '../../../../units/index.ts';
import type { NeutralChatAnswer } from '../../../neutral.ts';
import type { AnswerContext } from '../../../translation.ts';
import type { Endpoint } from '../../../types.ts';
import { answerId } from '../answer-context.ts';
import { readFinish, writeFinish } from '../chat/finish.ts';
import type { ChatFinish } from '../chat/finish.ts';
import { textOf } from '../chat/write-answer.ts';
import { usageOf, writeChatUsage } from '../usage.ts';
import { integerAt, objectsAt, textAt, wordAt } from '../../../values.ts';
import type { JsonObject, ParsedObject } from '../../../values.ts';

/** What a text alone can end in. */
export const TEXT_ONLY = { calls: false, refused: false };

/** Reads a `text_completion`. Source: `Completion` of the `openai` package. */
export function readCompletionAnswer(answer: ParsedObject, endpoint: Endpoint): Result<NeutralChatAnswer, string> {
  const { value } = answer;
  if (!Array.isArray(value['choices'])) return err('the answer holds no choices');
  return ok({
    kind: 'chat',
    id: textAt(value, 'id') ?? '',
    model: textAt(value, 'model') ?? '',
    created: integerAt(value, 'created'),
    choices: objectsAt(value, 'choices').map((choice, place) => {
      const reason = wordAt(choice, 'finish_reason');
      return {
        index: integerAt(choice, 'index') ?? place,
        parts: [{ kind: 'text', text: textAt(choice, 'text') ?? '' }],
        finish: reason === undefined ? undefined : readFinish(reason, TEXT_ONLY),
      };
    }),
    usage: usageOf(answer, endpoint),
  });
}

/** Writes a `text_completion`: what the model said, its words of refusal included. */
export function writeCompletionAnswer(answer: NeutralChatAnswer, context: AnswerContext): JsonObject {
  return {
    id: answerId(answer.id, context, 'cmpl'),
    object: 'text_completion',
    created: answer.created ?? context.created,
    model: answer.model,
    choices: answer.choices.map(({ index, parts, finish }) => ({
      text: textOf(parts, 'text') + textOf(parts, 'refusal'),
      index,
      logprobs: null,
      finish_reason: textFinish(writeFinish(finish, TEXT_ONLY)),
    })),
    ...(answer.usage === undefined ? {} : { usage: writeChatUsage(answer.usage) }),
  };
}

/** Text completions know no tools. */
export function textFinish(finish: ChatFinish): Exclude<ChatFinish, 'tool_calls'> {
  return finish === 'tool_calls' ? 'stop' : finish;
}
