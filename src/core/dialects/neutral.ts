import type { Usage } from '../catalog/index.ts';

/**
 * The form between dialects: what a call means, whatever language it was said in. Each dialect's `translate/` folder reads
 * it from its own wire format and writes it there, so that N languages take N translations and not N².
 *
 * Absent is not a default: a field that the caller left out is left out for the provider too.
 */
export type NeutralRequest = NeutralChat | NeutralEmbedding | NeutralTokenCount;

/** A conversation to be continued by the model. */
export interface NeutralChat {
  readonly kind: 'chat';
  readonly model: string;
  readonly stream: boolean;
  /** The caller wants usage in its stream (only OpenAI's chat and text completions leave it out unless asked). */
  readonly wantsStreamUsage: boolean;
  /** In order. System messages can stand anywhere; a dialect that has one place for them hoists them and notes a loss where that changes their place. */
  readonly messages: readonly NeutralMessage[];
  readonly tools: readonly NeutralTool[];
  readonly toolChoice: NeutralToolChoice | undefined;
  /** Whether one answer may hold several tool calls. */
  readonly parallelToolCalls: boolean | undefined;
  readonly format: NeutralFormat | undefined;
  readonly sampling: NeutralSampling;
  readonly reasoning: NeutralReasoning | undefined;
  /** The cap on one answer's tokens, reasoning included. */
  readonly maxOutputTokens: number | undefined;
  /** How many answers. */
  readonly choices: number;
  /** An opaque id of the end user, for the provider's abuse detection. */
  readonly user: string | undefined;
  readonly metadata: Readonly<Record<string, string>> | undefined;
  readonly tier: 'auto' | 'standard' | 'flex' | 'priority' | undefined;
}

/** Count the input of a chat without running it. */
export interface NeutralTokenCount {
  readonly kind: 'count_tokens';
  readonly chat: NeutralChat;
}

export interface NeutralEmbedding {
  readonly kind: 'embedding';
  readonly model: string;
  readonly inputs: readonly string[];
  readonly dimensions: number | undefined;
  /** How the caller wants each vector; `base64` is little-endian 32-bit floats. */
  readonly encoding: 'float' | 'base64';
  /** Gemini's `taskType`, in its own words. */
  readonly task: string | undefined;
  readonly title: string | undefined;
  readonly user: string | undefined;
  /** One embedding was asked for, not a list of one (Gemini's `embedContent` beside `batchEmbedContents`). */
  readonly single: boolean;
}

export interface NeutralMessage {
  /** Results of tools are parts of a `user` message, as they come from the caller's side. `developer` is `system`. */
  readonly role: 'system' | 'user' | 'assistant';
  readonly parts: readonly NeutralPart[];
  /** The name of a participant, where the dialect has one. */
  readonly name?: string;
}

export type NeutralPart = NeutralContent | NeutralToolCall | NeutralToolResult | NeutralThinking;

/** What can stand in a message and in a tool's result. */
export type NeutralContent =
  | { readonly kind: 'text'; readonly text: string; readonly cache?: NeutralCache }
  /** A model's own words of refusal, as OpenAI keeps them apart. */
  | { readonly kind: 'refusal'; readonly text: string }
  | { readonly kind: 'image'; readonly source: NeutralSource; readonly detail?: 'low' | 'high' | 'auto' | 'original'; readonly cache?: NeutralCache }
  /** A document, PDF or plain text. */
  | { readonly kind: 'document'; readonly source: NeutralSource; readonly name?: string; readonly cache?: NeutralCache }
  | { readonly kind: 'audio'; readonly source: NeutralSource; readonly cache?: NeutralCache };

/** Where content is. The sidecar fetches nothing, so `url` goes only to providers that fetch it themselves. */
export type NeutralSource =
  | { readonly kind: 'base64'; /** Lower case, such as `image/png`. */ readonly mediaType: string; readonly data: string }
  | { readonly kind: 'url'; readonly url: string; readonly mediaType?: string }
  | { readonly kind: 'text'; readonly text: string };

