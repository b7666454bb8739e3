import type { Usage } from '../catalog/index.ts';
import type { Operation } from '../dialects/index.ts';
import type { Hold } from '../ledger/index.ts';
import type { EpochMs, NanoUsd } from '../units/index.ts';

/**
 * Every way in which a forwarded call can end; each settles exactly once. `finished`: a whole answer.
 * `provider_error`: an answer with an error status. `stream_error`: an error event or a broken end in the middle of a
 * stream. `client_gone`: the caller hung up. `provider_reset`: the provider or the connection to it was reset, or could
 * not be reached. `timeout`: no answer in time. `cut`: ended here at a limit. `lost`: Envoy or this process died with
 * the call in flight; found at restart.
 */
export type Ending = 'finished' | 'provider_error' | 'stream_error' | 'client_gone' | 'provider_reset' | 'timeout' | 'cut' | 'lost';

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
