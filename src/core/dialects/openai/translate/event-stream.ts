import { encodeUtf8, parsePlainObject } from '../../../json/index.ts';
import type { NeutralError, NeutralEvent } from '../../neutral.ts';
import { EventReader } from '../../sse.ts';
import type { EventData, EventListener } from '../../sse.ts';
import type { StreamReader, StreamWriter } from '../../translation.ts';
import { readErrorObject } from './error.ts';
import type { JsonObject, ParsedObject } from '../../values.ts';

const DONE = encodeUtf8('[DONE]');
/** A comment, which clients pass over; it keeps the connection from looking idle. */
const PING = ': ping\n\n';

/** A step that has a form of its own in each language. */
export type StreamStep = Exclude<NeutralEvent, { readonly kind: 'ping' }>;

/** What of a stream depends on its language: the steps that one event's JSON tells of. */
export interface StreamLanguage {
  /** `undefined`: an event that is not known. */
  read(event: ParsedObject): readonly NeutralEvent[] | undefined;
  /** Whether all that belongs to an answer has been read, though its last event has not come. */
  isWhole(): boolean;
}

/** Reads server-sent events up to the last that matters, and counts those that say nothing. */
export class EventStreamReader implements StreamReader, EventListener {
  skipped = 0;
  readonly #language: StreamLanguage;
  readonly #reader: EventReader;
  #steps: NeutralEvent[] = [];
  #isOver = false;

  constructor(language: StreamLanguage) {
    this.#language = language;
    this.#reader = new EventReader(this, false);
  }

  push(chunk: Uint8Array, endOfStream: boolean): readonly NeutralEvent[] {
    this.#steps = [];
    if (this.#isOver) return [];
    this.#reader.push(chunk, endOfStream);
    // Some compatible servers close the connection instead of saying that they are done.
    if (endOfStream && this.#language.isWhole()) this.#take([{ kind: 'end' }]);
    this.#isOver ||= endOfStream;
    return this.#steps;
  }

  event(name: string, { bytes, start, end }: EventData): 'keep' {
    if (this.#isOver) return 'keep';
    const data = bytes.subarray(start, end);
    if (isDone(data)) {
      this.#take([{ kind: 'end' }]);
      return 'keep';
    }
    const event = parsePlainObject(data);
    const steps = event === undefined ? undefined : (errorOf(name, event.value) ?? this.#language.read(event));
    if (steps === undefined) this.skipped++;
    else this.#take(steps);
    return 'keep';
  }

  unreadable(): void {
    this.skipped++;
  }

  #take(steps: readonly NeutralEvent[]): void {
    for (const step of steps) {
      if (this.#isOver) return;
      this.#steps.push(step);
      this.#isOver = step.kind === 'end' || step.kind === 'error';
    }
  }
}

function isDone(data: Uint8Array): boolean {
  return data.length === DONE.length && DONE.every((byte, index) => data[index] === byte);
}

/** An error in the midst of a stream: a member `error`, an event of that name, or a message that calls itself one. */
function errorOf(name: string, value: JsonObject): readonly NeutralEvent[] | undefined {
  const isError = (value['error'] ?? false) !== false || name === 'error' || value['type'] === 'error' || value['object'] === 'error';
  return isError ? [{ kind: 'error', error: readErrorObject(value, undefined) }] : undefined;
}

/** What a caller is told where the provider's stream ended without its end. */
const BROKEN_OFF: NeutralError = {
  kind: 'server_error',
  status: 502,
  message: "The provider's answer broke off before its end. What came of it is incomplete.",
  code: 'provider_unreachable',
};

/** Writes the steps of a stream one by one, until its end or an error. */
export abstract class EventStreamWriter implements StreamWriter {
  #text = '';
  #isOver = false;

  write(events: readonly NeutralEvent[]): Uint8Array {
    for (const event of events) {
      if (this.#isOver) break;
      this.#isOver = event.kind === 'end' || event.kind === 'error';
      if (event.kind === 'ping') this.#text += PING;
      else this.step(event);
    }
    return this.#flush();
  }

  finish(): Uint8Array {
    return this.#isOver ? this.#flush() : this.write([{ kind: 'error', error: BROKEN_OFF }]);
  }

  protected abstract step(event: StreamStep): void;

  protected send(value: JsonObject, name?: string): void {
    this.#text += `${name === undefined ? '' : `event: ${name}\n`}data: ${JSON.stringify(value)}\n\n`;
  }

  protected sendDone(): void {
    this.#text += 'data: [DONE]\n\n';
  }

  #flush(): Uint8Array {
    const text = this.#text;
    this.#text = '';
    return encodeUtf8(text);
  }
}
