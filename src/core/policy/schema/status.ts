import { z } from 'zod';

const count = z.int().min(0).max(1_000_000_000);
const time = z.string().max(64).meta({ format: 'date-time' });
/** A decimal without sign or exponent: dollars to the nano-dollar, tokens or requests. */
const amount = z
  .string()
  .max(40)
  .regex(/^[0-9]+([.][0-9]{1,9})?$/);

/** More than a person reads at once; an object in etcd is not a log. */
const MAX_FINDINGS = 16;
const MAX_BEHIND = 10;
const MAX_ACCOUNTS = 10;

/** meta/v1 Condition, with its bounds. */
const condition = z.strictObject({
  type: z.string().min(1).max(316).describe('Accepted, ResolvedRefs or Programmed.'),
  status: z.enum(['True', 'False', 'Unknown']).describe('Whether it holds.'),
  observedGeneration: z.int().min(0).optional().describe('The `metadata.generation` that it was said of.'),
  lastTransitionTime: time.describe('Since when it is so.'),
  reason: z
    .string()
    .min(1)
    .max(1024)
    .regex(/^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$/)
    .describe('A word for programs.'),
  message: z.string().max(32_768).describe('A sentence for people: what is wrong, and what to do.'),
});

const finding = z.strictObject({
  severity: z.enum(['error', 'warning']).describe('What is an error has no effect; a warning may be meant.'),
  path: z.string().max(512).describe('The field, such as `spec.rules[0].backends[1].provider`; empty for the resource as a whole.'),
  message: z.string().max(1024).describe('What is wrong, and what to do.'),
});

const common = {
  observedGeneration: z.int().min(0).optional().describe('The `metadata.generation` that this status is about.'),
  conditions: z
    .array(condition)
    .max(8)
    .default([])
    .meta({ 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['type'] })
    .describe(
      'Accepted: its own fields are right. ResolvedRefs: what it refers to is there, and may be used. Programmed: every sidecar that it is for applies it.',
    ),
  findings: z.array(finding).max(MAX_FINDINGS).default([]).describe('What is wrong, by field; the first of them.'),
};

const behind = z.strictObject({
  pod: z.string().max(512).describe('`namespace/name`.'),
  reason: z
    .enum(['Pending', 'Refused', 'Disconnected'])
    .describe('Pending: sent, not yet acknowledged. Refused: it keeps what it had, and says why. Disconnected: it has no stream to the controller.'),
  message: z.string().max(1024).optional().describe('Why, in the sidecar’s words.'),
  since: time.optional().describe('Since when.'),
});

const sidecars = z.strictObject({
  total: count.describe('Sidecars that it is for.'),
  applied: count.describe('Of those, the ones that have acknowledged it as it is now.'),
  summary: z.string().max(32).describe('`applied/total`, as `kubectl get` shows it.'),
  behind: z.array(behind).max(MAX_BEHIND).default([]).describe('Those that have not; the first of them.'),
});

export const routeStatus = z.strictObject({
  ...common,
  sidecars: sidecars.optional().describe('Who applies it.'),
});

export const providerStatus = z.strictObject({
  ...common,
  sidecars: sidecars.optional().describe('Who holds it, and its key.'),
  models: count.optional().describe('How many models it serves.'),
  key: z
    .strictObject({
      state: z
        .enum(['None', 'Missing', 'Malformed', 'Untried', 'Good', 'Refused'])
        .describe(
          'None: it takes none. Missing: no such Secret, or no such key in it. Malformed: not of the shape that this provider’s keys have. Untried: no call yet. Good: the last answer took it. Refused: the last answer was a 401 or 403.',
        ),
      refusedCalls: count.optional().describe('Calls since the key changed that the provider refused for the key’s sake.'),
      lastRefusedTime: time.optional().describe('The last of them.'),
      changedTime: time.optional().describe('When the key last changed.'),
    })
    .optional()
    .describe('How its key fares. Never the key.'),
});

export const budgetStatus = z.strictObject({
  ...common,
  unit: z.enum(['USD', 'Tokens', 'Requests']).optional().describe('Of the amounts.'),
  limit: amount.optional().describe('What each account may use in a window.'),
  posted: amount.optional().describe('What has been used, in the account that has least left.'),
  pending: amount.optional().describe('What is held for calls in flight, in the same account.'),
  free: amount.optional().describe('What is left in the same account: posted + pending + free = limit.'),
  window: z
    .strictObject({
      name: z.string().max(64).describe('Such as `Day`, `24h` or `Lifetime`.'),
      start: time.optional().describe('When the present window began.'),
      end: time.optional().describe('When it ends; none of lifetime budgets.'),
    })
    .optional()
    .describe('The window that the amounts are of.'),
  accounts: z
    .strictObject({
      total: count.describe('Accounts in the present window.'),
      exhausted: count.describe('Of those, the ones that have nothing left.'),
      fullest: z
        .array(
          z.strictObject({
            subject: z.string().max(1024).describe('The combination of `per` that it is for.'),
            posted: amount.describe('Used.'),
            pending: amount.describe('Held.'),
            free: amount.describe('Left.'),
          }),
        )
        .max(MAX_ACCOUNTS)
        .default([])
        .describe('Those with least left.'),
    })
    .optional()
    .describe('The accounts, where `per` makes several.'),
});
