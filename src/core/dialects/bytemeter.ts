import type { BodyEnd, ResponseMeter, UsageReading } from './types.ts';

/**
 * Meters what is neither JSON nor events: an HTML page, a compressed answer, sound. Only its length says anything:
 * `bytesPerTextByte` of it stand for one of text.
 */
export class ByteMeter implements ResponseMeter {
  readonly #isError: boolean;
  readonly #bytesPerTextByte: number;
  #bytes = 0;
  #hasEnded = false;

  constructor(isError: boolean, bytesPerTextByte = 1) {
    this.#isError = isError;
    this.#bytesPerTextByte = bytesPerTextByte;
  }

  push(chunk: Uint8Array, endOfStream: boolean): Uint8Array {
    this.#bytes += chunk.length;
    this.#hasEnded ||= endOfStream;
    return chunk;
  }

  reading(): UsageReading {
    return { kind: 'missing', outputBytes: this.#isError ? 0 : Math.ceil(this.#bytes / this.#bytesPerTextByte) };
  }

  end(): BodyEnd {
    return this.#hasEnded ? 'complete' : 'truncated';
  }

  servedModel(): string | undefined {
    return undefined;
  }

  outputTokensSoFar(): number {
    return 0;
  }
}
