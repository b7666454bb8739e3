import { eventOf, spoiltUsage } from '../answer.ts';
import type { Stream } from '../answer.ts';
import type { Exchange } from '../api.ts';
import type { Counted } from '../books.ts';
import { deliver, refuse } from '../deliver.ts';
import type { Faults } from '../faults.ts';
import { replyTo } from '../model.ts';
import type { Outcome, Reply } from '../model.ts';
import { inputTokens, spansOf } from '../prompt.ts';
import { seal } from '../seal.ts';
import { idOf, splitJson } from '../text.ts';
import { failure, parsed } from './errors.ts';
import { isServed } from './models.ts';
import { promptOf } from './prompt.ts';
import { NEWEST, REDACTED_SEAL, THINKING_SEAL, impossible, impossibleInput } from './rules.ts';
import { countRequest, messageRequest, newestMessageRequest } from './schema.ts';
import type { MessageRequest } from './schema.ts';

/** Beginnings of fewer tokens are not kept. Source: Claude docs, "Prompt caching", for Sonnet. */
const LEAST_CACHED = 1024;

/** `POST /v1/messages`. Source: `Message` and `RawMessageStreamEvent` of `@anthropic-ai/sdk`. */
export async function messages(body: unknown, exchange: Exchange, version: string): Promise<void> {
  const request = parsed(version === NEWEST ? newestMessageRequest : messageRequest, body, exchange);
  if (request === undefined) return;
  const { answer, faults, cache } = exchange;
  if (!isServed(request.model)) return refuse(exchange, failure(404, `model: ${request.model.slice(0, 100)}`, answer.requestId));
  const problem = impossible(request, version);
  if (problem !== undefined) return refuse(exchange, failure(400, problem, answer.requestId));
  const prompt = promptOf(request);
  const spans = spansOf(prompt);
  const outcome = replyTo(prompt, faults);
  const { read, written } = cache.explicit(request.model, spans, LEAST_CACHED);
  const counted: Counted = {
    input: inputTokens(spans),
    cached: read,
    cacheWrites: written['5m'] + written['1h'],
    cacheWritesLong: written['1h'],
    output: outcome.output,
    reasoning: outcome.reasoning,
  };
  const message = new MessageAnswer(request, outcome, counted, faults, answer.requestId);
  await deliver(exchange, { model: request.model, counted, stream: request.stream === true ? message.stream() : undefined, body: () => message.body() });
}

/** `POST /v1/messages/count_tokens`. */
export function countTokens(body: unknown, exchange: Exchange, version: string): void {
  const request = parsed(countRequest, body, exchange);
  if (request === undefined) return;
  const { requestId } = exchange.answer;
  if (!isServed(request.model)) return refuse(exchange, failure(404, `model: ${request.model.slice(0, 100)}`, requestId));
  const problem = impossibleInput(request, version);
  if (problem !== undefined) return refuse(exchange, failure(400, problem, requestId));
  exchange.answer.json(200, { input_tokens: inputTokens(spansOf(promptOf(request))) });
}

const NO_REPLY: Reply = { thought: [], pieces: [], calls: [], finish: 'blocked', stopSequence: undefined };

interface Block {
  readonly whole: object;
  readonly begun: object;
  readonly deltas: readonly object[];
}

class MessageAnswer {
  readonly #request: MessageRequest;
  readonly #reply: Reply;
  readonly #seed: number;
  readonly #counted: Counted;
  readonly #faults: Faults;
  readonly #requestId: string;

  constructor(request: MessageRequest, outcome: Outcome, counted: Counted, faults: Faults, requestId: string) {
    this.#request = request;
    this.#reply = outcome.replies[0] ?? NO_REPLY;
    this.#seed = outcome.seed;
    this.#counted = counted;
    this.#faults = faults;
    this.#requestId = requestId;
  }

