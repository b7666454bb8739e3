import { eventOf } from '../answer.ts';
import type { Stream } from '../answer.ts';
import type { Exchange } from '../api.ts';
import type { Counted } from '../books.ts';
import { countedOf, deliver, refuse } from '../deliver.ts';
import type { Faults } from '../faults.ts';
import { replyTo } from '../model.ts';
import type { Outcome, Reply, ToolCall } from '../model.ts';
import { inputTokens, spansOf } from '../prompt.ts';
import type { Prompt } from '../prompt.ts';
import { idOf, splitJson } from '../text.ts';
import { failure, parsed } from './errors.ts';
import { promptOf } from './prompt.ts';
import { impossible, unknownModel } from './rules.ts';
import { chatRequest } from './schema.ts';
import type { ChatRequest } from './schema.ts';
import { completionUsage } from './usage.ts';

export const CREATED = 1_700_000_000;

/** Prompts of so many tokens that were seen before are read from the cache, in such steps. Source: OpenAI, "Prompt caching". */
export const CACHE = { least: 1024, step: 128 };

/** What an answer depends on besides what was asked. */
export type ChatForm = Pick<ChatRequest, 'model' | 'stream' | 'stream_options' | 'logprobs' | 'top_logprobs'>;

/** A request that was taken. */
export interface ChatQuestion {
  readonly form: ChatForm;
  readonly prompt: Prompt;
}

/** What compatible providers do in their own way. */
export interface ChatStyle {
  /** Nothing where the request was refused, which is answered then. */
  readonly read: (body: unknown, exchange: Exchange) => ChatQuestion | undefined;
  /** From how many tokens on, and in which steps, beginnings are read from the cache. */
  readonly cache: { readonly least: number; readonly step: number };
  readonly usage: (counted: Counted, faults: Faults) => unknown;
  /** The field in which thoughts are shown; OpenAI hides them. */
  readonly thoughts: string | undefined;
  /** A stream ends with usage whether or not it was asked for. */
  readonly alwaysUsage: boolean;
  /** Members that every answer has besides. */
  readonly more: object;
  /** Members of every choice. */
  readonly moreOfChoice: object;
  /** Events before the first. */
  readonly preface: readonly object[];
}

export const OPENAI_STYLE: ChatStyle = {
  read,
  cache: CACHE,
  usage: completionUsage,
  thoughts: undefined,
  alwaysUsage: false,
  more: { service_tier: 'default', system_fingerprint: 'fp_simulated' },
  moreOfChoice: {},
  preface: [],
};

export async function chat(body: unknown, exchange: Exchange, style: ChatStyle = OPENAI_STYLE): Promise<void> {
  const question = style.read(body, exchange);
  if (question === undefined) return;
  const { form, prompt } = question;
  const spans = spansOf(prompt);
  const outcome = replyTo(prompt, exchange.faults);
  const counted = countedOf(inputTokens(spans), outcome, exchange.cache.automatic(form.model, spans, style.cache));
  const answer = new ChatAnswer(form, outcome, counted, exchange.faults, style);
  await deliver(exchange, { model: form.model, counted, stream: form.stream === true ? answer.stream() : undefined, body: () => answer.body() });
}

function read(body: unknown, exchange: Exchange): ChatQuestion | undefined {
  const request = parsed(chatRequest, body, exchange);
  if (request === undefined) return undefined;
  const problem = unknownModel(request.model) ?? impossible(request);
  if (problem === undefined) return { form: request, prompt: promptOf(request) };
  refuse(exchange, problem);
  return undefined;
}

/** One answer, whole or in events. Source: `ChatCompletion` and `ChatCompletionChunk` of the `openai` package. */
class ChatAnswer {
  readonly #request: ChatForm;
  readonly #replies: readonly Reply[];
  readonly #counted: Counted;
  readonly #faults: Faults;
  readonly #style: ChatStyle;
  readonly #id: string;

  constructor(request: ChatForm, outcome: Outcome, counted: Counted, faults: Faults, style: ChatStyle) {
    this.#request = request;
    this.#replies = outcome.isPromptBlocked ? [BLOCKED] : outcome.replies;
    this.#counted = counted;
    this.#faults = faults;
    this.#style = style;
    this.#id = idOf('chatcmpl-', outcome.seed);
  }

