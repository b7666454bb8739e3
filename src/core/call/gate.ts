import { EventSplitter } from '../dialects/index.ts';
import { concatBytes } from '../json/index.ts';

/** What a gate stands in. */
interface GateParts {
  /** Counts an event, and returns what is left of it where something is hidden from the caller. */
  readonly count: (event: Uint8Array, endOfStream: boolean) => Uint8Array;
  /** Whether what has been counted by now may go on. */
  readonly isWithin: () => boolean;
  /** What of an event that was counted goes on to the caller: `rest` is what `count` left of it. */
  readonly pass: (event: Uint8Array, rest: Uint8Array, endOfStream: boolean) => Uint8Array;
  /** The last bytes, in the caller's language. */
  readonly ending: () => Uint8Array;
}

const NOTHING = new Uint8Array(0);

/** Lets a stream through event by event, as long as it is within what it may use, and then ends it in good order. */
export class StreamGate {
  readonly #parts: GateParts;
  readonly #splitter = new EventSplitter();
  isCut = false;

  constructor(parts: GateParts) {
    this.#parts = parts;
  }

  push(chunk: Uint8Array, endOfStream: boolean): Uint8Array {
    if (this.isCut) return NOTHING;
    const { count, isWithin, pass, ending } = this.#parts;
    const out: Uint8Array[] = [];
    const events = this.#splitter.push(chunk, endOfStream);
    for (const [index, event] of events.entries()) {
      const isLast = endOfStream && index === events.length - 1;
      const rest = count(event, isLast);
      this.isCut = !isWithin();
      out.push(this.isCut ? ending() : pass(event, rest, isLast));
      if (this.isCut) break;
    }
    if (endOfStream && events.length === 0) out.push(pass(NOTHING, count(NOTHING, true), true));
    return out.length === 1 ? (out[0] as Uint8Array) : concatBytes(out);
  }
}
