/** A limit's id, and its window as far as it tells one limit from another. */
interface Named {
  readonly id: string;
  readonly unit: string;
  readonly window:
    | { readonly kind: 'calendar'; readonly unit: string; readonly timeZone: string }
    | { readonly kind: 'rolling'; readonly durationMs: number }
    | { readonly kind: 'lifetime' };
}

/** A limit as it counts: two with the same id but another unit or window share nothing, so amounts never mix. */
export function limitIdentity({ id, unit, window }: Named): string {
  switch (window.kind) {
    case 'calendar':
      return `${id}|${unit}|${window.unit}|${window.timeZone}`;
    case 'rolling':
      return `${id}|${unit}|${window.durationMs}`;
    case 'lifetime':
      return `${id}|${unit}`;
  }
}

/** No time zone's name holds a `|`, and ids are followed by a unit. */
const IDENTITY = /^(.*)\|(?:usd|tokens|requests)(?:\|(?:\d+|(?:minute|hour|day|week|month)\|[^|]*))?$/s;

/** The id within an identity; of what is none, the whole. */
export function limitIdOf(identity: string): string {
  return IDENTITY.exec(identity)?.[1] ?? identity;
}

/** Ids of the two limits that a rule's rate limits become; the ledger is configured with the same. */
export const requestRateId = (ruleId: string): string => `${ruleId}/requestsPerMinute`;
export const tokenRateId = (ruleId: string): string => `${ruleId}/tokensPerMinute`;

/** Whether a limit's id is one of those two. No budget's id holds a `#`, as those of rules do. */
export const isRateLimit = (limit: string): boolean => limit.includes('#') && /\/(?:requests|tokens)PerMinute$/.test(limit);
