import type { Result } from '../units/index.ts';
import type { Loss, NeutralAnswer, NeutralError, NeutralEvent, NeutralRequest } from './neutral.ts';
import type { Endpoint, LocalReply, RequestFault } from './types.ts';

/** A request read from a caller, with what of it has no neutral form. */
export interface ParsedRequest {
  readonly request: NeutralRequest;
  readonly losses: readonly Loss[];
}

/** A request written for a provider. */
export interface WrittenRequest {
  readonly endpoint: Endpoint;
  readonly body: Uint8Array;
  readonly losses: readonly Loss[];
}

/** What an answer's writer needs besides the answer. */
export interface AnswerContext {
  /** Where the caller asked. */
  readonly endpoint: Endpoint;
  /** What it asked, for dialects whose answers repeat parts of the request. */
  readonly request: NeutralRequest;
  /** Ours, for answers that carry an id when the provider gave none. */
  readonly requestId: string;
  /** Seconds since the epoch, where the provider does not say. */
  readonly created: number;
}

/** Reads a provider's stream: bytes in at any boundary, steps out. Bounded; unknown events are passed over and counted. */
export interface StreamReader {
  push(chunk: Uint8Array, endOfStream: boolean): readonly NeutralEvent[];
  /** Events that this reader did not know, or could not read. */
  readonly skipped: number;
}

/** Writes a caller's stream. */
export interface StreamWriter {
  /** The bytes that tell of these steps: none, one or several events. */
  write(events: readonly NeutralEvent[]): Uint8Array;
  /**
   * The provider's stream is over. After an `end` or an `error` there is nothing more to say; without one the caller gets
   * its dialect's stream error, as its SDK would otherwise take a cut answer for a whole one.
   */
  finish(): Uint8Array;
}

/**
 * One dialect's way to and from the neutral form. A caller's dialect parses requests and writes answers; a provider's
 * writes requests and parses answers. The contract suite in `test/contracts/translation.ts` runs on all of them.
 */
export interface Translation {
  /** The body has passed the dialect's `readRequest`. What is impossible in the dialect itself (a tool result without a call) is a fault as its own API would give. */
  parseRequest(endpoint: Endpoint, body: Uint8Array): Result<ParsedRequest, RequestFault>;
  /**
   * `undefined`: this dialect has no such operation (embeddings at Anthropic). What cannot be carried over is a loss; the
   * first `refused` one makes the body irrelevant.
   */
  writeRequest(request: NeutralRequest): WrittenRequest | undefined;

  /** A whole answer with a status below 300. The error is a sentence without content. */
  parseAnswer(endpoint: Endpoint, body: Uint8Array): Result<NeutralAnswer, string>;
  writeAnswer(answer: NeutralAnswer, context: AnswerContext): Uint8Array;
  /** The content type of a stream in this dialect is `text/event-stream`, but for Gemini without `alt=sse`. */
  streamContentType(endpoint: Endpoint): string;
  readStream(endpoint: Endpoint): StreamReader;
  writeStream(context: AnswerContext): StreamWriter;

  /** A whole answer with a status of 400 or more, or anything that is no answer; never throws. */
  parseError(status: number, body: Uint8Array): NeutralError;
  /** Status and body of a provider's error in this dialect. Its own kinds of ours are `refusal` in the dialect. */
  writeError(error: NeutralError, requestId: string): LocalReply;
  /** The status that `writeError` will give, as it must be sent before the body is there. */
  errorStatus(status: number): number;
}
