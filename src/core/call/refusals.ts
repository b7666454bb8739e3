import type { Refusal, RefusalCode, RequestFault } from '../dialects/index.ts';
import type { Refused } from '../ledger/index.ts';
import type { EpochMs } from '../units/index.ts';
import { WEIGHTS } from './room.ts';
import type { RoomLimits } from './room.ts';

/** HTTP status of each code, and whether an SDK's own retry can succeed. docs/errors.md explains each. */
const TABLE: Readonly<Record<RefusalCode, { readonly status: number; readonly shouldRetry: boolean }>> = {
  invalid_json: { status: 400, shouldRetry: false },
  invalid_body: { status: 400, shouldRetry: false },
  invalid_value: { status: 400, shouldRetry: false },
  unsupported_content_type: { status: 415, shouldRetry: false },
  unsupported_content_encoding: { status: 415, shouldRetry: false },
  unsupported_state: { status: 400, shouldRetry: false },
  not_translatable: { status: 400, shouldRetry: false },
  operation_not_supported: { status: 404, shouldRetry: false },
  object_not_found: { status: 404, shouldRetry: false },
  request_too_large: { status: 413, shouldRetry: false },
  empty_body: { status: 400, shouldRetry: false },
  headers_too_large: { status: 431, shouldRetry: false },
  method_not_allowed: { status: 405, shouldRetry: false },
  endpoint_not_supported: { status: 404, shouldRetry: false },
  stateful_endpoint_refused: { status: 403, shouldRetry: false },
  model_not_found: { status: 404, shouldRetry: false },
  model_not_allowed: { status: 403, shouldRetry: false },
  no_provider_available: { status: 503, shouldRetry: true },
  provider_key_missing: { status: 503, shouldRetry: false },
  price_unknown: { status: 403, shouldRetry: false },
  cost_unbounded: { status: 403, shouldRetry: false },
  budget_exhausted: { status: 429, shouldRetry: false },
  budget_too_small_for_call: { status: 429, shouldRetry: false },
  budget_wait_timeout: { status: 429, shouldRetry: true },
  budget_unavailable: { status: 503, shouldRetry: true },
  rate_limit_exceeded: { status: 429, shouldRetry: true },
  too_many_waiting: { status: 429, shouldRetry: true },
  too_many_large_requests: { status: 503, shouldRetry: true },
  sidecar_overloaded: { status: 503, shouldRetry: true },
  processor_unavailable: { status: 503, shouldRetry: true },
  provider_unreachable: { status: 503, shouldRetry: true },
  provider_untrusted: { status: 503, shouldRetry: false },
  merged_call_failed: { status: 503, shouldRetry: true },
  provider_timeout: { status: 504, shouldRetry: false },
  host_mismatch: { status: 421, shouldRetry: false },
  unauthenticated: { status: 401, shouldRetry: false },
  upgrade_refused: { status: 403, shouldRetry: false },
  internal_error: { status: 500, shouldRetry: false },
};

/** Retrying sooner than this would only join the queue again. */
const WAIT_TIMEOUT_RETRY_S = 5;

/** An SDK that is told to come back in hours would hold its caller as long; past this, it is told not to retry. */
const LONGEST_USEFUL_RETRY_S = 60;

export function refusal(code: RefusalCode, message: string, param?: string): Refusal {
  return { code, message, ...TABLE[code], ...(param === undefined ? {} : { param }) };
}

export function faultRefusal(fault: RequestFault): Refusal {
  return refusal(fault.code, fault.message, fault.param);
}

/** What the ledger's "no" becomes for a caller: which budget, why, and when it may help to come back. */
export function ledgerRefusal(refused: Refused, at: EpochMs): Refusal {
  const budget = `budget ${refused.account.limit}${refused.account.subject === '' ? '' : ` (${refused.account.subject})`}`;
  const retryAfterS = refused.retryAtMs === undefined ? undefined : Math.max(1, Math.ceil((refused.retryAtMs - at) / 1000));
  switch (refused.reason) {
    case 'exhausted':
      return withRetry(refusal('budget_exhausted', `The ${budget} is spent${resetText(retryAfterS)}. Ask its owner to raise it.`), retryAfterS);
    case 'too_small_for_call':
      return withRetry(
        refusal(
          'budget_too_small_for_call',
          `What is left of the ${budget} does not cover this call's worst case${resetText(retryAfterS)}. Lower the output cap or shorten the input.`,
        ),
        retryAfterS,
      );
    case 'wait_timeout':
      return withRetry(
        refusal('budget_wait_timeout', `Other calls in flight hold what is left of the ${budget}, and none ended in time. Try again.`),
        WAIT_TIMEOUT_RETRY_S,
      );
    case 'rate_limited':
      return withRetry(refusal('rate_limit_exceeded', `The rate limit ${refused.account.limit} is reached. Slow down.`), retryAfterS ?? 1);
    case 'too_many_waiting':
      return withRetry(refusal('too_many_waiting', `Too many calls wait for the ${budget}. Try again later.`), WAIT_TIMEOUT_RETRY_S);
  }
}

/** Large bodies at once take memory that others need. `bytes`: how long this one is. */
export function bodyRefusal(bytes: number, { memoryBytes, waiting, waitMs }: RoomLimits): Refusal {
  const atOnce = Math.max(1, Math.floor(memoryBytes / (bytes * WEIGHTS.judged)));
  return withRetry(
    refusal(
      'too_many_large_requests',
      `Other large requests use the memory that there is for them here: ${atOnce} of this size (${Math.ceil(bytes / 1_048_576)} MiB) ${atOnce === 1 ? 'is' : 'are'} taken in at once, and ${waiting} wait for up to ${waitMs / 1_000} s. Send fewer at once, or have the sidecar's memory raised.`,
    ),
    WAIT_TIMEOUT_RETRY_S,
  );
}

/** More requests at once than memory was set aside for. */
export function overloadRefusal({ smallerBytes }: RoomLimits): Refusal {
  return withRetry(
    refusal(
      'sidecar_overloaded',
      `Requests that are judged at the same time use all ${Math.floor(smallerBytes / 1_048_576)} MiB that there are for them here. Send fewer at once, or have the sidecar's memory raised.`,
    ),
    1,
  );
}

function withRetry(base: Refusal, retryAfterS: number | undefined): Refusal {
  if (retryAfterS === undefined) return { ...base, shouldRetry: false };
  return { ...base, retryAfterS, shouldRetry: retryAfterS <= LONGEST_USEFUL_RETRY_S };
}

function resetText(retryAfterS: number | undefined): string {
  return retryAfterS === undefined ? '' : `; it opens again in ${retryAfterS} s`;
}
