import type { CacheWrites, PriceTier, Usage } from '../catalog/index.ts';
import type { Result } from '../units/index.ts';
import type { EmbeddingLanguage } from './embedding.ts';
import type { EnderContext, StreamEnder } from './ender.ts';
import type { StateLanguage, StateReference, StateTarget } from './state.ts';

/** What a caller wants done; metrics carry it as `gen_ai.operation.name`. */
export type Operation =
  | 'chat'
  | 'text_completion'
  | 'responses'
  | 'embeddings'
  | 'models'
  | 'images'
  | 'audio'
  | 'moderations'
  | 'count_tokens'
  | StateOperation;

/** Dealing with what the provider keeps: free by itself, but for a batch's requests. */
export type StateOperation = 'files' | 'batches' | 'stored_responses' | 'cached_contents';

/** One entry of a dialect's list of paths. */
export interface Endpoint {
  readonly operation: Operation;
  /** The path below the API's root, such as `/chat/completions`: what is appended to a provider's base URL. */
  readonly path: string;
  readonly body: 'json' | 'multipart' | 'none';
  /** The model, where the path names it (Gemini). */
  readonly model?: string;
  /** Whether a stream is asked for, where the path says so (Gemini). */
  readonly stream?: boolean;
  /** How a stream is to come, where the query says so: Gemini's is an array in JSON unless it is asked for with `alt=sse`. */
  readonly streamForm?: 'sse' | 'json_array';
  /** What is kept there, for endpoints that deal with what the provider keeps. */
  readonly state?: StateTarget;
}

/** What became of matching a method and a path. `stateful` names what the provider would keep and is not let through (threads, vector stores). */
export type EndpointMatch =
  | { readonly kind: 'endpoint'; readonly endpoint: Endpoint }
  | { readonly kind: 'stateful'; readonly what: string }
  | { readonly kind: 'method_not_allowed'; readonly allow: string }
  | { readonly kind: 'unknown' };

/** What a request says that admission, routing and metering need. Nothing else of the body is read. */
export interface RequestFacts {
  readonly model: string;
  readonly stream: boolean;
  /** Whether the caller asked for usage in a stream; where not, the extra chunk is hidden from it. */
  readonly wantsStreamUsage: boolean;
  /** The caller's cap on one answer's tokens, reasoning included. `undefined`: none named. */
  readonly maxOutputTokens: number | undefined;
  /** How many answers (`n`, `best_of`). At least 1. */
  readonly choices: number;
  /** Never below the tokens that the provider will count for the input: a byte is at most a token; images apart. */
  readonly inputTokenBound: number;
  /** A fair guess of the input tokens. */
  readonly inputTokenEstimate: number;
  /** Images given as input; each is at most the model's `maxImageTokens`. */
  readonly inputImages: number;
  /** What makes the cost unbounded, each named for people: `hosted tool "web_search"`, `input_file by id`. Empty: all is bounded. */
  readonly unbounded: readonly string[];
  /** No answer in tokens: embeddings, moderations. */
  readonly hasOutput: boolean;
  readonly tier: PriceTier;
  /** Absent: not known, as it depends on the provider. */
  readonly cacheWrites?: CacheWrites;
  /** What of the things that the provider keeps it refers to: an earlier response, files. */
  readonly references: readonly StateReference[];
  /** Whether the provider is asked to keep the answer; `default`: it is not, and the API keeps it all the same. */
  readonly stores: 'no' | 'default' | 'asked';
}

/** Why a request cannot be read: a 400 that names the parameter, as the dialect's own API would answer. */
export interface RequestFault {
  readonly code: 'invalid_json' | 'invalid_body' | 'invalid_value' | 'unsupported_content_type' | 'unsupported_content_encoding' | 'unsupported_state';
  /** JSON path of what is wrong, where there is one: `max_tokens`, `messages[0].content`. */
  readonly param: string | undefined;
  /** A sentence: what is wrong, where, and what to do. Never quotes content. */
  readonly message: string;
}

/**
 * Changes to a body; everything else of it stays byte for byte as the caller sent it. Those that govern the call (model,
 * cap, usage) win over `set` and `remove`, which never touch a dialect's `governedFields`. A multipart body knows only `model`.
 */
export interface BodyEdits {
  /** The provider's own name of the model. */
  readonly model?: string;
  /** A cap to be written where the endpoint keeps it, replacing the caller's. */
  readonly maxOutputTokens?: number;
  /**
   * The one cap field that this provider is known to honour (`max_tokens` of many OpenAI-compatible servers): a cap, the
   * caller's as well, is written there and its other forms are removed. Absent: the field that the caller used.
   */
  readonly capField?: string;
  readonly includeStreamUsage?: boolean;
  /** Leaves it to the caller whether the answer is kept at the provider. Absent: it is not kept. */
  readonly mayStore?: boolean;
  /** Put before the caller's messages. */
  readonly systemPrompt?: string;
  /** Top-level fields to set (JSON values) or remove. */
  readonly set?: Readonly<Record<string, unknown>>;
  readonly remove?: readonly string[];
}

/** What the answer turned out to use. Unknown is not zero. */
export type UsageReading =
  | { readonly kind: 'reported'; readonly usage: Usage }
  | { readonly kind: 'missing'; /** Bytes of text that went by, for an estimate. */ readonly outputBytes: number }
  | { readonly kind: 'invalid'; readonly problem: string; readonly outputBytes: number };

/** How an answer's body ended, as far as its bytes tell. */
export type BodyEnd = 'complete' | 'truncated' | 'error_event';

