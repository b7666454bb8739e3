import { z } from 'zod';
import { parseUsd } from '../units/index.ts';

/** API group and version of the custom resources. */
export const API_VERSION = 'airmesh.dev/v1alpha1';

const NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;

const name = z.string().regex(NAME, 'must be a DNS name: lower-case letters, digits, "-" and "."');
const headerName = z.string().regex(/^[a-zA-Z0-9!#$%&*+.^_|~-]{1,128}$/, 'must be a header name').transform((text) => text.toLowerCase());
const pattern = z.string().min(1).max(256).transform((text) => text.toLowerCase());
const tokens = z.int().min(1).max(100_000_000);

/** Dollars as a decimal; parsed to nano-dollars. */
const usd = z.union([z.string(), z.number()], 'must be dollars as a decimal, such as "25" or "0.35"').transform((value, context) => {
  const parsed = parseUsd(value);
  if (parsed.ok) return parsed.value;
  context.addIssue({ code: 'custom', message: parsed.error });
  return z.NEVER;
});

const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const MAX_DURATION_MS = 366 * 86_400_000;
/** So much of a wrong value is enough to find it by. */
const MAX_QUOTED = 40;

/** `500ms`, `30s`, `5m`, `24h`, `7d`; parsed to milliseconds. */
const duration = z.string().transform((text, context) => {
  const [, amount, unit = ''] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? [];
  const ms = Number(amount) * (UNIT_MS[unit] ?? Number.NaN);
  if (ms <= MAX_DURATION_MS) return ms;
  context.addIssue({ code: 'custom', message: `${JSON.stringify(text.slice(0, MAX_QUOTED))} is not a duration up to 366d; write one such as "30s", "5m" or "24h"` });
  return z.NEVER;
});

/** A time that Envoy has to wait, which must not be nothing. */
const wait = duration.refine((ms) => ms > 0, 'must be above zero');

const metadata = z.looseObject({
  name: name.describe('Name of the resource, unique in its namespace.'),
  namespace: name.default('default').describe('Namespace of the resource; `default` where files name none.'),
});

const price = z
  .strictObject({
    inputPerMillion: usd.describe('USD per million input tokens.'),
    outputPerMillion: usd.describe('USD per million output tokens, reasoning included.'),
    cachedInputPerMillion: usd.optional().describe('USD per million input tokens read from the provider’s cache; as input where absent.'),
    cacheWritePerMillion: usd.optional().describe('USD per million input tokens written to the cache; as input where absent.'),
    inputAudioPerMillion: usd.optional(),
    outputAudioPerMillion: usd.optional(),
    inputImagePerMillion: usd.optional(),
    outputImagePerMillion: usd.optional(),
    perRequest: usd.optional().describe('USD for each request besides its tokens.'),
  })
  .describe('What the model costs at this provider.');

const providerModel = z.strictObject({
  name: z.string().min(1).max(256).describe('The name that callers and routes use.'),
  providerModel: z.string().min(1).max(256).optional().describe('The provider’s own name, where it differs.'),
  price: price.optional(),
  contextWindow: tokens.optional().describe('Tokens of input and output together.'),
  maxOutputTokens: tokens.optional().describe('The longest answer that the model gives.'),
  maxImageTokens: tokens.optional().describe('The most tokens that one input image can count.'),
});

const keySource = z
  .strictObject({
    env: z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*$/, 'must be the name of an environment variable').optional(),
    file: z.string().min(1).optional().describe('Path of a file that holds nothing but the key; read again when it changes.'),
    value: z.string().min(1).optional().describe('The key itself; for trials only.'),
    secretRef: z.strictObject({ name, key: z.string().min(1).default('apiKey') }).optional().describe('A key of a Secret in the provider’s namespace.'),
  })
  .refine((source) => Object.values(source).filter((value) => value !== undefined).length === 1, 'needs exactly one of env, file, value and secretRef');

export const PROVIDER_TYPES = ['OpenAI', 'Anthropic', 'Gemini', 'AzureOpenAI', 'DeepSeek', 'OpenAICompatible', 'Simulated'] as const;

const providerSpec = z.strictObject({
  type: z.enum(PROVIDER_TYPES).describe('What kind of API it is, and which models it serves unless `models` says so.'),
  baseUrl: z.string().min(1).max(2048).optional().describe('Root of its API, such as `https://api.openai.com/v1`. OpenAICompatible and AzureOpenAI have no default.'),
  apiVersion: z
    .string()
    .regex(/^[a-z0-9.-]{1,32}$/, 'must be a version such as "2024-10-21"')
    .optional()
    .describe('AzureOpenAI only: the `api-version` to name, with the deployment in the path. Absent: the v1 API, which needs none.'),
  auth: z.strictObject({ apiKey: keySource }).optional().describe('Where its key comes from. Absent: it takes none.'),
  models: z.array(providerModel).max(1000).optional().describe('The models that it serves. Absent: those of its type.'),
  unknownPrice: z.enum(['Refuse', 'CountTokens']).default('Refuse').describe('What becomes of calls to a model whose price is unknown.'),
  timeouts: z
    .strictObject({
      connect: wait.default(5000),
      request: duration.default(0).describe('Until the answer is complete; `0s` is no limit.'),
      idle: duration.default(300_000).describe('Without a byte either way.'),
    })
    .prefault({}),
  retries: z
    .strictObject({ attempts: z.int().min(0).max(10).default(2), baseInterval: wait.default(500), maxInterval: wait.default(30_000) })
    .prefault({})
    .describe('Of attempts that cannot have been billed; exponential, honouring Retry-After.'),
  circuitBreaker: z
    .strictObject({
      maxConnections: z.int().min(1).max(1_000_000).default(1024),
      maxPendingRequests: z.int().min(1).max(1_000_000).default(1024),
      maxRequests: z.int().min(1).max(1_000_000).default(4096),
    })
    .prefault({}),
  outlierDetection: z
    .strictObject({ consecutive5xx: z.int().min(1).max(1000).default(10), interval: wait.default(10_000), baseEjectionTime: wait.default(10_000) })
    .prefault({}),
});

const headerMatch = z.strictObject({ name: headerName, value: z.string().max(4096) });
const FORBIDDEN_HEADERS = /^(?:host|authorization|proxy-authorization|api-key|x-api-key|x-goog-api-key|content-length|transfer-encoding|connection|:.*|x-airmesh-.*|x-envoy-.*)$/;
const editableHeader = headerName.refine((text) => !FORBIDDEN_HEADERS.test(text), 'is set by the mesh itself and cannot be edited');
const headerEdit = z.strictObject({ name: editableHeader, value: z.string().max(4096).regex(/^[\t\x20-\x7e]*$/, 'must be printable ASCII') });

/** Fields of a body that decide upon routing, price or metering; only their own settings may change them. */
const GOVERNED_FIELDS = new Set(['model', 'stream', 'stream_options', 'max_tokens', 'max_completion_tokens', 'max_output_tokens', 'n', 'best_of', 'store', 'tools', 'messages', 'input', 'prompt']);
const bodyField = z.string().min(1).max(128).refine((field) => !GOVERNED_FIELDS.has(field), 'decides upon routing, price or metering and cannot be edited here');

const rule = z.strictObject({
  name: name.optional().describe('Names the rule in records and metrics; its index where absent.'),
  match: z
    .strictObject({
      models: z.array(pattern).max(100).default([]).describe('Model names, or patterns with `*`. Empty: every model.'),
      paths: z.array(z.string().startsWith('/').max(256)).max(100).default([]).describe('Paths below the API’s root, such as `/chat/completions`. Empty: every one.'),
      headers: z.array(headerMatch).max(16).default([]).describe('All must be there with that value.'),
    })
    .prefault({}),
  backends: z
    .array(
      z.strictObject({
        provider: z.string().min(1).max(512).describe('An AIProvider: its name, or `namespace/name`.'),
        model: z.string().min(1).max(256).optional().describe('The model to serve instead of the one asked for.'),
        weight: z.int().min(0).max(1_000_000).default(1).describe('Share of the calls.'),
      }),
    )
    .min(1)
    .max(16),
  sticky: z.strictObject({ header: headerName }).optional().describe('Calls with the same value of this header go to the same backend.'),
  transform: z
    .strictObject({
      systemPrompt: z.string().max(100_000).optional().describe('Put before the caller’s own messages.'),
      defaultMaxOutputTokens: tokens.optional().describe('The cap on an answer where the caller names none.'),
      maxOutputTokens: tokens.optional().describe('The highest cap on an answer.'),
      headers: z
        .strictObject({ set: z.array(headerEdit).max(32).default([]), add: z.array(headerEdit).max(32).default([]), remove: z.array(editableHeader).max(32).default([]) })
        .prefault({}),
      body: z.strictObject({ set: z.record(bodyField, z.json()).default({}), remove: z.array(bodyField).max(32).default([]) }).prefault({}),
    })
    .prefault({}),
  limits: z
    .strictObject({ requestsPerMinute: z.int().min(1).max(1_000_000_000).optional(), tokensPerMinute: z.int().min(1).max(1_000_000_000_000).optional() })
    .optional()
    .describe('Sliding-window rate limits, for each workload.'),
});

const routeSpec = z.strictObject({
  workloads: z.array(z.string().min(1).max(512)).min(1).max(1000).describe('Whose calls these rules are for: `name`, `namespace/name`, or `*`.'),
  rules: z.array(rule).min(1).max(256).describe('Tried in order; the first that matches is taken.'),
});

const budgetSpec = z.strictObject({
  selector: z
    .strictObject({
      workloads: z.array(z.string().min(1).max(512)).max(1000).default([]).describe('Empty: every workload.'),
      models: z.array(pattern).max(100).default([]),
      providers: z.array(z.string().min(1).max(512)).max(100).default([]),
      headers: z.array(headerMatch).max(16).default([]),
    })
    .prefault({})
    .describe('Which calls count.'),
  per: z
    .array(
      z.union([z.enum(['Workload', 'Namespace', 'ServiceAccount', 'Model', 'Provider']), z.strictObject({ header: headerName })], 'must be Workload, Namespace, ServiceAccount, Model, Provider, or {header: name}'),
    )
    .max(4)
    .default([])
    .describe('One account for each combination of these. Empty: one for all.'),
  limit: z
    .strictObject({
      usd: usd.refine((amount) => amount > 0n, 'must be above zero').optional(),
      tokens: z.int().min(1).max(1e15).optional(),
      requests: z.int().min(1).max(1e15).optional(),
    })
    .refine((limit) => Object.values(limit).filter((value) => value !== undefined).length === 1, 'needs exactly one of usd, tokens and requests'),
  window: z
    .strictObject({
      calendar: z.enum(['Minute', 'Hour', 'Day', 'Week', 'Month']).optional(),
      timeZone: z.string().max(64).default('UTC').describe('An IANA time zone; where calendar windows begin.'),
      rolling: duration.refine((ms) => ms >= 1000, 'must be a second or more').optional(),
      lifetime: z.literal(true).optional(),
    })
    .refine(({ calendar, rolling, lifetime }) => [calendar, rolling, lifetime].filter((value) => value !== undefined).length === 1, 'needs exactly one of calendar, rolling and lifetime'),
  mode: z.enum(['Strict', 'Bounded', 'Observe']).default('Strict').describe('Strict never overspends; Bounded may, by estimates; Observe only counts.'),
  nearLimit: z.enum(['Shrink', 'Reject']).default('Shrink').describe('Where a full hold does not fit: cap the answer to what is left, or refuse.'),
  floorOutputTokens: z.int().min(1).max(1_000_000).default(16).describe('The shortest answer worth having.'),
  waitTimeout: duration.refine((ms) => ms <= 300_000, 'must be at most 5m').default(30_000).describe('How long a call may wait for others’ holds.'),
});

const resource = <Kind extends string, Spec extends z.ZodType>(kind: Kind, spec: Spec) =>
  z.strictObject({ apiVersion: z.literal(API_VERSION), kind: z.literal(kind), metadata, spec, status: z.unknown().optional() });

export const SCHEMAS = {
  AIProvider: resource('AIProvider', providerSpec),
  AIRoute: resource('AIRoute', routeSpec),
  AIBudget: resource('AIBudget', budgetSpec),
} as const;

export type Kind = keyof typeof SCHEMAS;
export type AIProvider = z.output<(typeof SCHEMAS)['AIProvider']>;
export type AIRoute = z.output<(typeof SCHEMAS)['AIRoute']>;
export type AIBudget = z.output<(typeof SCHEMAS)['AIBudget']>;
export type Resource = AIProvider | AIRoute | AIBudget;
export type KeySourceSpec = NonNullable<AIProvider['spec']['auth']>['apiKey'];
