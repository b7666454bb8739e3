import type { Pod, Violation } from '../wire/index.ts';

/** What people are told of. */
export type DistributionEvent =
  | { readonly kind: 'sidecar_joined'; readonly pod: Pod; readonly program: string }
  | { readonly kind: 'sidecar_left'; readonly pod: Pod }
  | { readonly kind: 'state_applied'; readonly pod: Pod; readonly version: string }
  /** A sidecar could not apply a state, and goes on with the last good one; the reason is in its words. */
  | { readonly kind: 'state_refused'; readonly pod: Pod; readonly version: string; readonly reason: string }
  /** It is too large to be sent. */
  | { readonly kind: 'state_too_large'; readonly workload: string; readonly version: string; readonly bytes: number }
  | Violation;
