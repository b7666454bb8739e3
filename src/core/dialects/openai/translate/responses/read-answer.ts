import { err, ok } from '../../../../units/index.ts';
import type { Result } from '../../../../units/index.ts';
import type { NeutralChatAnswer, NeutralFinish, NeutralLogprob, NeutralPart } from '../../../neutral.ts';
import type { Endpoint } from '../../../types.ts';
import { readFinish } from '../chat/finish.ts';
import type { Said } from '../chat/finish.ts';
import { readLogprobs } from '../logprobs.ts';
import { readCallSignature, readSeal } from '../signature.ts';
import { usageOf } from '../usage.ts';
import { integerAt, objectAt, objectsAt, textAt, wordAt } from '../../../values.ts';
import type { JsonObject, ParsedObject } from '../../../values.ts';

/** Reads a `response`. Items of tools that the provider runs itself are passed over: they are never asked for. */
export function readResponseAnswer(answer: ParsedObject, endpoint: Endpoint): Result<NeutralChatAnswer, string> {
  const { value } = answer;
  if (!Array.isArray(value['output'])) return err('the answer holds no output');
  if (value['status'] === 'failed') return err('the provider says that the response failed');
  const items = objectsAt(value, 'output');
  const parts = items.flatMap(readItem);
  const said = { calls: parts.some(({ kind }) => kind === 'tool_call'), refused: parts.some(({ kind }) => kind === 'refusal') };
  const logprobs: readonly NeutralLogprob[] = items.flatMap((item) => objectsAt(item, 'content').flatMap((part) => readLogprobs(part, 'logprobs')));
  return ok({
    kind: 'chat',
    id: textAt(value, 'id') ?? '',
    model: textAt(value, 'model') ?? '',
    created: integerAt(value, 'created_at'),
    choices: [{ index: 0, parts, finish: responseFinish(value, said), ...(logprobs.length === 0 ? {} : { logprobs }) }],
    usage: usageOf(answer, endpoint),
  });
}

/** How a response ended, in the neutral form. */
export function responseFinish(response: JsonObject, said: Said): NeutralFinish {
  const reason = textAt(objectAt(response, 'incomplete_details') ?? {}, 'reason');
  if (response['status'] !== 'incomplete') return readFinish('stop', said);
  return reason === 'content_filter' ? 'content_filter' : 'length';
}

function readItem(item: JsonObject): readonly NeutralPart[] {
  switch (item['type']) {
    case 'message':
      return objectsAt(item, 'content').flatMap(readPart);
    case 'reasoning':
      return readReasoning(item);
    case 'function_call':
      return [
        {
          kind: 'tool_call',
          id: textAt(item, 'call_id') ?? '',
          name: textAt(item, 'name') ?? '',
          argumentsJson: wordAt(item, 'arguments') ?? '{}',
          ...readCallSignature(item['extra_content']),
        },
      ];
    default:
      return [];
  }
}

function readPart(part: JsonObject): readonly NeutralPart[] {
  const text = wordAt(part, 'text');
  const refusal = wordAt(part, 'refusal');
  return [...(text === undefined ? [] : [{ kind: 'text', text } as const]), ...(refusal === undefined ? [] : [{ kind: 'refusal', text: refusal } as const])];
}

function readReasoning(item: JsonObject): readonly NeutralPart[] {
  const whole = objectsAt(item, 'content')
    .map((part) => textAt(part, 'text') ?? '')
    .join('');
  const text =
    whole === ''
      ? objectsAt(item, 'summary')
          .map((part) => textAt(part, 'text') ?? '')
          .join('\n\n')
      : whole;
  const encrypted = wordAt(item, 'encrypted_content');
  if (encrypted !== undefined) return [{ kind: 'thinking', text, ...readSeal(encrypted, text) }];
  return text === '' ? [] : [{ kind: 'thinking', text }];
}