export interface NeutralToolCall {
  readonly kind: 'tool_call';
  readonly id: string;
  readonly name: string;
  /** Text of a JSON object, as the model wrote it; `{}` where it takes none. */
  readonly argumentsJson: string;
  readonly signature?: NeutralSignature;
  readonly cache?: NeutralCache;
}

export interface NeutralToolResult {
  readonly kind: 'tool_result';
  readonly callId: string;
  /** The tool's name, where the dialect gives it (Gemini needs it; readers of others find it by the call's id). */
  readonly name: string | undefined;
  readonly content: readonly NeutralContent[];
  readonly isError: boolean;
  readonly cache?: NeutralCache;
}

/** What a model thought before it answered. */
export interface NeutralThinking {
  readonly kind: 'thinking';
  /** Empty where the provider hides it. */
  readonly text: string;
  readonly signature?: NeutralSignature;
  /** Encrypted thinking of a provider's own (`redacted_thinking` at Anthropic, `encrypted_content` at OpenAI). */
  readonly redacted?: NeutralSignature;
}

/** A provider's seal on what its model said: opaque, and worth something only where it came from. Others drop it. */
export interface NeutralSignature {
  readonly origin: 'openai' | 'anthropic' | 'gemini';
  readonly data: string;
}

/** The prompt up to and including this part may be cached. */
export interface NeutralCache {
  readonly ttl: '5m' | '1h' | undefined;
}

export interface NeutralTool {
  readonly name: string;
  readonly description: string | undefined;
  /** JSON Schema of the arguments; `undefined`: it takes none. */
  readonly parameters: Readonly<Record<string, unknown>> | undefined;
  readonly strict: boolean | undefined;
  readonly cache?: NeutralCache;
}

export type NeutralToolChoice =
  | { readonly kind: 'auto' }
  | { readonly kind: 'none' }
  /** Any tool, or any of those named. */
  | { readonly kind: 'required'; readonly names?: readonly string[] }
  | { readonly kind: 'tool'; readonly name: string };

export type NeutralFormat =
  | { readonly kind: 'text' }
  | { readonly kind: 'json_object' }
  | {
      readonly kind: 'json_schema';
      readonly name: string | undefined;
      readonly description: string | undefined;
      readonly schema: Readonly<Record<string, unknown>>;
      readonly strict: boolean | undefined;
    };

export interface NeutralSampling {
  readonly temperature?: number;
  readonly topP?: number;
  readonly topK?: number;
  readonly frequencyPenalty?: number;
  readonly presencePenalty?: number;
  readonly seed?: number;
  readonly stop?: readonly string[];
  readonly logprobs?: boolean;
  /** How many alternatives at each place. */
  readonly topLogprobs?: number;
  readonly logitBias?: Readonly<Record<string, number>>;
}

export interface NeutralReasoning {
  /** `none` turns it off. */
  readonly effort?: 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max';
  /** Tokens that may be thought; 0 turns it off. */
  readonly budgetTokens?: number;
  /** The model decides how long it thinks (`adaptive` at Anthropic, `thinkingBudget: -1` at Gemini). */
  readonly adaptive?: boolean;
  /** Whether the caller wants to see the thinking (or its summary). */
  readonly visible?: boolean;
}

/** Why an answer ended. `refusal` and `content_filter` are safety outcomes: of the model, and of a filter around it. */
export type NeutralFinish = 'stop' | 'length' | 'tool_calls' | 'refusal' | 'content_filter' | 'stop_sequence' | 'pause';

export type NeutralAnswer = NeutralChatAnswer | NeutralEmbeddingAnswer | NeutralTokenCountAnswer;

export interface NeutralChatAnswer {
  readonly kind: 'chat';
  readonly id: string;
  readonly model: string;
  /** Seconds since the epoch; `undefined` where the dialect does not say. */
  readonly created: number | undefined;
  readonly choices: readonly NeutralChoice[];
  readonly usage: Usage | undefined;
}

