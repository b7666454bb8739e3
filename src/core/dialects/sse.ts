import { concatBytes, decodeUtf8 } from '../json/index.ts';

/**
 * Longest event that is held until it is whole. Image events carry megabytes of base64 before their usage; what is longer
 * still goes through unread, and is counted.
 */
export const MAX_EVENT_BYTES = 16 * 1024 * 1024;

/** Longest event name that is told apart. */
const MAX_NAME_BYTES = 64;

/** An event's data: `bytes[start, end)`, its lines joined by line feeds. One line lies where it came. */
export interface EventData {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

export interface EventListener {
  /** One event with data; `name` is empty where it has none. Says whether the event's bytes go on. */
  event(name: string, data: EventData): 'keep' | 'drop';
  /** An event that was too long to be read went through. */
  unreadable(): void;
}

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const COLON = 0x3a;
const SPACE = 0x20;
const JOINT = Uint8Array.of(LINE_FEED);
const DATA_FIELD = [0x64, 0x61, 0x74, 0x61];
const EVENT_FIELD = [0x65, 0x76, 0x65, 0x6e, 0x74];

/**
 * Cuts a stream into server-sent events, whatever the chunk boundaries, and can take whole events out of it. Lines end in
 * LF, CR LF or CR; comments and unknown fields belong to the event around them. Keeps only the event that is not whole.
 * Source: WHATWG HTML, section 9.2, "Server-sent events".
 */
export class EventReader {
  readonly #listener: EventListener;
  readonly #holds: boolean;
  readonly #maxEventBytes: number;
  /** The beginning of the event that is not whole. */
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  /** The present event is too long: the rest of it goes on unread. */
  #passes = false;
  #lineIsEmpty = true;
  /** The last chunk ended in CR, whose LF may follow: within an event, or after one that was kept or dropped. */
  #afterReturn: 'no' | 'within' | 'keep' | 'drop' = 'no';
  #isFirst = true;
  /** Whether the present chunk has a CR; most streams have none, and are searched once instead of at each line. */
  #hasReturn = false;

  /** `holds`: bytes are kept back until their event is judged, so that it can be dropped; else everything goes on at once. */
  constructor(listener: EventListener, holds: boolean, maxEventBytes: number = MAX_EVENT_BYTES) {
    this.#listener = listener;
    this.#holds = holds;
    this.#maxEventBytes = maxEventBytes;
  }

