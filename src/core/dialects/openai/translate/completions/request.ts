import type { NeutralChat } from '../../../neutral.ts';
import { readCap, readChoices, readModel, readSampling, readStream, readUser } from '../parameters.ts';
import type { ObjectReader } from '../reading.ts';

/**
 * Reads the body of `POST /completions` as a chat of one message: a chat model answers the prompt rather than going on
 * with it. Source: `CompletionCreateParamsBase` of the `openai` package.
 */
export function readCompletion(body: ObjectReader): NeutralChat {
  const choices = readChoices(body);
  refuseForeign(body, choices);
  const chat: NeutralChat = {
    kind: 'chat',
    model: readModel(body),
    ...readStream(body),
    messages: [{ role: 'user', parts: [{ kind: 'text', text: readPrompt(body) }] }],
    tools: [],
    toolChoice: undefined,
    parallelToolCalls: undefined,
    format: undefined,
    sampling: readSampling(body),
    reasoning: undefined,
    maxOutputTokens: readCap(body, ['max_tokens']),
    choices,
    user: readUser(body),
    metadata: undefined,
    tier: undefined,
  };
  body.dropRest();
  return chat;
}

function readPrompt(body: ObjectReader): string {
  const prompt = body.value('prompt');
  const [only, more]: readonly unknown[] = Array.isArray(prompt) ? (prompt as readonly unknown[]) : [prompt];
  if (typeof only === 'string' && more === undefined) return only;
  if (typeof only === 'string') body.refuse('prompt', 'prompt holds several prompts, each of which wants an answer. Send one with each call.');
  else if (typeof only === 'number' || Array.isArray(only)) body.refuse('prompt', "prompt holds the ids of tokens, which are one model's own. Send text.");
  else body.log.invalid('prompt', 'prompt must be a string.');
  return '';
}

/** What only makes sense where a model goes on with a text. */
function refuseForeign(body: ObjectReader, choices: number): void {
  if (body.string('suffix') !== '')
    body.refuse('suffix', 'suffix asks for what stands between two texts, which chat models are not asked for. Say it in the prompt.');
  body.refuse('logprobs', 'logprobs of a text completion have no equivalent for chat models. Use chat completions with logprobs.');
  if (body.boolean('echo') === true) body.refuse('echo', 'echo repeats the prompt in the answer, which is not carried over to chat models. Leave it out.');
  if (typeof body.value('best_of') === 'number' && Number(body.value('best_of')) > choices)
    body.refuse('best_of', 'best_of above n chooses by log probabilities, which is not carried over to chat models. Leave it out.');
}
