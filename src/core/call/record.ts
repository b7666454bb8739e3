import type { Usage } from '../catalog/index.ts';
import type { Operation } from '../dialects/index.ts';
import type { Hold } from '../ledger/index.ts';
import type { EpochMs, NanoUsd } from '../units/index.ts';

/** Every way in which a forwarded call can end. Each settles exactly once. */
export type Ending =
  | 'finished' /** The provider answered with an error status. */
  | 'provider_error' /** An error event or a broken end in the middle of a stream. */
  | 'stream_error' /** The client hung up. */
  | 'client_gone' /** The provider or the connection to it was reset, or never answered. */
  | 'provider_reset' | 'timeout' /** Ended here at a limit. */
  | 'cut' /** Envoy or this process died with the call in flight; found at restart. */
  | 'lost';

/** What is written before a call is forwarded. */
export interface CallHold {
  readonly id: string;
  readonly at: EpochMs;
  readonly namespace: string;
  readonly workload: string;
  readonly rule: string;
  readonly provider: string;
  /** The catalogue's name. */
  readonly model: string;
  readonly operation: Operation;
  readonly stream: boolean;
  readonly priceSource: string | undefined;
  readonly holds: readonly Hold[];
  /** The worst case, and what is expected: for a call that is found lost. */
  readonly heldNanoUsd: NanoUsd;
  readonly estimate: { readonly nanoUsd: NanoUsd; readonly inputTokens: number; readonly outputTokens: number };
}

/** One forwarded call, as it is kept. No prompt, no answer, no key. */
export interface CallRecord extends Omit<CallHold, 'holds' | 'estimate'> {
  readonly endedAt: EpochMs;
  readonly ending: Ending;
  /** HTTP status of the provider; 0 where none came. */
  readonly status: number;
  readonly servedModel: string | undefined;
  readonly usage: Usage;
  /** The usage is ours, not the provider's count. */
  readonly estimated: boolean;
  /** The usage priced. `undefined`: the price is unknown. */
  readonly costNanoUsd: NanoUsd | undefined;
  /** What the budgets were charged, where it is not the cost: a strict budget posts the whole hold of an ending without usage. */
  readonly chargedNanoUsd: NanoUsd;
  readonly posted: readonly Hold[];
  readonly shrunkToTokens: number | undefined;
}
