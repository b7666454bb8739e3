import { GrpcStatus } from './status.ts';
import type { GrpcCode } from './status.ts';

/** gRPC's frame: one byte that says "compressed", four of length, the message. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
const HEADER_BYTES = 5;

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
  /** Parts of what is not a whole message yet; joined once, when it is. */
  #parts: Buffer[] = [];
  #bytes = 0;
  /** Bytes of the frame that is being awaited, header included; until its header is there, the header's. */
  #needed = HEADER_BYTES;

  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes;
  }

  /** Gives every message that is complete now. Throws a FramingError as soon as a header breaks the protocol or the limit. */
  push(chunk: Buffer, onMessage: (message: Buffer) => void): void {
    this.#parts.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < this.#needed) return;
    let buffer = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts);
    this.#parts = [];
    for (;;) {
      this.#needed = HEADER_BYTES;
      if (buffer.length < HEADER_BYTES) break;
      this.#needed += this.#lengthOf(buffer);
      if (buffer.length < this.#needed) break;
      const message = buffer.subarray(HEADER_BYTES, this.#needed);
      buffer = buffer.subarray(this.#needed);
      onMessage(message);
    }
    if (buffer.length > 0) this.#parts.push(buffer);
    this.#bytes = buffer.length;
  }

  /** Whether the bytes so far end with a whole message. */
  get isEmpty(): boolean {
    return this.#bytes === 0;
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
    framed[at] = 0;
    framed.writeUInt32BE(message.length, at + 1);
    framed.set(message, at + HEADER_BYTES);
    at += HEADER_BYTES + message.length;
  }
  return framed;
}
