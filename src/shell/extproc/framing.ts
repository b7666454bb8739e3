import { GrpcStatus } from './status.ts';
import type { GrpcCode } from './status.ts';

/** gRPC's frame: one byte that says "compressed", four of length, the message. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
const HEADER_BYTES = 5;

const NOTHING = Buffer.alloc(0);

/** A message that breaks the protocol or a limit; `code` is what the stream ends with. */
export class FramingError extends Error {
  readonly code: GrpcCode;

  constructor(message: string, code: GrpcCode) {
    super(message);
    this.name = 'FramingError';
    this.code = code;
  }
}

/** Cuts a stream of bytes into messages, whatever the boundaries it comes in. */
export class FrameReader {
  readonly #maxMessageBytes: number;
  /** Of a header that is not whole yet. */
  #head: Buffer = NOTHING;
  /** A message that is not whole yet. Of its own size from the start: a large one is held once, and not in parts and joined as well. */
  #message: Buffer | undefined;
  #filled = 0;

  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** Gives every message that is complete now. Throws a FramingError as soon as a header breaks the protocol or the limit. */
  push(chunk: Buffer, onMessage: (message: Buffer) => void): void {
    let rest = this.#continued(chunk, onMessage);
    while (rest.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + this.#lengthOf(rest);
      if (rest.length < end) {
        this.#message = Buffer.allocUnsafeSlow(end - HEADER_BYTES);
        this.#filled = rest.copy(this.#message, 0, HEADER_BYTES);
        return;
      }
      const message = rest.subarray(HEADER_BYTES, end);
      rest = rest.subarray(end);
      onMessage(message);
    }
    this.#head = rest;
  }

  /** Whether the bytes so far end with a whole message. */
  get isEmpty(): boolean {
    return this.#message === undefined && this.#head.length === 0;
  }

  /** What of a chunk is left for new frames. */
  #continued(chunk: Buffer, onMessage: (message: Buffer) => void): Buffer {
    const message = this.#message;
    if (message === undefined) return this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk]);
    const taken = chunk.copy(message, this.#filled);
    this.#filled += taken;
    if (this.#filled < message.length) return NOTHING;
    this.#message = undefined;
    onMessage(message);
    return chunk.subarray(taken);
  }

  #lengthOf(buffer: Buffer): number {
    if (buffer[0] !== 0) throw new FramingError('a compressed message came, and no compression was offered', GrpcStatus.unimplemented);
    const length = buffer.readUInt32BE(1);
    if (length > this.#maxMessageBytes) {
      throw new FramingError(`a message of ${length} bytes came; at most ${this.#maxMessageBytes} are taken`, GrpcStatus.resourceExhausted);
    }
    return length;
  }
}

/** Messages in their frames, as one piece: one write, one system call. */
export function frame(...messages: readonly Uint8Array[]): Buffer {
  let bytes = 0;
  for (const message of messages) bytes += HEADER_BYTES + message.length;
  const framed = Buffer.allocUnsafe(bytes);
  let at = 0;
  for (const message of messages) {
    at = writeHeader(framed, at, message.length);
    framed.set(message, at);
    at += message.length;
  }
  return framed;
}

/** The beginning of a message that goes on with `more` bytes, in its frame. */
export function frameStart(beginning: Uint8Array, more: number): Buffer {
  const framed = Buffer.allocUnsafe(HEADER_BYTES + beginning.length);
  framed.set(beginning, writeHeader(framed, 0, beginning.length + more));
  return framed;
}

function writeHeader(framed: Buffer, at: number, length: number): number {
  framed[at] = 0;
  framed.writeUInt32BE(length, at + 1);
  return at + HEADER_BYTES;
}
