import type { Usage } from '../catalog/index.ts';
import { concatBytes } from '../json/index.ts';
import type { AnswerContext, LocalReply, NeutralEvent, StreamReader, StreamWriter } from '../dialects/index.ts';
import type { TranslatedCall } from './translate.ts';

/** A whole answer that is kept until its end, to be said in another language. Longer ones are answered with an error. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

export interface AnswerStart {
  readonly status: number;
  readonly kind: AnswerKind;
}

export type AnswerKind = 'sse' | 'json' | 'other';

export function kindOf(contentType: string | undefined): AnswerKind {
  const type = contentType?.split(';', 1)[0]?.trim().toLowerCase() ?? '';
  if (type === 'text/event-stream') return 'sse';
  return type === 'application/json' || type.endsWith('+json') ? 'json' : 'other';
}

/** Whether a body can be read as it is. */
export const isPlain = (encoding: string | undefined): boolean => encoding === undefined || encoding === '' || encoding.toLowerCase() === 'identity';

/** An answer on its way to a caller who speaks another language than the provider. */
export interface AnswerTranslator {
  /** What the caller is told instead of the provider's status. */
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** The bytes that go on, for those that came. */
  push(chunk: Uint8Array, endOfStream: boolean): Uint8Array;
  /** The bytes that end it here, for it has become too long. Absent where it has no such end. */
  cut?(usage: Usage): Uint8Array;
}

/** `createdS` is in seconds since the epoch. */
export function translateAnswer(call: TranslatedCall, start: AnswerStart, requestId: string, createdS: number): AnswerTranslator {
  const context: AnswerContext = { endpoint: call.front.endpoint, request: call.request, requestId, created: createdS };
  if (start.status >= 400) return new ErrorTranslator(call, start.status, requestId);
  if (start.kind === 'sse' || call.back.endpoint.streamForm === 'json_array') return new StreamTranslator(call, context, start.status);
  return new WholeTranslator(call, context, start.status);
}

/** Keeps what comes, within a bound, and gives it out whole. */
export class Gathered {
  readonly #maxBytes: number;
  #parts: Uint8Array[] = [];
  #bytes = 0;

  constructor(maxBytes = MAX_ANSWER_BYTES) {
    this.#maxBytes = maxBytes;
  }

  add(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    // A copy: the array that came may be a view of a buffer that is used again.
    if (this.#bytes <= this.#maxBytes) this.#parts.push(chunk.slice());
    else this.#parts = [];
  }

  get isTooLong(): boolean {
    return this.#bytes > this.#maxBytes;
  }

  whole(): Uint8Array {
    const whole = new Uint8Array(this.#parts.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const part of this.#parts) {
      whole.set(part, at);
      at += part.length;
    }
    this.#parts = [];
    return whole;
  }
}

const NOTHING = new Uint8Array(0);
const JSON_HEADERS: AnswerTranslator['headers'] = [['content-type', 'application/json']];

/** The head is said before the body is there, so from the status alone. */
class ErrorTranslator implements AnswerTranslator {
  readonly status: number;
  readonly headers: AnswerTranslator['headers'];
  readonly #call: TranslatedCall;
  readonly #received: number;
  readonly #requestId: string;
  readonly #body = new Gathered();

  constructor(call: TranslatedCall, received: number, requestId: string) {
    this.#call = call;
    this.#received = received;
    this.#requestId = requestId;
    this.status = call.front.translation.errorStatus(received);
    this.headers = this.#said(NOTHING).headers;
  }

  push(chunk: Uint8Array, endOfStream: boolean): Uint8Array {
    this.#body.add(chunk);
    return endOfStream ? this.#said(this.#body.whole()).body : NOTHING;
  }

  #said(body: Uint8Array): LocalReply {
    const { front, back } = this.#call;
    return front.translation.writeError(back.translation.parseError(this.#received, body), this.#requestId);
  }
}

class WholeTranslator implements AnswerTranslator {
  readonly status: number;
  readonly headers = JSON_HEADERS;
  readonly #call: TranslatedCall;
  readonly #context: AnswerContext;
  readonly #body = new Gathered();

  constructor(call: TranslatedCall, context: AnswerContext, status: number) {
    this.#call = call;
    this.#context = context;
    this.status = status;
  }

  push(chunk: Uint8Array, endOfStream: boolean): Uint8Array {
    this.#body.add(chunk);
    if (!endOfStream) return NOTHING;
    const { front, back } = this.#call;
    const answer = this.#body.isTooLong ? undefined : back.translation.parseAnswer(back.endpoint, this.#body.whole());
    if (answer?.ok === true) return front.translation.writeAnswer(answer.value, this.#context);
    // The status has gone out before the body was there, so only the body can tell.
    const message = `The provider's answer could not be read: ${answer?.error ?? `it is longer than ${MAX_ANSWER_BYTES} bytes`}.`;
    return front.translation.writeError({ kind: 'server_error', status: 502, message }, this.#context.requestId).body;
  }
}

class StreamTranslator implements AnswerTranslator {
  readonly status: number;
  readonly headers: AnswerTranslator['headers'];
  readonly #reader: StreamReader;
  readonly #writer: StreamWriter;
  /** Choices that have begun and not ended. */
  readonly #open = new Set<number>();

  constructor(call: TranslatedCall, context: AnswerContext, status: number) {
    const { front, back } = call;
    this.status = status;
    this.headers = [['content-type', front.translation.streamContentType(front.endpoint)]];
    this.#reader = back.translation.readStream(back.endpoint);
    this.#writer = front.translation.writeStream(context);
  }

  push(chunk: Uint8Array, endOfStream: boolean): Uint8Array {
    const events = this.#reader.push(chunk, endOfStream);
    for (const event of events) this.#note(event);
    const written = events.length === 0 ? NOTHING : this.#writer.write(events);
    if (!endOfStream) return written;
    const last = this.#writer.finish();
    return last.length === 0 ? written : concatBytes([written, last]);
  }

  cut(usage: Usage): Uint8Array {
    const ends = [...this.#open].map((choice): NeutralEvent => ({ kind: 'finish', choice, reason: 'length' }));
    return concatBytes([this.#writer.write([...ends, { kind: 'usage', usage }, { kind: 'end' }]), this.#writer.finish()]);
  }

  #note(event: NeutralEvent): void {
    if (!('choice' in event)) return;
    if (event.kind === 'finish') this.#open.delete(event.choice);
    else this.#open.add(event.choice);
  }
}
