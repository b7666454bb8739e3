import type { NeutralChat, NeutralSampling } from '../../../neutral.ts';
import { readCap, readChoices, readModel, readReasoning, readSampling, readStream, readTier, readUser } from '../parameters.ts';
import type { ObjectReader } from '../reading.ts';
import { withoutAbsent } from '../../../values.ts';
import { readMessages } from './read-messages.ts';
import { readFormat, readToolUse } from './read-tools.ts';

/** `top_logprobs` at most, as OpenAI has it. */
const TOP_LOGPROBS = { min: 0, max: 20 };

/** Reads the body of `POST /chat/completions`. Source: `ChatCompletionCreateParamsBase` of the `openai` package. */
export function readChat(body: ObjectReader): NeutralChat {
  refuseForeign(body);
  const chat: NeutralChat = {
    kind: 'chat',
    model: readModel(body),
    ...readStream(body),
    messages: readMessages(body),
    ...readToolUse(body),
    parallelToolCalls: body.boolean('parallel_tool_calls'),
    format: readFormat(body),
    sampling: { ...readSampling(body), ...readLogprobs(body) },
    reasoning: readReasoning(body, 'reasoning_effort', undefined),
    maxOutputTokens: readCap(body, ['max_completion_tokens', 'max_tokens']),
    choices: readChoices(body),
    user: readUser(body),
    metadata: body.record('metadata', 'string'),
    tier: readTier(body),
  };
  body.dropRest();
  return chat;
}

function readLogprobs(body: ObjectReader): NeutralSampling {
  return withoutAbsent({ logprobs: body.boolean('logprobs'), topLogprobs: body.integer('top_logprobs', TOP_LOGPROBS) });
}

/** What only OpenAI does: refused where the answer would lack what was asked for, dropped where it would merely differ. */
function refuseForeign(body: ObjectReader): void {
  if (body.strings('modalities').includes('audio'))
    body.refuse('modalities', 'modalities asks for spoken answers, which are not carried over between APIs. Ask for text.');
  else body.ignore(['audio']);
  body.refuse('web_search_options', "web_search_options asks for OpenAI's own web search. Search by a function instead.");
  body.refuse('moderation', "moderation asks for OpenAI's own checks of the text, which no other provider runs. Call the moderations endpoint.");
  if (body.boolean('store') === true) body.refuse('store', 'store asks the provider to keep the answer, which is not done here. Leave it out.');
  body.drop('prediction', 'prediction makes answers of OpenAI faster and was left out.');
  body.drop('verbosity', 'verbosity has no equivalent in other APIs and was left out. Ask for the length in the prompt.');
}
