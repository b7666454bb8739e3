import type { ServerDuplexStream } from '@grpc/grpc-js';
import type { MonotonicMs } from '../../core/units/index.ts';
import { Pace } from './pace.ts';
import type { Dismissal } from './ports.ts';
import { protocolMetadata, statusFor } from './protocol.ts';

/** What may wait for a processor that reads slowly: the largest message there can be, and many of a usual size. */
const MAX_QUEUED_BYTES = 4 * 1_048_576;
/** Messages of one stream that are read and not dealt with: what a store of some milliseconds lets come of 200 a second, and more. */
const MAX_UNDER_WAY = 64;
/** A holder says something each 5 ms at most, and as much again of each lease that it winds up. A large message counts as several. */
const MESSAGES_PER_SECOND = 1_000;
const BURST = 2_000;
const BYTES_PER_CREDIT = 4_096;
/** So long after its last message a stream that was ended may take to be read to its end. */
const END_MS: MonotonicMs = 5_000;

/**
 * The service's end of one stream. Reads no faster than its messages are dealt with and than any honest processor speaks; keeps
 * a bounded amount for whom it speaks to. Who does not read at all is disconnected.
 */
export class Stream {
  readonly #call: ServerDuplexStream<Buffer, Buffer>;
  readonly #disconnect: () => void;
  readonly #pace: Pace;
  readonly #now: () => MonotonicMs;
  #queuedBytes = 0;
  #underWay = 0;
  /** Until when nothing is read, as too much was. */
  #paused: NodeJS.Timeout | undefined;
  #isOpen = true;
  /** The processor has said all that it had to say. */
  #isHalfClosed = false;
  readonly #onEnd: () => void;

  /** `disconnect`: breaks the connection that the call came by. `onEnd`: once, whoever ended it. */
  constructor(call: ServerDuplexStream<Buffer, Buffer>, now: () => MonotonicMs, disconnect: () => void, onEnd: () => void) {
    this.#call = call;
    this.#now = now;
    this.#disconnect = disconnect;
    this.#pace = new Pace(MESSAGES_PER_SECOND, BURST, now());
    this.#onEnd = onEnd;
    call.once('end', () => {
      this.#isHalfClosed = true;
      this.#readOrPause();
    });
    // grpc-js says so of each call that is over, however it ended.
    call.once('cancelled', () => this.#closed());
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Takes the call. Each message is read once; `done` says that it was dealt with. */
  open(onMessage: (bytes: Buffer, done: () => void) => void): void {
    this.#call.sendMetadata(protocolMetadata());
    this.#call.on('data', (bytes: Buffer) => {
      if (!this.#isOpen) return;
      this.#underWay += 1;
      const waitMs = this.#pace.take(1 + bytes.length / BYTES_PER_CREDIT, this.#now());
      if (waitMs > 0) this.#paused ??= setTimeout(() => this.#goOn(), waitMs);
      onMessage(bytes, () => {
        this.#underWay -= 1;
        this.#readOrPause();
      });
      this.#readOrPause();
    });
  }

  /** Ignored when the stream is over. */
  send(bytes: Buffer): void {
    if (!this.#isOpen) return;
    this.#queuedBytes += bytes.length;
    if (this.#queuedBytes > MAX_QUEUED_BYTES) {
      this.#isOpen = false;
      this.#disconnect();
      return;
    }
    this.#call.write(bytes, () => {
      this.#queuedBytes -= bytes.length;
    });
  }

  /** Ends it with a status, after what was sent. */
  end(why: Dismissal): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    clearTimeout(this.#paused);
    this.#call.emit('error', statusFor(why));
    const timer = setTimeout(this.#disconnect, END_MS).unref();
    this.#call.once('cancelled', () => clearTimeout(timer));
    this.#call.resume();
  }

  #closed(): void {
    this.#isOpen = false;
    clearTimeout(this.#paused);
    this.#onEnd();
  }

  #goOn(): void {
    this.#paused = undefined;
    this.#readOrPause();
  }

  #readOrPause(): void {
    if (!this.#isOpen) return;
    if (this.#isHalfClosed && this.#underWay === 0) {
      this.#isOpen = false;
      this.#call.end(protocolMetadata());
    } else if (this.#paused !== undefined || this.#underWay >= MAX_UNDER_WAY) this.#call.pause();
    else if (this.#call.isPaused()) this.#call.resume();
  }
}
