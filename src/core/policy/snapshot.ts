import type { ModelInfo } from '../catalog/index.ts';
import type { NanoUsd } from '../units/index.ts';

/** Who calls. Proved by the listener (one machine) or by the controller (cluster), never by a header. */
export interface Workload {
  readonly namespace: string;
  readonly name: string;
  readonly serviceAccount?: string;
}

/** All that a sidecar needs to govern one workload. Immutable; a call keeps the one it began with. */
export interface WorkloadSnapshot {
  /** Changes whenever the content does. */
  readonly version: string;
  readonly workload: Workload;
  readonly providers: ReadonlyMap<string, ProviderPolicy>;
  /** In the order in which they are tried; the first that matches is taken. */
  readonly rules: readonly RulePolicy[];
  /** Those that select this workload, for whatever model, provider and header. */
  readonly budgets: readonly BudgetPolicy[];
  /** Lower-case alias → catalogue name. */
  readonly aliases: ReadonlyMap<string, string>;
  /** Every model that some provider serves, for telling "unknown" from "not allowed". Lower-case name → catalogue name. */
  readonly knownModels: ReadonlyMap<string, string>;
  /** Whose calls are taken in where connections are intercepted, besides those of the providers. DNS names in lower case. */
  readonly hosts: readonly string[];
}

export type ProviderType = 'OpenAI' | 'Anthropic' | 'Gemini' | 'AzureOpenAI' | 'DeepSeek' | 'OpenAICompatible' | 'Simulated';

/** What kind of API a provider speaks: a dialect, and what is its own in it. */
export type BackKind = 'openai' | 'azure' | 'deepseek' | 'compatible' | 'anthropic' | 'gemini';

export interface ProviderPolicy {
  /** `namespace/name` of the AIProvider; names its Envoy cluster and route as well. */
  readonly id: string;
  readonly type: ProviderType;
  readonly back: BackKind;
  /** The version of its API that it wants named (`api-version` at Azure); `undefined`: none. */
  readonly apiVersion: string | undefined;
  readonly baseUrl: ProviderUrl;
  /** Who may have issued its certificate, PEM; `undefined`: the public authorities. */
  readonly caCertificates: string | undefined;
  /** Where its key is looked up when a call is forwarded; `undefined`: it takes none (a model server of one's own). */
  readonly key: KeyRef | undefined;
  /** Lower-case catalogue name → what it is and costs here. */
  readonly models: ReadonlyMap<string, ModelInfo>;
  /** Whether models that are not listed are passed on under the name that the caller used. */
  readonly unknownPrice: 'Refuse' | 'CountTokens';
  readonly timeouts: Timeouts;
  readonly retries: Retries;
  readonly circuitBreaker: CircuitBreaker;
  readonly outlierDetection: OutlierDetection;
}

export interface ProviderUrl {
  readonly tls: boolean;
  readonly host: string;
  readonly port: number;
  /** Without a trailing slash; empty for the root: `/v1`. */
  readonly basePath: string;
}

/** A handle for the key store. Never the key itself: snapshots are shown in debug views. */
export type KeyRef = string;

export interface Timeouts {
  readonly connectMs: number;
  /** Until the answer is complete; 0 is none (streams may be long). */
  readonly requestMs: number;
  /** Without a byte in either direction. */
  readonly idleMs: number;
}

export interface Retries {
  /** Beyond the first attempt; only where an attempt cannot have been billed. */
  readonly attempts: number;
  readonly baseIntervalMs: number;
  readonly maxIntervalMs: number;
}

export interface CircuitBreaker {
  readonly maxConnections: number;
  readonly maxPendingRequests: number;
  readonly maxRequests: number;
}

export interface OutlierDetection {
  readonly consecutive5xx: number;
  readonly intervalMs: number;
  readonly baseEjectionTimeMs: number;
}

export interface RulePolicy {
  /** `namespace/route#rule`: for people, records and metrics. */
  readonly id: string;
  readonly match: RuleMatch;
  readonly backends: readonly BackendPolicy[];
  readonly failover: FailoverPolicy;
  readonly sticky: { readonly header: string } | undefined;
  readonly transform: TransformPolicy;
  readonly limits: RateLimitPolicy | undefined;
  readonly cache: CachePolicy | undefined;
  readonly mergeEmbeddings: MergePolicy | undefined;
}