  body(): object {
    const choices = this.#replies.map((reply, index) => ({
      index,
      message: {
        role: 'assistant',
        content: reply.calls.length > 0 || isRefused(reply) ? null : reply.pieces.join(''),
        refusal: isRefused(reply) ? reply.pieces.join('') : null,
        annotations: [],
        ...this.#thoughts(reply.thought.join('')),
        ...(reply.calls.length === 0
          ? {}
          : {
              tool_calls: reply.calls.map((call, place) => ({
                id: this.#callId(index, place),
                type: 'function',
                function: { name: call.name, arguments: call.arguments },
              })),
            }),
      },
      logprobs: this.#logprobs(reply.pieces),
      finish_reason: finishOf(reply),
      ...this.#style.moreOfChoice,
    }));
    return {
      id: this.#id,
      object: 'chat.completion',
      created: CREATED,
      model: this.#request.model,
      choices,
      usage: this.#style.usage(this.#counted, this.#faults),
      ...this.#style.more,
    };
  }

  stream(): Stream {
    const wantsUsage = this.#style.alwaysUsage || this.#request.stream_options?.include_usage === true;
    const events = [...this.#style.preface.map((event) => eventOf(event)), ...this.#replies.flatMap((reply, index) => this.#events(reply, index, wantsUsage))];
    const usage = wantsUsage && this.#faults.usage !== 'missing' ? [this.#event([], wantsUsage, this.#style.usage(this.#counted, this.#faults))] : [];
    const twice = this.#faults.usage === 'double' ? usage : [];
    return {
      events: [...events, ...usage, ...twice],
      end: 'data: [DONE]\n\n',
      error: eventOf(failure(500, 'The server had an error while processing your request.').body),
    };
  }

  #events({ thought, pieces, calls, ...reply }: Reply, index: number, wantsUsage: boolean): readonly string[] {
    const event = (delta: object, finish: string | null = null, said?: string): string =>
      this.#event(
        [{ index, delta, logprobs: said === undefined ? null : this.#logprobs([said]), finish_reason: finish, ...this.#style.moreOfChoice }],
        wantsUsage,
      );
    return [
      event({ role: 'assistant', content: calls.length > 0 || isRefused(reply) ? null : '', refusal: null }),
      ...(this.#style.thoughts === undefined ? [] : thought.map((piece) => event(this.#thoughts(piece)))),
      ...calls.flatMap((call, place) => callDeltas(call, this.#callId(index, place), place).map((fragment) => event({ tool_calls: [fragment] }))),
      ...pieces.map((piece) => (isRefused(reply) ? event({ refusal: piece }) : event({ content: piece }, null, piece))),
      event({}, finishOf(reply)),
    ];
  }

  #event(choices: readonly object[], wantsUsage: boolean, usage: unknown = null): string {
    return eventOf({
      id: this.#id,
      object: 'chat.completion.chunk',
      created: CREATED,
      model: this.#request.model,
      ...this.#style.more,
      choices,
      ...(wantsUsage ? { usage } : {}),
    });
  }

  #thoughts(text: string): object {
    const { thoughts } = this.#style;
    return thoughts === undefined || text === '' ? {} : { [thoughts]: text };
  }

  #logprobs(pieces: readonly string[]): object | null {
    if (this.#request.logprobs !== true) return null;
    const count = this.#request.top_logprobs ?? 0;
    const of = (token: string, logprob: number): object => ({ token, logprob, bytes: [...Buffer.from(token)] });
    return {
      content: pieces.map((token) => ({
        ...of(token, -0.25),
        top_logprobs: Array.from({ length: count }, (_, rank) => of(rank === 0 ? token : `${token}${rank}`, -0.25 - rank)),
      })),
      refusal: null,
    };
  }

  #callId(index: number, place: number): string {
    return idOf('call_', this.#id, index, place);
  }
}

const BLOCKED: Reply = { thought: [], pieces: [], calls: [], finish: 'blocked', stopSequence: undefined };

const isRefused = ({ finish }: Pick<Reply, 'finish'>): boolean => finish === 'refused';

function finishOf({ finish }: Pick<Reply, 'finish'>): string {
  switch (finish) {
    case 'stop_sequence':
    case 'refused':
      return 'stop';
    case 'blocked':
      return 'content_filter';
    default:
      return finish;
  }
}

function callDeltas(call: ToolCall, id: string, index: number): readonly object[] {
  return [
    { index, id, type: 'function', function: { name: call.name, arguments: '' } },
    ...splitJson(call.arguments).map((piece) => ({ index, function: { arguments: piece } })),
  ];
}
