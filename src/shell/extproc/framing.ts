/** gRPC's frame: one byte that says "compressed", four of length, the message. https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md */
const HEADER_BYTES = 5;


/** A message that breaks the protocol or a limit; `grpcStatus` is what the stream ends with. */
export class FramingError extends Error {
  readonly grpcStatus: number;

  constructor(message: string, grpcStatus: number) {
    super(message);
    this.grpcStatus = grpcStatus;
  }
}

const RESOURCE_EXHAUSTED = 8;
const UNIMPLEMENTED = 12;

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

  /** Gives every message that is complete now. Throws a FramingError. */
  push(chunk: Buffer, onMessage: (message: Buffer) => void): void {
    this.#parts.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes < this.#needed) return;
    let buffer = this.#parts.length === 1 ? chunk : Buffer.concat(this.#parts);
    for (;;) {
      this.#needed = HEADER_BYTES;
      if (buffer.length < HEADER_BYTES) break;
      if (buffer[0] !== 0) throw new FramingError('a compressed message came, and no compression was offered', UNIMPLEMENTED);
      const length = buffer.readUInt32BE(1);
      if (length > this.#maxMessageBytes) throw new FramingError(`a message of ${length} bytes came; at most ${this.#maxMessageBytes} are taken`, RESOURCE_EXHAUSTED);
      this.#needed = HEADER_BYTES + length;
      if (buffer.length < this.#needed) break;
      const message = buffer.subarray(HEADER_BYTES, this.#needed);
      buffer = buffer.subarray(this.#needed);
      onMessage(message);
    }
    this.#parts = buffer.length === 0 ? [] : [buffer];
    this.#bytes = buffer.length;
  }

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }
}

/** One message in its frame. */
export function frame(message: Uint8Array): Buffer {
  const framed = Buffer.allocUnsafe(HEADER_BYTES + message.length);
  framed[0] = 0;
  framed.writeUInt32BE(message.length, 1);
  framed.set(message, HEADER_BYTES);
  return framed;
}

