import type { StateKind } from '../dialects/index.ts';
import type { EpochMs } from '../units/index.ts';

/** Something that a provider keeps, and whose it is. */
export interface KeptObject {
  /** `namespace/name` of the AIProvider. */
  readonly provider: string;
  readonly kind: StateKind;
  /** The provider's own. */
  readonly id: string;
  /** `namespace/name`: nobody else ever hears of it. */
  readonly workload: string;
  readonly at: EpochMs;
  /** When it is gone there, where that is told. */
  readonly expiresAt?: EpochMs;
  /** What it adds to the input of a call that refers to it, at most; absent: no bound is known. */
  readonly tokens?: number;
  /** What the requests in a file for a batch may cost. */
  readonly requests?: BatchRequests;
  /** A batch whose cost is not settled yet. */
  readonly open?: OpenBatch;
}

/** Requests for later, summed up by model. */
export interface BatchRequests {
  /** What they are for, below the API's root. */
  readonly endpointPath: string;
  readonly parts: readonly BatchPart[];
}

/** The requests of one model under one rule: what they need at most, and what is expected. */
export interface BatchPart {
  /** Catalogue name. */
  readonly model: string;
  readonly rule: string;
  readonly requests: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly estimate: { readonly inputTokens: number; readonly outputTokens: number };
  /** What has no bound, for people. */
  readonly unbounded: readonly string[];
}

export interface OpenBatch {
  readonly endpointPath: string;
  /** Ids of the holds that it will settle, one for each part. */
  readonly holds: readonly string[];
}