/** When a backend's model is out of use, so that others take its calls. */
export interface FailoverPolicy {
  /** Calls in a row that were not served. */
  readonly consecutiveFailures: number;
  /** The first time; twice as long each time it fails again. */
  readonly ejectionTimeMs: number;
  readonly maxEjectionTimeMs: number;
}

/** Answers that are given again to whoever of the same workload asks the same. */
export interface CachePolicy {
  /** 0: none is kept; those in flight are shared all the same, where `coalesce` says so. */
  readonly ttlMs: number;
  /** Whether identical calls at the same time become one. */
  readonly coalesce: boolean;
}

/** Small calls for embeddings at the same time that become one. */
export interface MergePolicy {
  /** How long one waits for others, at most. */
  readonly maxDelayMs: number;
  /** Of one call to the provider. */
  readonly maxInputs: number;
  /** Of its inputs together. */
  readonly maxBytes: number;
}

export interface RuleMatch {
  /** Lower-case names or patterns with `*`. Empty: every model. */
  readonly models: readonly string[];
  /** Paths below the API's root, such as `/chat/completions`. Empty: every path of the dialect. */
  readonly paths: readonly string[];
  readonly headers: readonly { readonly name: string; readonly value: string }[];
}

export interface BackendPolicy {
  readonly provider: string;
  /** The catalogue name to serve, where it is not the one asked for. */
  readonly model: string | undefined;
  /** A share of the calls; 0 is none. */
  readonly weight: number;
  /** Those of the lowest number that serve take all calls. */
  readonly priority: number;
}

export interface TransformPolicy {
  readonly systemPrompt: string | undefined;
  /** Used where the caller names no cap. */
  readonly defaultMaxOutputTokens: number | undefined;
  /** Never exceeded. */
  readonly maxOutputTokens: number | undefined;
  readonly headers: {
    readonly set: readonly (readonly [name: string, value: string])[];
    readonly add: readonly (readonly [name: string, value: string])[];
    readonly remove: readonly string[];
  };
  readonly body: { readonly set: Readonly<Record<string, unknown>>; readonly remove: readonly string[] };
}

export interface RateLimitPolicy {
  readonly requestsPerMinute: number | undefined;
  readonly tokensPerMinute: number | undefined;
}

export type BudgetUnit = 'usd' | 'tokens' | 'requests';

/** Which part of a call a budget keeps a separate account for. */
export type BudgetSubject =
  | { readonly kind: 'workload' }
  | { readonly kind: 'namespace' }
  | { readonly kind: 'serviceAccount' }
  | { readonly kind: 'model' }
  | { readonly kind: 'provider' }
  | { readonly kind: 'header'; readonly name: string };

export type BudgetWindow =
  | { readonly kind: 'calendar'; readonly unit: 'minute' | 'hour' | 'day' | 'week' | 'month'; readonly timeZone: string }
  | { readonly kind: 'rolling'; readonly durationMs: number }
  | { readonly kind: 'lifetime' };

/** What a budget promises: Strict never overspends; Bounded may by estimates; Observe only counts. */
export type BudgetMode = 'Strict' | 'Bounded' | 'Observe';

export interface BudgetPolicy {
  /** `namespace/name` of the AIBudget. */
  readonly id: string;
  readonly unit: BudgetUnit;
  /** Nano-dollars, tokens or requests, by `unit`. */
  readonly limit: NanoUsd;
  readonly window: BudgetWindow;
  readonly mode: BudgetMode;
  /** Where the full hold does not fit: lower the answer's cap, refuse, or end streams when what is left is used. */
  readonly nearLimit: 'Shrink' | 'Reject' | 'CutStream';
  /** The shortest answer worth having, in tokens; `Shrink` goes no lower. */
  readonly floorOutputTokens: number;
  /** How long a call may wait for others' holds. */
  readonly waitMs: number;
  /** Percentages of the limit at which people are told. */
  readonly alerts: readonly number[];
  /** One account for each combination of these; empty: one account for all that is selected. */
  readonly per: readonly BudgetSubject[];
  /** Which calls count, besides the workload selection that has been made already. Lower-case patterns; empty: all. */
  readonly models: readonly string[];
  readonly providers: readonly string[];
  readonly headers: readonly { readonly name: string; readonly value: string }[];
}
