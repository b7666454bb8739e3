import { err, ok } from '../../../../units/index.ts';
import type { Result } from '../../../../units/index.ts';
import type { NeutralChatAnswer, NeutralChoice, NeutralPart, NeutralToolCall } from '../../../neutral.ts';
import type { Endpoint } from '../../../types.ts';
import { readLogprobs } from '../logprobs.ts';
import { readCallSignature } from '../signature.ts';
import { usageOf } from '../usage.ts';
import { integerAt, isObject, objectAt, objectsAt, textAt, wordAt } from '../../../values.ts';
import type { JsonObject, ParsedObject } from '../../../values.ts';
import { readFinish } from './finish.ts';

/** Reads a `chat.completion` as OpenAI and compatible servers write it: what is missing is left out, not objected to. */
export function readChatAnswer(answer: ParsedObject, endpoint: Endpoint): Result<NeutralChatAnswer, string> {
  const { value } = answer;
  if (!Array.isArray(value['choices'])) return err('the answer holds no choices');
  return ok({
    kind: 'chat',
    id: textAt(value, 'id') ?? '',
    model: textAt(value, 'model') ?? '',
    created: integerAt(value, 'created'),
    choices: objectsAt(value, 'choices').map(readChoice),
    usage: usageOf(answer, endpoint),
  });
}

function readChoice(choice: JsonObject, place: number): NeutralChoice {
  const parts = readMessage(objectAt(choice, 'message') ?? {});
  const reason = wordAt(choice, 'finish_reason');
  const said = { calls: parts.some(({ kind }) => kind === 'tool_call'), refused: parts.some(({ kind }) => kind === 'refusal') };
  const logprobs = readLogprobs(objectAt(choice, 'logprobs'), 'content');
  return {
    index: integerAt(choice, 'index') ?? place,
    parts,
    finish: reason === undefined ? undefined : readFinish(reason, said),
    ...(logprobs.length === 0 ? {} : { logprobs }),
  };
}

function readMessage(message: JsonObject): readonly NeutralPart[] {
  const parts: NeutralPart[] = [];
  const thought = thoughtOf(message);
  if (thought !== undefined) parts.push({ kind: 'thinking', text: thought });
  const content = message['content'];
  for (const part of Array.isArray(content) ? content.filter(isObject) : []) parts.push(...readContentPart(part));
  if (typeof content === 'string' && content !== '') parts.push({ kind: 'text', text: content });
  const refusal = wordAt(message, 'refusal');
  if (refusal !== undefined) parts.push({ kind: 'refusal', text: refusal });
  return [...parts, ...objectsAt(message, 'tool_calls').flatMap(readCall)];
}

/** What a model thought: `reasoning_content` at DeepSeek and its like, `reasoning` at OpenRouter and newer vLLM servers. */
export function thoughtOf(message: JsonObject): string | undefined {
  return wordAt(message, 'reasoning_content') ?? wordAt(message, 'reasoning');
}

/** Mistral's reasoning models answer in parts, of text and of thinking that has text parts of its own. */
export function readContentPart(part: JsonObject): readonly NeutralPart[] {
  const text = wordAt(part, 'text');
  if (text !== undefined) return [{ kind: 'text', text }];
  const thought = objectsAt(part, 'thinking')
    .map((inner) => textAt(inner, 'text') ?? '')
    .join('');
  return thought === '' ? [] : [{ kind: 'thinking', text: thought }];
}

function readCall(call: JsonObject, place: number): readonly NeutralToolCall[] {
  const made = objectAt(call, 'function');
  const name = made === undefined ? undefined : wordAt(made, 'name');
  if (made === undefined || name === undefined) return [];
  return [
    { kind: 'tool_call', id: wordAt(call, 'id') ?? unnamedCall(place), name, argumentsJson: argumentsOf(made), ...readCallSignature(call['extra_content']) },
  ];
}

/** The id of a call that came without one, by its place among the calls of its answer. */
export function unnamedCall(place: number): string {
  return `call_${place}`;
}

/** Arguments are text; some servers write the object itself, and some nothing where a tool takes none. */
function argumentsOf(made: JsonObject): string {
  const value = made['arguments'];
  if (isObject(value)) return JSON.stringify(value);
  return typeof value === 'string' && value.trim() !== '' ? value : '{}';
}