  body(): object {
    return {
      ...this.#frame(),
      content: this.#blocks().map(({ whole }) => whole),
      ...this.#stop(),
      usage: spoiltUsage(this.#usage(this.#counted.output), this.#faults.usage),
    };
  }

  stream(): Stream {
    const event = (data: { readonly type: string; readonly [field: string]: unknown }): string => eventOf(data, data.type);
    const begun = spoiltUsage(this.#usage(1), this.#faults.usage);
    const usage = spoiltUsage({ output_tokens: this.#counted.output, output_tokens_details: this.#details(), ...this.#inputs() }, this.#faults.usage);
    const events = [
      event({ type: 'message_start', message: { ...this.#frame(), content: [], stop_reason: null, stop_sequence: null, usage: begun } }),
      event({ type: 'ping' }),
      ...this.#blocks().flatMap(({ begun: block, deltas }, index) => [
        event({ type: 'content_block_start', index, content_block: block }),
        ...deltas.map((delta) => event({ type: 'content_block_delta', index, delta })),
        event({ type: 'content_block_stop', index }),
      ]),
      event({ type: 'message_delta', delta: { container: null, ...this.#stop() }, usage }),
    ];
    return { events, end: event({ type: 'message_stop' }), error: event({ ...failure(529, 'Overloaded', this.#requestId).body, type: 'error' }) };
  }

  #frame(): object {
    return { id: idOf('msg_', this.#seed), type: 'message', role: 'assistant', model: this.#request.model, container: null };
  }

  #stop(): object {
    const { finish, stopSequence } = this.#reply;
    const reasons = {
      stop: 'end_turn',
      stop_sequence: 'stop_sequence',
      length: 'max_tokens',
      tool_calls: 'tool_use',
      blocked: 'refusal',
      refused: 'refusal',
    } as const;
    return { stop_reason: reasons[finish], stop_sequence: stopSequence ?? null };
  }

  #inputs(): object {
    const { input, cached, cacheWrites, cacheWritesLong } = this.#counted;
    return {
      input_tokens: input - cached - cacheWrites,
      cache_creation_input_tokens: cacheWrites,
      cache_read_input_tokens: cached,
      cache_creation: { ephemeral_5m_input_tokens: cacheWrites - cacheWritesLong, ephemeral_1h_input_tokens: cacheWritesLong },
    };
  }

  #details(): object {
    return { thinking_tokens: this.#counted.reasoning };
  }

  #usage(output: number): object {
    return {
      ...this.#inputs(),
      output_tokens: output,
      output_tokens_details: this.#details(),
      server_tool_use: null,
      service_tier: 'standard',
      inference_geo: 'not_available',
    };
  }

  #blocks(): readonly Block[] {
    const { thought, calls, pieces } = this.#reply;
    const said = calls.length === 0 && pieces.length > 0 ? [textBlock(pieces)] : [];
    const used = calls.map((call, place): Block => {
      const base = { type: 'tool_use', id: idOf('toolu_', this.#seed, place), name: call.name };
      return {
        whole: { ...base, input: call.input },
        begun: { ...base, input: {} },
        deltas: ['', ...splitJson(call.arguments)].map((piece) => ({ type: 'input_json_delta', partial_json: piece })),
      };
    });
    return [...(thought.length === 0 ? [] : [this.#thinking(thought)]), ...said, ...used];
  }

  #thinking(thought: readonly string[]): Block {
    if (this.#faults.isThinkingRedacted) {
      const whole = { type: 'redacted_thinking', data: seal(REDACTED_SEAL, '', this.#seed) };
      return { whole, begun: whole, deltas: [] };
    }
    const { thinking } = this.#request;
    const isOmitted = thinking !== undefined && 'display' in thinking && thinking.display === 'omitted';
    const shown = isOmitted ? [] : thought;
    const signature = seal(THINKING_SEAL, shown.join(''), this.#seed);
    return {
      whole: { type: 'thinking', thinking: shown.join(''), signature },
      begun: { type: 'thinking', thinking: '', signature: '' },
      deltas: [...shown.map((piece) => ({ type: 'thinking_delta', thinking: piece })), { type: 'signature_delta', signature }],
    };
  }
}

function textBlock(pieces: readonly string[]): Block {
  return {
    whole: { type: 'text', text: pieces.join(''), citations: null },
    begun: { type: 'text', text: '', citations: null },
    deltas: pieces.map((text) => ({ type: 'text_delta', text })),
  };
}
