import { concatBytes } from '../json/index.ts';
import { MAX_EVENT_BYTES } from './sse.ts';

const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/**
 * Cuts a stream into pieces that end where a server-sent event ends, whatever the chunk boundaries, and keeps back what is not
 * whole, so that a stream can be ended between two events. Lines end in LF, CR LF or CR. What is longer than an event may be
 * goes on in pieces. Source: WHATWG HTML, section 9.2, "Server-sent events".
 */
export class EventSplitter {
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #lineIsEmpty = true;
  #afterReturn = false;

  push(chunk: Uint8Array, endOfStream: boolean): readonly Uint8Array[] {
    const pieces: Uint8Array[] = [];
    let start = 0;
    for (let at = 0; at < chunk.length; at++) {
      if (!this.#endsEvent(chunk[at] as number)) continue;
      pieces.push(this.#take(chunk.subarray(start, at + 1)));
      start = at + 1;
    }
    this.#keep(chunk.subarray(start));
    if ((endOfStream && this.#pendingBytes > 0) || this.#pendingBytes > MAX_EVENT_BYTES) pieces.push(this.#take(new Uint8Array(0)));
    return pieces;
  }

  /** Whether the event is over with this byte. A line feed behind a return belongs to it, and begins nothing. */
  #endsEvent(byte: number): boolean {
    const isPair = this.#afterReturn && byte === LINE_FEED;
    this.#afterReturn = byte === CARRIAGE_RETURN;
    if (isPair) return false;
    if (byte !== LINE_FEED && byte !== CARRIAGE_RETURN) {
      this.#lineIsEmpty = false;
      return false;
    }
    const isBlank = this.#lineIsEmpty;
    this.#lineIsEmpty = true;
    return isBlank;
  }

  #keep(rest: Uint8Array): void {
    if (rest.length === 0) return;
    // A copy: the array that came may be a view of a buffer that is used again.
    this.#pending.push(rest.slice());
    this.#pendingBytes += rest.length;
  }

  #take(end: Uint8Array): Uint8Array {
    const piece = this.#pendingBytes === 0 ? end : concatBytes([...this.#pending, end]);
    this.#pending = [];
    this.#pendingBytes = 0;
    return piece;
  }
}
