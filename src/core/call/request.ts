import type { LocalReply, Refusal } from '../dialects/index.ts';

/** What a caller sent, as far as it is known before anything is decided. */
export interface IncomingRequest {
  /** `namespace/name`, from the listener that the call came in by. */
  readonly workload: string;
  readonly method: string;
  /** As the caller wrote it, with its port if that was written; absent where it is not known. */
  readonly host?: string;
  /** With its query string. */
  readonly path: string;
  /** `undefined` for a request that has none. */
  readonly body: Uint8Array | undefined;
  /** By lower-case name; only the headers that a policy or a dialect reads are there. */
  readonly headers: ReadonlyMap<string, string>;
}

/** Answered here. */
export interface Replied {
  readonly kind: 'reply';
  readonly reply: LocalReply;
  /** Absent for answers that are no refusal (the models list). */
  readonly refusal: Refusal | undefined;
}

/** Goes on to a provider. */
export interface Forwarded {
  readonly kind: 'forward';
  readonly instructions: ForwardInstructions;
  readonly call: ForwardedCall;
}

/** Changes to the request on its way out. */
export interface ForwardInstructions {
  readonly providerId: string;
  /** Name of the caller's dialect. */
  readonly language: string;
  /** Path and query at the provider. */
  readonly path: string;
  readonly setHeaders: readonly (readonly [name: string, value: string])[];
  readonly appendHeaders: readonly (readonly [name: string, value: string])[];
  readonly removeHeaders: readonly string[];
  /** The very array that came in where nothing changed. */
  readonly body: Uint8Array | undefined;
}

/** The first thing that is known of an answer. */
export interface AnswerHead {
  readonly status: number;
  readonly contentType: string | undefined;
  /** `undefined` or `identity`: plain. Anything else cannot be read here, although plain text was asked for. */
  readonly contentEncoding: string | undefined;
  readonly retryAfter?: string | undefined;
  /** Why Envoy answered by itself; `undefined` where the provider answered. */
  readonly local: LocalAnswer | undefined;
  /** Whether the answer can be ended before its provider ends it. Absent: it cannot. */
  readonly canBeEnded?: boolean;
}

/**
 * Why Envoy answered in the provider's stead: `unreachable` before a byte of the request was sent, `reset` after it,
 * `timeout` while waiting for the answer.
 */
export type LocalAnswer = 'unreachable' | 'reset' | 'timeout';

/** `complete`: the last byte of the answer went by. `cut`: it was ended here. `closed`: the exchange ended before. `unsent`: it was never sent on. */
export type ExchangeEnd = 'complete' | 'cut' | 'closed' | 'unsent';

/** Changes to an answer's beginning. */
export interface AnswerChanges {
  /** `undefined`: the provider's stays. */
  readonly status?: number;
  readonly set: readonly (readonly [name: string, value: string])[];
  /** Lower-case names. */
  readonly remove: readonly string[];
}

/** A call that was sent on: takes the answer as it comes, and ends once. */
export interface ForwardedCall {
  onAnswerHead(head: AnswerHead): AnswerChanges;
  /** The bytes that go on to the caller: the very same array where nothing changed. */
  onAnswerBody(chunk: Uint8Array, endOfStream: boolean): Uint8Array;
  /** Nothing of the answer goes on after what `onAnswerBody` returned last: it is to be ended with that. Absent: that never happens. */
  readonly isCut?: boolean;
  /**
   * Settles. Only the first call counts, so every way out of a session may end with it.
   */
  end(how: ExchangeEnd): void;
}