  /** Takes the next bytes and returns those that go on: the very same array where nothing is held back, released or dropped. */
  push(chunk: Uint8Array, endOfStream: boolean): Uint8Array {
    const out = new Output(chunk);
    let eventStart = 0;
    let scanned = 0;
    if (this.#afterReturn !== 'no' && chunk[0] === LINE_FEED) {
      scanned = 1;
      if (this.#afterReturn !== 'within') eventStart = 1;
      if (this.#afterReturn === 'drop') out.drop(0, 1);
    }
    if (chunk.length > 0) this.#afterReturn = 'no';
    this.#hasReturn = chunk.includes(CARRIAGE_RETURN);
    for (let end = this.#eventEnd(chunk, scanned); end !== -1; end = this.#eventEnd(chunk, end)) {
      const verdict = this.#finish(chunk, eventStart, end, out);
      if (this.#afterReturn !== 'no') this.#afterReturn = verdict;
      eventStart = end;
    }
    if (endOfStream) this.#finish(chunk, eventStart, chunk.length, out);
    else this.#keepRest(chunk, eventStart, out);
    return this.#holds ? out.bytes() : chunk;
  }

  /** Where the event ends that the line at `from` belongs to, its blank line included; -1 where the chunk ends before. */
  #eventEnd(chunk: Uint8Array, from: number): number {
    let lineStart = from;
    while (lineStart < chunk.length) {
      const at = lineEnd(chunk, lineStart, this.#hasReturn);
      if (at === chunk.length) {
        this.#lineIsEmpty = false;
        return -1;
      }
      const blank = this.#lineIsEmpty && at === lineStart;
      lineStart = at + 1;
      if (chunk[at] === CARRIAGE_RETURN) {
        if (lineStart === chunk.length) this.#afterReturn = 'within';
        else if (chunk[lineStart] === LINE_FEED) lineStart++;
      }
      this.#lineIsEmpty = true;
      if (blank) return lineStart;
    }
    return -1;
  }

  /** A line feed right behind a return may come with the next chunk, after the event was judged; so it never counts for its size. */
  #endsInPair(chunk: Uint8Array, start: number, end: number): boolean {
    const before = end - start >= 2 ? chunk[end - 2] : this.#pending.at(-1)?.at(-1);
    return end > start && chunk[end - 1] === LINE_FEED && before === CARRIAGE_RETURN;
  }

  /** Judges the event that ends at `end`, and settles what becomes of its bytes. */
  #finish(chunk: Uint8Array, start: number, end: number, out: Output): 'keep' | 'drop' {
    const size = this.#pendingBytes + end - start - (this.#endsInPair(chunk, start, end) ? 1 : 0);
    let verdict: 'keep' | 'drop' = 'keep';
    if (!this.#passes && size > this.#maxEventBytes) this.#listener.unreadable();
    else if (!this.#passes && size > 0) {
      const whole = this.#pendingBytes === 0 ? chunk.subarray(start, end) : concatBytes([...this.#pending, chunk.subarray(start, end)]);
      verdict = this.#read(whole);
    }
    if (verdict === 'drop') out.drop(start, end);
    else if (this.#pendingBytes > 0) out.release(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#passes = false;
    return verdict;
  }

  /** Keeps the beginning of an event for the chunks to come. */
  #keepRest(chunk: Uint8Array, start: number, out: Output): void {
    if (this.#passes || start === chunk.length) return;
    this.#pendingBytes += chunk.length - start;
    if (this.#pendingBytes > this.#maxEventBytes) {
      this.#listener.unreadable();
      out.release(this.#pending);
      this.#pending = [];
      this.#pendingBytes = 0;
      this.#passes = true;
      return;
    }
    // A copy, so that a short rest does not keep a large buffer alive.
    this.#pending.push(chunk.slice(start));
    out.drop(start, chunk.length);
  }

  #read(event: Uint8Array): 'keep' | 'drop' {
    const lines: Uint8Array[] = [];
    let data: EventData | undefined;
    let name = '';
    let at = this.#isFirst && event[0] === 0xef && event[1] === 0xbb && event[2] === 0xbf ? 3 : 0;
    this.#isFirst = false;
    const hasReturn = event.includes(CARRIAGE_RETURN);
    while (at < event.length) {
      const end = lineEnd(event, at, hasReturn);
      const value = fieldValue(event, at, end, DATA_FIELD);
      if (value !== -1) {
        if (data !== undefined) lines.push(event.subarray(data.start, data.end), JOINT);
        data = { bytes: event, start: value, end };
      } else {
        const named = fieldValue(event, at, end, EVENT_FIELD);
        if (named !== -1) name = end - named > MAX_NAME_BYTES ? '' : decodeUtf8(event, named, end);
      }
      at = end + 1;
    }
    if (data === undefined) return 'keep';
    if (lines.length > 0) {
      const joined = concatBytes([...lines, event.subarray(data.start, data.end)]);
      data = { bytes: joined, start: 0, end: joined.length };
    }
    return this.#listener.event(name, data);
  }
}

/** What of a chunk goes on: all of it, but for what is dropped or held back, after what was held back before. */
class Output {
  readonly #chunk: Uint8Array;
  #parts: Uint8Array[] | undefined;
  #from = 0;

  constructor(chunk: Uint8Array) {
    this.#chunk = chunk;
  }

  drop(start: number, end: number): void {
    this.#parts ??= [];
    this.#parts.push(this.#chunk.subarray(this.#from, start));
    this.#from = end;
  }

  /** Bytes of earlier chunks; they come before any of this chunk's, as only its first event can have begun in them. */
  release(pending: readonly Uint8Array[]): void {
    this.#parts = [...pending, ...(this.#parts ?? [])];
  }

  bytes(): Uint8Array {
    if (this.#parts === undefined) return this.#chunk;
    return concatBytes([...this.#parts, this.#chunk.subarray(this.#from)]);
  }
}

/** Where the line at `from` ends; the length where it has no end. */
function lineEnd(bytes: Uint8Array, from: number, hasReturn: boolean): number {
  const feed = bytes.indexOf(LINE_FEED, from);
  const end = feed === -1 ? bytes.length : feed;
  if (!hasReturn) return end;
  // Bounded by the line feed, so that lines are not searched to the end of the chunk again and again.
  const back = bytes.subarray(from, end).indexOf(CARRIAGE_RETURN);
  return back === -1 ? end : from + back;
}

/** Where a field's value begins in the line `event[from, end)`; -1 where the line is another field or a comment. */
function fieldValue(event: Uint8Array, from: number, end: number, field: readonly number[]): number {
  for (let index = 0; index < field.length; index++) if (event[from + index] !== field[index]) return -1;
  const after = from + field.length;
  if (after >= end) return after === end ? end : -1;
  if (event[after] !== COLON) return -1;
  return event[after + 1] === SPACE && after + 1 < end ? after + 2 : after + 1;
}
