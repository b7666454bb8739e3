import { parseJson } from '../../../json/index.ts';
import { err, ok } from '../../../units/index.ts';
import type { Result } from '../../../units/index.ts';
import { FaultLog, Fields } from '../../fields.ts';
import type { NeutralAnswer, NeutralChatAnswer, NeutralFinish, NeutralPart } from '../../neutral.ts';
import type { Endpoint } from '../../types.ts';
import { UsageTally } from '../usage.ts';
import { finishOf } from './finish.ts';
import { rawJson, textOf } from './values.ts';

/** Longest `type` and the like that is looked at. */
const MAX_WORD_BYTES = 64;

/** Largest count of tokens that is taken for one. */
const MAX_TOKENS = Number.MAX_SAFE_INTEGER;

/** Reads a whole answer. Source: `Message` and `MessageTokensCount` of `@anthropic-ai/sdk`. */
export function parseAnswer(endpoint: Endpoint, bytes: Uint8Array): Result<NeutralAnswer, string> {
  const parsed = parseJson(bytes);
  if (!parsed.ok || parsed.value.kind(parsed.value.root) !== 'object') return err('The answer is not a JSON object.');
  const faults = new FaultLog();
  const body = new Fields(parsed.value, parsed.value.root, '', faults);
  const answer = endpoint.operation === 'count_tokens' ? readCount(body) : readMessage(body);
  return faults.first === undefined ? ok(answer) : err(faults.first.message);
}

function readCount(body: Fields): NeutralAnswer {
  const inputTokens = body.integer('input_tokens', { min: 0, max: MAX_TOKENS });
  if (inputTokens === undefined) body.faults.add('invalid_value', 'input_tokens', 'The answer names no input_tokens.');
  return { kind: 'count_tokens', inputTokens: inputTokens ?? 0 };
}

function readMessage(body: Fields): NeutralChatAnswer {
  if (body.node('content') === undefined) body.faults.add('invalid_value', 'content', 'The answer has no content.');
  const tally = new UsageTally();
  tally.take(body.document, body.node('usage'));
  const stopSequence = textOf(body, 'stop_sequence');
  return {
    kind: 'chat',
    id: textOf(body, 'id') ?? '',
    model: textOf(body, 'model') ?? '',
    created: undefined,
    choices: [
      {
        index: 0,
        parts: [...body.objects('content').flatMap(readBlock), ...explanationOf(body)],
        finish: finishIn(body),
        ...(stopSequence === undefined ? {} : { stopSequence }),
      },
    ],
    usage: tally.finalProblem() === undefined ? tally.usage() : undefined,
  };
}

/** Blocks of tools that Anthropic ran itself are passed over: the text tells what came of them. */
function readBlock(block: Fields): readonly NeutralPart[] {
  switch (block.string('type', MAX_WORD_BYTES)) {
    case 'text':
      return [{ kind: 'text', text: textOf(block, 'text') ?? '' }];
    case 'thinking': {
      const signature = textOf(block, 'signature') ?? '';
      return [
        { kind: 'thinking', text: textOf(block, 'thinking') ?? '', ...(signature === '' ? {} : { signature: { origin: 'anthropic', data: signature } }) },
      ];
    }
    case 'redacted_thinking':
      return [{ kind: 'thinking', text: '', redacted: { origin: 'anthropic', data: textOf(block, 'data') ?? '' } }];
    case 'tool_use': {
      const input = block.node('input');
      return [
        {
          kind: 'tool_call',
          id: textOf(block, 'id') ?? '',
          name: textOf(block, 'name') ?? '',
          argumentsJson: input === undefined ? '{}' : rawJson(block.document, input),
        },
      ];
    }
    default:
      return [];
  }
}

function finishIn(body: Fields): NeutralFinish | undefined {
  const reason = body.string('stop_reason', MAX_WORD_BYTES);
  return reason === undefined ? undefined : finishOf(reason);
}

/** Why a model refused, where Anthropic says it beside the content. Source: `RefusalStopDetails` of `@anthropic-ai/sdk`. */
function explanationOf(body: Fields): readonly NeutralPart[] {
  const details = body.object('stop_details');
  const text = details === undefined ? undefined : textOf(details, 'explanation');
  return text === undefined || text === '' ? [] : [{ kind: 'refusal', text }];
}
