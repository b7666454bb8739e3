import { eventOf } from '../answer.ts';
import type { Stream } from '../answer.ts';
import type { Exchange } from '../api.ts';
import { NOTHING } from '../books.ts';
import type { Counted } from '../books.ts';
import { deliver, refuse } from '../deliver.ts';
import { replyTo } from '../model.ts';
import type { Reply } from '../model.ts';
import { countTokens, idOf } from '../text.ts';
import { CREATED } from './chat.ts';
import { failure, parsed } from './errors.ts';
import { unknownModel } from './rules.ts';
import { completionRequest } from './schema.ts';
import type { CompletionRequest } from './schema.ts';
import { completionUsage } from './usage.ts';

/** The API's own default. */
const DEFAULT_CAP = 16;

/** Text completions. Source: `Completion` of the `openai` package. */
export async function completions(body: unknown, exchange: Exchange): Promise<void> {
  const request = parsed(completionRequest, body, exchange);
  if (request === undefined) return;
  const problem = unknownModel(request.model);
  if (problem !== undefined) return refuse(exchange, problem);
  const { faults } = exchange;
  const text = textOf(request);
  const outcome = replyTo(
    {
      model: request.model,
      turns: [{ role: 'user', parts: [{ kind: 'text', text }] }],
      tools: [],
      choice: { kind: 'none' },
      parallel: false,
      format: undefined,
      cap: request.max_tokens ?? DEFAULT_CAP,
      stops: request.stop == null ? [] : [request.stop].flat(),
      thinking: 0,
      answers: request.n ?? 1,
    },
    faults,
  );
  const best = Math.max(request.best_of ?? 1, outcome.replies.length) / Math.max(1, outcome.replies.length);
  const counted: Counted = { ...NOTHING, input: countTokens(text), output: Math.ceil(outcome.output * best) };
  const base = { id: idOf('cmpl-', outcome.seed), object: 'text_completion', created: CREATED, model: request.model };
  const usage = completionUsage(counted, faults);
  const choices = outcome.replies.map((reply, index) => ({ index, text: reply.pieces.join(''), logprobs: null, finish_reason: finishOf(reply) }));
  const stream = (): Stream => ({
    events: [
      ...outcome.replies.flatMap((reply, index) => [
        ...reply.pieces.map((piece) => eventOf({ ...base, choices: [{ index, text: piece, logprobs: null, finish_reason: null }] })),
        eventOf({ ...base, choices: [{ index, text: '', logprobs: null, finish_reason: finishOf(reply) }] }),
      ]),
      ...(request.stream_options?.include_usage === true && faults.usage !== 'missing' ? [eventOf({ ...base, choices: [], usage })] : []),
    ],
    end: 'data: [DONE]\n\n',
    error: eventOf(failure(500, 'The server had an error while processing your request.').body),
  });
  await deliver(exchange, { model: request.model, counted, stream: request.stream === true ? stream() : undefined, body: () => ({ ...base, choices, usage }) });
}

function textOf({ prompt }: CompletionRequest): string {
  return typeof prompt === 'string' ? prompt : prompt.join(' ');
}

const finishOf = ({ finish }: Reply): string => (finish === 'length' ? 'length' : finish === 'blocked' ? 'content_filter' : 'stop');