/**
 * Reads an answer as it passes. Holds no chunks, only the line that is not complete yet (bounded), and gives the same
 * reading whatever the chunk boundaries.
 */
export interface ResponseMeter {
  /**
   * Takes the next bytes. Returns what goes on to the caller: the very same array when nothing changed, or what is left
   * after a usage chunk that the caller did not ask for was taken out (possibly empty).
   */
  push(chunk: Uint8Array, endOfStream: boolean): Uint8Array;
  /** The reading so far; final after `endOfStream`. */
  reading(): UsageReading;
  end(): BodyEnd;
  /** Whether the provider has said what the whole answer used, so that no more is generated. Absent: it does not say so before the end. */
  hasFinalUsage?(): boolean;
  /** The model that the provider says it served, when it said. */
  servedModel(): string | undefined;
  /** The tier that the provider says it billed, when it said. */
  servedTier?(): PriceTier | undefined;
  /** Answer tokens seen so far by a lower-bound guess, for cutting at a limit. */
  outputTokensSoFar(): number;
  /** Bytes of generated text that went by so far, for what is likely. Absent: not known before the end. */
  textBytesSoFar?(): number;
}

/** A refusal or failure of ours, before it has a dialect's form. `code` is documented in docs/errors.md. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly status: number;
  readonly message: string;
  readonly param?: string;
  /** Seconds after which a retry can succeed; absent where waiting does not help. */
  readonly retryAfterS?: number;
  /** Whether the official SDKs should retry by themselves. */
  readonly shouldRetry: boolean;
}

/** Every code that a caller can meet. A test holds this list against docs/errors.md, both ways. */
export type RefusalCode =
  | 'invalid_json'
  | 'invalid_body'
  | 'invalid_value'
  | 'unsupported_content_type'
  | 'unsupported_content_encoding'
  | 'unsupported_state'
  | 'not_translatable'
  | 'operation_not_supported'
  | 'object_not_found'
  | 'request_too_large'
  | 'empty_body'
  | 'method_not_allowed'
  | 'endpoint_not_supported'
  | 'stateful_endpoint_refused'
  | 'model_not_found'
  | 'model_not_allowed'
  | 'no_provider_available'
  | 'provider_key_missing'
  | 'price_unknown'
  | 'cost_unbounded'
  | 'budget_exhausted'
  | 'budget_too_small_for_call'
  | 'budget_wait_timeout'
  | 'budget_unavailable'
  | 'rate_limit_exceeded'
  | 'too_many_waiting'
  | 'too_many_large_requests'
  | 'sidecar_overloaded'
  | 'processor_unavailable'
  | 'provider_unreachable'
  | 'provider_untrusted'
  | 'provider_timeout'
  | 'merged_call_failed'
  | 'headers_too_large'
  | 'host_mismatch'
  | 'unauthenticated'
  | 'upgrade_refused'
  | 'internal_error';

/** An HTTP answer made here. */
export interface LocalReply {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
}

/** One row of the models list. */
export interface ListedModel {
  readonly id: string;
  readonly ownedBy: string;
}

/** What a provider wants in the request besides the body. */
export interface ProviderAuth {
  readonly set: readonly (readonly [name: string, value: string])[];
  /** Credentials and account selectors of the caller, lower case, removed whatever they hold. */
  readonly remove: readonly string[];
  /** Headers that the provider must have and that the caller may choose: set only where the caller sent none (`anthropic-version`). */
  readonly defaults?: readonly (readonly [name: string, value: string])[];
}

/**
 * One API's language. Each dialect is a room of the same files (request, response, stream, usage, error, auth) that
 * exports one of these; the contract suite in `test/contracts/dialect.ts` runs on all of them.
 */
export interface Dialect {
  readonly name: string;
  /** Lower-case name of the answer's header in which its SDKs look for an id to quote. */
  readonly requestIdHeader: string;
  /** Top-level fields on which admission relies; a route's own edits may not set or remove them. */
  readonly governedFields: ReadonlySet<string>;
  match(method: string, path: string): EndpointMatch;
  readRequest(endpoint: Endpoint, body: Uint8Array, headers: RequestContentHeaders): Result<RequestFacts, RequestFault>;
  /** The body must have passed `readRequest`. */
  editRequest(endpoint: Endpoint, body: Uint8Array, headers: RequestContentHeaders, edits: BodyEdits): Uint8Array;
  meter(endpoint: Endpoint, answer: AnswerShape): ResponseMeter;
  /** For a stream of events; `undefined` where an answer of that kind has no end for being too long (images, sound). */
  ender(endpoint: Endpoint, context: EnderContext): StreamEnder | undefined;
  refusal(refusal: Refusal, requestId: string): LocalReply;
  modelsList(models: readonly ListedModel[]): LocalReply;
  /** One model of the list (`GET /models/{id}`). */
  modelItem(model: ListedModel): LocalReply;
  auth(key: string): ProviderAuth;
  readonly state: StateLanguage;
  /** `undefined`: the dialect has no embeddings. */
  readonly embeddings: EmbeddingLanguage | undefined;
}

export interface RequestContentHeaders {
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
}

export interface AnswerShape {
  /** By the answer's content type, not by what was asked for: a provider may answer a stream request with a JSON error. */
  readonly kind: 'sse' | 'json' | 'other';
  readonly status: number;
  /** Take the usage-only chunk out, as the caller did not ask for it. */
  readonly hideStreamUsage: boolean;
}
