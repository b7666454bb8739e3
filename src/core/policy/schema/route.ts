import { z } from 'zod';
import { judged, quoted, withRule } from './cel.ts';
import { duration, durationAtMost, editableHeader, headerMatch, headerName, hostName, modelName, name, pattern, tokens, wait } from './scalars.ts';
import { selectorFields, workloads } from './selection.ts';

const headerEdit = z.strictObject({
  name: editableHeader,
  value: z
    .string()
    .max(4096)
    .regex(/^[\t\x20-\x7e]*$/, 'must be printable ASCII')
    .describe('Its value.'),
});

/** Fields of a body that decide upon routing, price or metering; only their own settings may change them. */
const GOVERNED_FIELDS = [
  'model',
  'stream',
  'stream_options',
  'max_tokens',
  'max_completion_tokens',
  'max_output_tokens',
  'n',
  'best_of',
  'store',
  'tools',
  'messages',
  'input',
  'prompt',
];
const GOVERNED = new Set(GOVERNED_FIELDS);

const bodyField = judged(
  z.string().min(1).max(128),
  'decides upon routing, price or metering and cannot be edited here',
  `!(self in [${GOVERNED_FIELDS.map(quoted).join(', ')}])`,
  (field) => !GOVERNED.has(field),
);

/** CEL does not look into values of any type; a field that must not be there has a schema that nothing keeps. */
const ANY_BUT_GOVERNED = {
  type: 'object',
  'x-kubernetes-preserve-unknown-fields': true,
  properties: Object.fromEntries(
    GOVERNED_FIELDS.map((field) => [
      field,
      { description: 'Decides upon routing, price or metering and cannot be edited here.', 'x-kubernetes-preserve-unknown-fields': true, not: {} },
    ]),
  ),
};

