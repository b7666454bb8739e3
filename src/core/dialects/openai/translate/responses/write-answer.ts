import type { NeutralChatAnswer, NeutralChoice, NeutralPart } from '../../../neutral.ts';
import type { AnswerContext } from '../../../translation.ts';
import { answerId } from '../answer-context.ts';
import type { JsonObject } from '../../../values.ts';
import { callItem, itemId, messageItem, reasoningItem, refusalPart, textPart } from './items.ts';
import type { ItemStatus } from './items.ts';
import { progressOf, responseObject } from './response-object.ts';

/** Writes a `response`. It has one answer, as a request for one cannot ask for more. */
export function writeResponse(answer: NeutralChatAnswer, context: AnswerContext): JsonObject {
  const id = answerId(answer.id, context, 'resp');
  const [choice = { index: 0, parts: [], finish: undefined }] = answer.choices;
  const said = { calls: choice.parts.some(({ kind }) => kind === 'tool_call'), refused: choice.parts.some(({ kind }) => kind === 'refusal') };
  const progress = progressOf(choice.finish, said);
  const output = writeOutput(choice, id, progress.status === 'completed' ? 'completed' : 'incomplete');
  return responseObject({ id, model: answer.model, created: answer.created ?? context.created }, { ...progress, output, usage: answer.usage }, context);
}

/** Text and refusals in a row are one message; thinking and calls stand between. */
function writeOutput({ parts, logprobs }: NeutralChoice, responseId: string, status: ItemStatus): readonly JsonObject[] {
  const items: JsonObject[] = [];
  let said: JsonObject[] = [];
  let places = 0;
  const place = (prefix: Parameters<typeof itemId>[0]): string => itemId(prefix, responseId, places++);
  const close = (): void => {
    if (said.length > 0) items.push(messageItem(place('msg'), status, said));
    said = [];
  };
  // Which part a token belongs to is not known; they go to the first text.
  let unwritten = logprobs;
  for (const part of parts) {
    switch (part.kind) {
      case 'text':
        said.push(textPart(part.text, unwritten));
        unwritten = undefined;
        break;
      case 'refusal':
        said.push(refusalPart(part.text));
        break;
      default:
        close();
        items.push(...writeItem(part, place, status));
    }
  }
  close();
  return items;
}

function writeItem(part: NeutralPart, place: (prefix: 'rs' | 'fc') => string, status: ItemStatus): readonly JsonObject[] {
  if (part.kind === 'thinking') return [reasoningItem(place('rs'), part)];
  return part.kind === 'tool_call' ? [callItem(place('fc'), status, part)] : [];
}
