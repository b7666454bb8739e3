import type { KeyRef } from '../policy/index.ts';
import type { EpochMs } from '../units/index.ts';

/** How a provider's key fares at one sidecar. */
export interface KeyReport {
  readonly ref: KeyRef;
  readonly totalRejections: number;
  /** Whether the provider has said yes or no to it. */
  readonly used: boolean;
  readonly lastRejectedAt?: EpochMs;
  /** Whether its last word was no; absent where an older sidecar does not say. */
  readonly isRefused?: boolean;
}

/** What a controller knows of one sidecar: what it proved, and what it said of itself. */
export interface SidecarView {
  readonly pod: { readonly namespace: string; readonly name: string; readonly uid: string };
  /** `namespace/name` */
  readonly workload: string;
  /** Since when there is a stream, or there is none. */
  readonly since: EpochMs;
  readonly isConnected: boolean;
  /** The state that it applies; absent before the first. */
  readonly applied?: string;
  /** The newest that it could not apply, and why, in its words. */
  readonly refused?: { readonly version: string; readonly reason: string };
  /** Of the keys that it has now: what a provider said of the key before counts no more. */
  readonly keys: readonly KeyReport[];
  /** Hosts for which the application sent a key of its own, which was removed. */
  readonly ownKeysFor: readonly string[];
  /** The program's version, for skew. */
  readonly program: string;
}