export interface NeutralChoice {
  readonly index: number;
  /** Text, refusal, thinking and tool calls in the order in which they came. */
  readonly parts: readonly NeutralPart[];
  readonly finish: NeutralFinish | undefined;
  readonly stopSequence?: string;
  readonly logprobs?: readonly NeutralLogprob[];
}

export interface NeutralLogprob {
  readonly token: string;
  readonly logprob: number;
  readonly top: readonly { readonly token: string; readonly logprob: number }[];
}

export interface NeutralEmbeddingAnswer {
  readonly kind: 'embedding';
  readonly model: string;
  readonly vectors: readonly (readonly number[])[];
  readonly usage: Usage | undefined;
}

export interface NeutralTokenCountAnswer {
  readonly kind: 'count_tokens';
  readonly inputTokens: number;
}

/**
 * One step of a streamed answer. Of one choice, deltas of text, thinking and tool calls can follow each other in any order;
 * deltas of two tool calls can interleave (`call` numbers them within their choice). A writer whose dialect wants one
 * block after another holds the later one back.
 */
export type NeutralEvent =
  | {
      readonly kind: 'start';
      readonly id: string;
      readonly model: string;
      readonly created: number | undefined;
      /** What is known of the input at the start (Anthropic). */ readonly usage?: Usage;
    }
  | { readonly kind: 'text'; readonly choice: number; readonly delta: string; readonly logprobs?: readonly NeutralLogprob[] }
  | { readonly kind: 'refusal'; readonly choice: number; readonly delta: string }
  | { readonly kind: 'thinking'; readonly choice: number; readonly delta: string }
  /** Seals the thinking before it; also a whole redacted block. */
  | { readonly kind: 'thinking_signature'; readonly choice: number; readonly signature: NeutralSignature }
  | { readonly kind: 'redacted_thinking'; readonly choice: number; readonly redacted: NeutralSignature }
  | {
      readonly kind: 'tool_call';
      readonly choice: number;
      readonly call: number;
      readonly id: string;
      readonly name: string;
      readonly signature?: NeutralSignature;
    }
  | { readonly kind: 'tool_arguments'; readonly choice: number; readonly call: number; readonly delta: string }
  | { readonly kind: 'finish'; readonly choice: number; readonly reason: NeutralFinish; readonly stopSequence?: string }
  /** Totals so far; the last one counts. */
  | { readonly kind: 'usage'; readonly usage: Usage }
  | { readonly kind: 'ping' }
  /** The provider gave up in the middle. Nothing follows. */
  | { readonly kind: 'error'; readonly error: NeutralError }
  /** The provider's own last event; nothing follows. A stream that ends without one was cut off. */
  | { readonly kind: 'end' };

/** What went wrong at a provider, by kind; each dialect has one table from these to its own types, codes and statuses. */
export type NeutralErrorKind =
  | 'invalid_request'
  | 'authentication'
  | 'permission'
  | 'not_found'
  | 'request_too_large'
  | 'rate_limit'
  | 'quota'
  | 'overloaded'
  | 'timeout'
  | 'content_filter'
  | 'server_error';

export interface NeutralError {
  readonly kind: NeutralErrorKind;
  /** The HTTP status that the provider gave; for an error within a stream, the one that it would have given. */
  readonly status: number;
  /** The provider's sentence. */
  readonly message: string;
  readonly param?: string;
  /** The provider's own code, where it says one. */
  readonly code?: string;
}

/**
 * Something of a request that the other side cannot take. `dropped` goes on without it, and the caller is told in the
 * `x-airmesh-warning` header; `refused` is a 400. Which is which is documented for each pair in docs/compatibility.md.
 */
export interface Loss {
  readonly treatment: 'dropped' | 'refused';
  /** Where it was: a path in the caller's dialect where known (`messages[2].content[0]`), else what it is (`seed`). */
  readonly param: string;
  /** A sentence: what cannot be carried over, and what to do. Never quotes content. */
  readonly message: string;
}
