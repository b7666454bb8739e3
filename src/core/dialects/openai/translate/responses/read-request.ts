import type { NeutralChat, NeutralMessage, NeutralReasoning, NeutralSampling } from '../../../neutral.ts';
import { readCap, readModel, readReasoning, readSampling, readStream, readTier, readUser } from '../parameters.ts';
import { quoted } from '../reading.ts';
import type { ObjectReader } from '../reading.ts';
import { withoutAbsent } from '../../../values.ts';
import { readInput } from './read-items.ts';
import { readFormat, readToolUse } from './read-tools.ts';

/** `top_logprobs` at most, as OpenAI has it. */
const TOP_LOGPROBS = { min: 0, max: 20 };

const LOGPROBS = 'message.output_text.logprobs';
const SEALS = 'reasoning.encrypted_content';

/** Reads the body of `POST /responses`. Source: `ResponseCreateParamsBase` of the `openai` package. */
export function readResponse(body: ObjectReader): NeutralChat {
  refuseForeign(body);
  const chat: NeutralChat = {
    kind: 'chat',
    model: readModel(body),
    ...readStream(body),
    // A response's last event has its usage in any case.
    wantsStreamUsage: true,
    messages: [...readInstructions(body), ...readInput(body)],
    ...readToolUse(body),
    parallelToolCalls: body.boolean('parallel_tool_calls'),
    format: readFormat(body),
    sampling: { ...readSampling(body), ...readLogprobs(body) },
    reasoning: readThought(body),
    maxOutputTokens: readCap(body, ['max_output_tokens']),
    choices: 1,
    user: readUser(body),
    metadata: body.record('metadata', 'string'),
    tier: readTier(body),
  };
  body.dropRest();
  return chat;
}

function readInstructions(body: ObjectReader): readonly NeutralMessage[] {
  const text = body.string('instructions') ?? '';
  return text === '' ? [] : [{ role: 'system', parts: [{ kind: 'text', text }] }];
}

/** Log probabilities are asked for by a number, or by name. */
function readLogprobs(body: ObjectReader): NeutralSampling {
  const top = body.integer('top_logprobs', TOP_LOGPROBS);
  const wanted = body.strings('include');
  for (const name of wanted) {
    if (name !== LOGPROBS && name !== SEALS)
      body.log.losses.dropped('include', `include asks for something ${quoted(name)}, which only OpenAI has. It was left out.`);
  }
  return withoutAbsent({ logprobs: top !== undefined || wanted.includes(LOGPROBS) ? true : undefined, topLogprobs: top });
}

function readThought(body: ObjectReader): NeutralReasoning | undefined {
  const reasoning = body.object('reasoning');
  if (reasoning === undefined) return undefined;
  const isVisible = reasoning.has('summary') || reasoning.has('generate_summary');
  const read = readReasoning(reasoning, 'effort', isVisible ? true : undefined);
  reasoning.dropRest();
  return read;
}

/** What is kept at OpenAI, or only done there. */
function refuseForeign(body: ObjectReader): void {
  for (const field of ['previous_response_id', 'conversation']) body.refuse(field, `${field} refers to what OpenAI keeps. Send the earlier items in input.`);
  body.refuse('prompt', 'prompt refers to one that OpenAI keeps. Send its text in instructions and input.');
  body.refuse('moderation', "moderation asks for OpenAI's own checks of the text, which no other provider runs. Call the moderations endpoint.");
  for (const field of ['background', 'store']) {
    if (body.boolean(field) === true) body.refuse(field, `${field} asks OpenAI to keep the answer, which is not done here. Leave it out.`);
  }
  if (body.string('truncation') === 'auto')
    body.drop('truncation', 'truncation was left out: no other API shortens a conversation by itself. One that is too long is refused.');
}
