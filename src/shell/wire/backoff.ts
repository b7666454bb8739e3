export interface Backoff {
  readonly leastMs: number;
  readonly mostMs: number;
}

/** How long to wait after so many failures in a row (from 1): anything from the least to what doubles with each, so that those who failed together do not come back together. */
export function backoffMs({ leastMs, mostMs }: Backoff, failures: number): number {
  const top = Math.min(mostMs, leastMs * 2 ** Math.min(failures, 30));
  return leastMs + Math.random() * (top - leastMs);
}
