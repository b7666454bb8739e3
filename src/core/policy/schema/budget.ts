import { z } from 'zod';
import { exactlyOne, hasExactlyOne, judged, untyped } from './cel.ts';
import { durationAtLeast, durationAtMost, headerMatch, headerName, pattern, usdAboveZero } from './scalars.ts';
import { selectorFields, workloads } from './selection.ts';

const SUBJECTS = ['Workload', 'Namespace', 'ServiceAccount', 'Model', 'Provider'] as const;

/** A word, or an object of one field: each keyword here concerns one of the two. */
const SUBJECT_KEYWORDS = untyped(
  {
    pattern: `^(${SUBJECTS.join('|')})$`,
    properties: { header: { type: 'string', maxLength: 128, pattern: '^[a-zA-Z0-9!#$%&*+.^_|~-]{1,128}$', description: 'Name of the header, in any case.' } },
    required: ['header'],
    maxProperties: 1,
  },
  ['array', 'number', 'boolean'],
);

const subject = z
  .union([z.enum(SUBJECTS), z.strictObject({ header: headerName })], 'must be Workload, Namespace, ServiceAccount, Model, Provider, or {header: name}')
  .meta(SUBJECT_KEYWORDS);

const selector = z.strictObject({
  workloads: workloads
    .default([])
    .describe(
      'By name: `name` in the budget’s own namespace, `namespace/name`, or `*`. Neither these nor a selector: every workload that the budget may select.',
    ),
  ...selectorFields,
  models: z.array(pattern).max(100).prefault([]).describe('Model names, or patterns with `*`. Empty: every model.'),
  providers: z.array(z.string().min(1).max(512)).max(100).default([]).describe('AIProviders: names, or `namespace/name`. Empty: every one.'),
  headers: z.array(headerMatch).max(16).prefault([]).describe('All must be there with that value.'),
});

const amount = z.int().min(1).max(1e15);

const limit = z
  .strictObject({
    usd: usdAboveZero.optional().describe('Dollars as a decimal, such as `"25"`.'),
    tokens: amount.optional().describe('Tokens of input and output.'),
    requests: amount.optional().describe('Calls.'),
  })
  .refine(hasExactlyOne, 'needs exactly one of usd, tokens and requests')
  // CEL does not see `usd`, which has no type there.
  .meta({ minProperties: 1, maxProperties: 1 });

const window = judged(
  z.strictObject({
    calendar: z.enum(['Minute', 'Hour', 'Day', 'Week', 'Month']).optional().describe('Begins with each of these, by the clock of `timeZone`; weeks on Monday.'),
    timeZone: z
      .string()
      .max(64)
      .regex(/^[A-Za-z]/, 'is not a time zone; write an IANA name such as "Europe/Berlin" or "UTC"')
      .default('UTC')
      .describe('An IANA time zone; where calendar windows begin.'),
    rolling: durationAtLeast(1000, 'must be a second or more').optional().describe('The time before each moment, so long.'),
    lifetime: z.literal(true).optional().describe('From the budget’s beginning, without an end.'),
  }),
  'needs exactly one of calendar, rolling and lifetime',
  exactlyOne(['calendar', 'rolling', 'lifetime']),
  ({ calendar, rolling, lifetime }) => hasExactlyOne({ calendar, rolling, lifetime }),
);

export const budgetSpec = z.strictObject({
  selector: selector.prefault({}).describe('Which calls count.'),
  per: z
    .array(subject)
    .max(4)
    .prefault([])
    .describe('One account for each combination of these: Workload, Namespace, ServiceAccount, Model, Provider, or `{header: name}`. Empty: one for all.'),
  limit: limit.describe('What each account may use in a window. Exactly one of these.'),
  window: window.describe('When an account begins anew. Exactly one of calendar, rolling and lifetime.'),
  mode: z.enum(['Strict', 'Bounded', 'Observe']).default('Strict').describe('Strict never overspends; Bounded may, by estimates; Observe only counts.'),
  nearLimit: z
    .enum(['Shrink', 'Reject', 'CutStream'])
    .default('Shrink')
    .describe(
      'Where a full hold does not fit: cap the answer to what is left, refuse, or end a stream when what is left is used (Bounded; in Strict as Shrink).',
    ),
  floorOutputTokens: z.int().min(1).max(1_000_000).default(16).describe('The shortest answer worth having.'),
  alerts: z
    .array(z.int().min(1).max(100))
    .max(10)
    .default([50, 80, 100])
    .describe('Percentages of the limit at which an event and a metric tell, once each in an account’s window.'),
  waitTimeout: durationAtMost(300_000, 'must be at most 5m').prefault('30s').describe('How long a call may wait for others’ holds.'),
});