const match = z.strictObject({
  models: z.array(pattern).max(100).prefault([]).describe('Model names, or patterns with `*`. Empty: every model.'),
  paths: z
    .array(z.string().regex(/^\//, 'must begin with "/"').max(256))
    .max(100)
    .default([])
    .describe('Paths below the API’s root, such as `/chat/completions`. Empty: every one.'),
  headers: z.array(headerMatch).max(16).prefault([]).describe('All must be there with that value.'),
});

const backend = z.strictObject({
  provider: z.string().min(1).max(512).describe('An AIProvider: its name, or `namespace/name`. That of another namespace must allow it (`allowedRoutes`).'),
  model: modelName.optional().describe('The model to serve instead of the one asked for.'),
  weight: z.int().min(0).max(1_000_000).default(1).describe('Share of the calls, among backends of the same priority.'),
  priority: z.int().min(0).max(100).default(0).describe('Backends of the lowest number that serve take all calls; those of higher numbers stand in for them.'),
});

/** Longer waits would be felt. */
const mergeDelay = durationAtMost(1_000, 'must be 1s at most');

const transform = z.strictObject({
  systemPrompt: z.string().max(100_000).optional().describe('Put before the caller’s own messages.'),
  defaultMaxOutputTokens: tokens.optional().describe('The cap on an answer where the caller names none.'),
  maxOutputTokens: tokens.optional().describe('The highest cap on an answer.'),
  headers: z
    .strictObject({
      set: z.array(headerEdit).max(32).prefault([]).describe('Put in the place of those of the same name.'),
      add: z.array(headerEdit).max(32).prefault([]).describe('Put beside those of the same name.'),
      remove: z.array(editableHeader).max(32).prefault([]).describe('Names of headers that are taken out.'),
    })
    .prefault({})
    .describe('Edits of the request’s headers.'),
  body: z
    .strictObject({
      set: z
        .record(bodyField, z.json())
        .meta(ANY_BUT_GOVERNED)
        .default({})
        .describe('Fields of the request’s body and what they become, whatever the caller says. Not those that decide upon routing, price or metering.'),
      remove: z.array(bodyField).max(32).default([]).describe('Fields of the request’s body that are taken out.'),
    })
    .prefault({})
    .describe('Edits of the request’s body, at its top level.'),
});

const rule = z.strictObject({
  name: name.optional().describe('Names the rule in records and metrics, and among the route’s rules; its index where absent.'),
  match: match.prefault({}).describe('Which calls the rule is for: all that is stated must hold.'),
  backends: withRule(z.array(backend).min(1).max(16), {
    rule: 'self.exists(backend, backend.weight > 0)',
    message: 'have no weight at all, so none would be called',
  }).describe('Where calls go, each by its share of the weights.'),
  failover: z
    .strictObject({
      consecutiveFailures: z
        .int()
        .min(1)
        .max(1000)
        .default(3)
        .describe('So many calls in a row that were not served (5xx, 429, 401, 403, no connection, no answer) put a backend’s model out of use.'),
      ejectionTime: wait
        .prefault('10s')
        .describe(
          'How long, the first time; twice as long each time that the trial afterwards fails. A longer `retry-after` of the provider’s counts, from its first answer.',
        ),
      maxEjectionTime: wait.prefault('5m').describe('The longest time.'),
    })
    .prefault({})
    .describe('When other backends take a backend’s calls. Where none serves, those of the lowest priority are called all the same.'),
  sticky: z
    .strictObject({ header: headerName.describe('Name of the header, in any case.') })
    .optional()
    .describe('Calls with the same value of this header go to the same backend.'),
  transform: transform.prefault({}).describe('What is changed before a call leaves.'),
  limits: z
    .strictObject({
      requestsPerMinute: z.int().min(1).max(1_000_000_000).optional().describe('Calls in any minute.'),
      tokensPerMinute: z.int().min(1).max(1_000_000_000_000).optional().describe('Tokens of input and output in any minute.'),
    })
    .optional()
    .describe('Sliding-window rate limits, for each workload.'),
  cache: z
    .strictObject({
      ttl: duration
        .prefault('0s')
        .describe('How long a whole answer is given again to calls of the same workload that are the same byte for byte; `0s`: not at all.'),
      coalesce: z.boolean().default(true).describe('Whether identical calls at the same time, if not streamed, become one call to the provider.'),
    })
    .optional()
    .describe('Answers that are given again. They cost nothing, count in no budget or rate limit, and are kept in memory only. Absent: each call is made.'),
  mergeEmbeddings: z
    .strictObject({
      maxDelay: mergeDelay
        .prefault('10ms')
        .describe('How long a call waits for others like it, at most. The first after a pause of that length does not wait.'),
      maxInputs: z.int().min(2).max(100).default(32).describe('Inputs in one call to the provider. A call that has more goes by itself.'),
      maxBytes: z
        .int()
        .min(256)
        .max(262_144)
        .default(65_536)
        .describe('Bytes of all inputs in one call to the provider. A call that has more goes by itself. A token takes a byte at least.'),
    })
    .optional()
    .describe(
      'Small calls for embeddings that a workload makes at the same time become one call to the provider. Each is held, counted and paid for by itself. Absent: each goes by itself.',
    ),
});

export const routeSpec = judged(
  z.strictObject({
    workloads: workloads
      .min(1)
      .optional()
      .describe('By name: `name` in the route’s own namespace, `namespace/name`, or `*` for every workload that the route may select.'),
    ...selectorFields,
    hosts: z
      .array(hostName)
      .max(64)
      .optional()
      .describe(
        'Whose calls are taken in for these rules where connections are intercepted, besides those of their providers. Absent: the public hosts of the APIs that Airmesh speaks, such as `api.openai.com`.',
      ),
    rules: withRule(z.array(rule).min(1).max(256), {
      rule: 'self.all(one, !has(one.name) || self.exists_one(other, has(other.name) && other.name == one.name))',
      message: 'have two of the same name',
    }).describe('Tried in order; the first that matches is taken.'),
  }),
  'needs workloads, workloadSelector or namespaceSelector, to say whose calls its rules are for',
  'has(self.workloads) || has(self.workloadSelector) || has(self.namespaceSelector)',
  ({ workloads: named, workloadSelector, namespaceSelector }) => named !== undefined || workloadSelector !== undefined || namespaceSelector !== undefined,
);
