import { concatBytes, encodeJson, encodeUtf8 } from '../../../json/index.ts';
import type { Usage } from '../../../catalog/index.ts';
import type { NeutralError, NeutralEvent, NeutralFinish, NeutralLogprob, NeutralToolCall } from '../../neutral.ts';
import type { AnswerContext, StreamWriter } from '../../translation.ts';
import { errorBody } from './errors.ts';
import { writeLogprobs } from './logprobs.ts';
import { writeAnswerPart, writeCandidate } from './parts.ts';
import { writeUsage } from './usage.ts';
import { withoutAbsent } from '../../values.ts';
import type { JsonObject } from '../../values.ts';

/** Longest arguments of all calls that are held until they are whole. No model writes as much. */
const MAX_HELD_CHARS = 16 * 1024 * 1024;

const NOTHING = new Uint8Array(0);

/** Puts responses one after another into a body. */
interface Framing {
  readonly begin: string;
  readonly between: string;
  readonly after: string;
  readonly end: string;
}

const EVENTS: Framing = { begin: 'data: ', between: 'data: ', after: '\r\n\r\n', end: '' };
const ARRAY: Framing = { begin: '[', between: ',\r\n', after: '', end: ']' };

const CUT: NeutralError = { kind: 'server_error', status: 503, message: "The provider's stream ended before the answer was whole. Try again." };
const TOO_LONG: NeutralError = {
  kind: 'server_error',
  status: 500,
  message: "The arguments of the answer's tool calls are too long to be held until they are whole.",
};

/** A call whose arguments are still coming. */
interface HeldCall {
  readonly call: Omit<NeutralToolCall, 'argumentsJson'>;
  argumentsJson: string;
}

/** What is held of one candidate until it ends. */
interface Candidate {
  readonly calls: Map<number, HeldCall>;
  finish: NeutralFinish | undefined;
}

/** Writes a caller's stream: as events, or as an array where `alt=sse` was not asked for. */
export function writeStream(context: AnswerContext): StreamWriter {
  return new GeminiStreamWriter(context);
}

/**
 * What is said goes out at once. Arguments of a call must be whole at Gemini, so calls are held until their candidate ends;
 * and the ends until usage is known, as both belong into the last response.
 */
class GeminiStreamWriter implements StreamWriter {
  readonly #framing: Framing;
  readonly #requestId: string;
  readonly #candidates = new Map<number, Candidate>();
  #model: string;
  #id: string;
  #usage: Usage | undefined;
  #heldChars = 0;
  #hasBegun = false;
  #isOver = false;

  constructor({ endpoint, request, requestId }: AnswerContext) {
    this.#framing = endpoint.streamForm === 'sse' ? EVENTS : ARRAY;
    this.#requestId = requestId;
    this.#model = request.kind === 'count_tokens' ? request.chat.model : request.model;
    this.#id = requestId;
  }

  write(events: readonly NeutralEvent[]): Uint8Array {
    const parts = events.flatMap((event) => (this.#isOver ? [] : this.#take(event)));
    return parts.length === 0 ? NOTHING : concatBytes(parts);
  }

  finish(): Uint8Array {
    if (this.#isOver) return NOTHING;
    return concatBytes(this.#fail(CUT));
  }

  #take(event: NeutralEvent): readonly Uint8Array[] {
    switch (event.kind) {
      case 'start':
        this.#start(event);
        return [];
      case 'text':
        return [this.#say(event.choice, { text: event.delta }, event.logprobs)];
      case 'refusal':
        return [this.#say(event.choice, { text: event.delta })];
      case 'thinking':
        return [this.#say(event.choice, { text: event.delta, thought: true })];
      case 'thinking_signature':
        return writeAnswerPart({ kind: 'thinking', text: '', signature: event.signature }).map((part) => this.#say(event.choice, part));
      case 'redacted_thinking':
        return writeAnswerPart({ kind: 'thinking', text: '', redacted: event.redacted }).map((part) => this.#say(event.choice, part));
      case 'tool_call':
        this.#candidate(event.choice).calls.set(event.call, {
          call: { kind: 'tool_call', id: event.id, name: event.name, ...withoutAbsent({ signature: event.signature }) },
          argumentsJson: '',
        });
        return [];
      case 'tool_arguments':
        return this.#hold(event.choice, event.call, event.delta);
      case 'finish':
        this.#candidate(event.choice).finish = event.reason;
        return [];
      case 'usage':
        this.#usage = event.usage;
        return [];
      case 'ping':
        return [];
      case 'error':
        return this.#fail(event.error);
      case 'end':
        return this.#end();
    }
  }

  #start({ id, model, usage }: Extract<NeutralEvent, { readonly kind: 'start' }>): void {
    if (id !== '') this.#id = id;
    if (model !== '') this.#model = model;
    this.#usage = usage ?? this.#usage;
  }

  #candidate(choice: number): Candidate {
    const known = this.#candidates.get(choice) ?? { calls: new Map<number, HeldCall>(), finish: undefined };
    this.#candidates.set(choice, known);
    return known;
  }

  #hold(choice: number, call: number, delta: string): readonly Uint8Array[] {
    const held = this.#candidate(choice).calls.get(call);
    if (held === undefined) return [];
    this.#heldChars += delta.length;
    if (this.#heldChars > MAX_HELD_CHARS) return this.#fail(TOO_LONG);
    held.argumentsJson += delta;
    return [];
  }

  #say(choice: number, part: JsonObject, logprobs?: readonly NeutralLogprob[]): Uint8Array {
    this.#candidate(choice);
    const logprobsResult = logprobs === undefined ? undefined : writeLogprobs(logprobs);
    return this.#response({ candidates: [{ content: { parts: [part], role: 'model' }, index: choice, ...withoutAbsent({ logprobsResult }) }] });
  }

  /** The last response: what was held, why each candidate ended, and what it all used. */
  #end(): readonly Uint8Array[] {
    this.#isOver = true;
    const candidates = [...this.#candidates].map(([index, { calls, finish }]) =>
      writeCandidate({ index, parts: [...calls.values()].map(({ call, argumentsJson }) => ({ ...call, argumentsJson })), finish }),
    );
    const usageMetadata = this.#usage === undefined ? undefined : writeUsage(this.#usage);
    return [this.#response({ candidates, ...withoutAbsent({ usageMetadata }) }), encodeUtf8(this.#framing.end)];
  }

  #fail(error: NeutralError): readonly Uint8Array[] {
    this.#isOver = true;
    return [this.#frame(errorBody(error, this.#requestId)), encodeUtf8(this.#framing.end)];
  }

  #response(value: JsonObject): Uint8Array {
    return this.#frame({ ...value, modelVersion: this.#model, responseId: this.#id });
  }

  #frame(value: JsonObject): Uint8Array {
    const { begin, between, after } = this.#framing;
    const before = this.#hasBegun ? between : begin;
    this.#hasBegun = true;
    return concatBytes([encodeUtf8(before), encodeJson(value), encodeUtf8(after)]);
  }
}
