import fc from 'fast-check';
import { limitIdentity } from '../../core/leases/index.ts';
import type { InterceptedHost, Interception, KeyMaterial, SidecarState } from '../../core/control/index.ts';
import type { ModelInfo, Price } from '../../core/catalog/index.ts';
import type { BudgetPolicy, BudgetSubject, BudgetWindow, ProviderPolicy, ProviderType, RulePolicy, WorkloadSnapshot } from '../../core/policy/index.ts';

/** Arbitrary states, with every field that there is, set and absent. */
const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 });
const words = fc.array(name, { maxLength: 3 });
const count = fc.maxSafeNat();
const amount = fc.bigInt({ min: 0n, max: 10n ** 30n - 1n });
const maybe = <T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(of, { nil: undefined });
const headers = fc.array(fc.record({ name, value: name }), { maxLength: 2 });
const edits = fc.array(fc.tuple(name, name), { maxLength: 2 });
const mapOf = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<Map<string, T>> => fc.array(fc.tuple(name, value), { maxLength: 3 }).map((entries) => new Map(entries));

const TYPES = ['OpenAI', 'Anthropic', 'Gemini', 'AzureOpenAI', 'DeepSeek', 'OpenAICompatible', 'Simulated'] as const satisfies readonly ProviderType[];
const type = fc.constantFrom(...TYPES);

const price: fc.Arbitrary<Price> = fc.record(
  {
    input: amount,
    output: amount,
    cachedInput: amount,
    cacheWrite: amount,
    cacheWriteLong: amount,
    inputAudio: amount,
    outputAudio: amount,
    inputImage: amount,
    outputImage: amount,
    perRequest: amount,
    perHostedToolCall: amount,
    source: name,
  },
  { requiredKeys: ['input', 'output', 'source'] },
);

const model: fc.Arbitrary<ModelInfo> = fc.record(
  { name, providerModel: name, price: maybe(price), contextWindow: count, maxOutputTokens: count, maxImageTokens: count },
  { requiredKeys: ['name', 'price'] },
);

const provider: fc.Arbitrary<ProviderPolicy> = fc.record({
  id: name,
  type,
  back: fc.constantFrom('openai', 'azure', 'deepseek', 'compatible', 'anthropic', 'gemini'),
  apiVersion: maybe(name),
  baseUrl: fc.record({ tls: fc.boolean(), host: name, port: fc.nat(65_535), basePath: fc.string() }),
  caCertificates: maybe(name),
  key: maybe(name),
  models: mapOf(model),
  unknownPrice: fc.constantFrom('Refuse', 'CountTokens'),
  timeouts: fc.record({ connectMs: count, requestMs: count, idleMs: count }),
  retries: fc.record({ attempts: count, baseIntervalMs: count, maxIntervalMs: count }),
  circuitBreaker: fc.record({ maxConnections: count, maxPendingRequests: count, maxRequests: count }),
  outlierDetection: fc.record({ consecutive5xx: count, intervalMs: count, baseEjectionTimeMs: count }),
});

const rule: fc.Arbitrary<RulePolicy> = fc.record({
  id: name,
  match: fc.record({ models: words, paths: words, headers }),
  backends: fc.array(fc.record({ provider: name, model: maybe(name), weight: count, priority: count }), { maxLength: 3 }),
  failover: fc.record({ consecutiveFailures: count, ejectionTimeMs: count, maxEjectionTimeMs: count }),
  sticky: maybe(fc.record({ header: name })),
  transform: fc.record({
    systemPrompt: maybe(fc.string({ maxLength: 20_000 })),
    defaultMaxOutputTokens: maybe(count),
    maxOutputTokens: maybe(count),
    headers: fc.record({ set: edits, add: edits, remove: words }),
    // What JSON cannot say: -0, and a field that would be a prototype.
    body: fc.record({
      set: fc.dictionary(
        name.filter((key) => key !== '__proto__'),
        fc
          .jsonValue()
          .map((value) => JSON.stringify(value))
          .filter((text) => !text.includes('__proto__'))
          .map((text) => JSON.parse(text) as unknown),
      ),
      remove: words,
    }),
  }),
  limits: maybe(fc.record({ requestsPerMinute: maybe(count), tokensPerMinute: maybe(count) })),
  cache: maybe(fc.record({ ttlMs: count, coalesce: fc.boolean() })),
  mergeEmbeddings: maybe(fc.record({ maxDelayMs: count, maxInputs: count, maxBytes: count })),
});

const window: fc.Arbitrary<BudgetWindow> = fc.oneof(
  fc.record({
    kind: fc.constant('calendar' as const),
    unit: fc.constantFrom('minute' as const, 'hour' as const, 'day' as const, 'week' as const, 'month' as const),
    timeZone: name,
  }),
  fc.record({ kind: fc.constant('rolling' as const), durationMs: count }),
  fc.constant({ kind: 'lifetime' as const }),
);

const subject: fc.Arbitrary<BudgetSubject> = fc.oneof(
  fc.record({ kind: fc.constantFrom('workload' as const, 'namespace' as const, 'serviceAccount' as const, 'model' as const, 'provider' as const) }),
  fc.record({ kind: fc.constant('header' as const), name }),
);

const budget: fc.Arbitrary<BudgetPolicy> = fc.record({
  id: name,
  unit: fc.constantFrom('usd', 'tokens', 'requests'),
  limit: amount,
  window,
  mode: fc.constantFrom('Strict', 'Bounded', 'Observe'),
  nearLimit: fc.constantFrom('Shrink', 'Reject', 'CutStream'),
  floorOutputTokens: count,
  waitMs: count,
  alerts: fc.array(fc.nat(1_000), { maxLength: 4 }),
  per: fc.array(subject, { maxLength: 3 }),
  models: words,
  providers: words,
  headers,
});

const snapshot: fc.Arbitrary<WorkloadSnapshot> = fc
  .record({
    version: name,
    workload: fc.record({ namespace: name, name, serviceAccount: name }, { requiredKeys: ['namespace', 'name'] }),
    providers: fc.array(provider, { maxLength: 3 }).map((providers) => new Map(providers.map((one) => [one.id, one]))),
    rules: fc.array(rule, { maxLength: 3 }),
    budgets: fc.array(budget, { maxLength: 3 }),
    aliases: mapOf(name),
    knownModels: mapOf(name),
    hosts: words,
  })
  .map((one) => ({
    ...one,
    knownModels: new Map([
      ...[...one.providers.values()].flatMap(({ models }) => [...models].map(([key, { name: model }]) => [key, model] as const)),
      ...one.knownModels,
    ]),
  }));

const key: fc.Arbitrary<KeyMaterial> = fc.record({ type, value: name });

const host: fc.Arbitrary<InterceptedHost> = fc.record(
  { host: name, leaf: fc.record({ certificate: name, key: name, notAfter: count }), ports: fc.array(fc.nat(65_535), { maxLength: 3 }), addresses: words },
  { requiredKeys: ['host', 'ports'] },
);

const interception: fc.Arbitrary<Interception> = fc.record(
  {
    hosts: fc.array(host, { maxLength: 3 }),
    roots: fc.string(),
    egress: fc.constantFrom('Open', 'Enforced'),
    passedHosts: words,
    refusedHosts: words,
    networks: words,
    webSocketHosts: words,
  },
  { requiredKeys: ['hosts', 'roots', 'egress'] },
);

export const anyState: fc.Arbitrary<SidecarState> = fc.record(
  { version: name, snapshot, keys: mapOf(key), keySources: mapOf(name).filter(({ size }) => size > 0), interception, controllerRoots: fc.string() },
  { requiredKeys: ['version', 'snapshot', 'keys'] },
);

/** A state of one workload that can do little; `changes` makes it another one. */
export function stateOf(workload: string, changes: Partial<SidecarState> = {}): SidecarState {
  const [namespace = '', plain = ''] = workload.split('/');
  return {
    version: `${workload}@1`,
    snapshot: {
      version: '1',
      workload: { namespace, name: plain },
      providers: new Map(),
      rules: [],
      budgets: [],
      aliases: new Map(),
      hosts: [],
      knownModels: new Map(),
    },
    keys: new Map(),
    ...changes,
  };
}

/** A dollar budget's policy, of which there is an account for each of `per`. */
export const dollarBudget = (id: string, ...per: readonly BudgetSubject[]): BudgetPolicy => ({
  id,
  unit: 'usd',
  limit: 1n,
  window: { kind: 'lifetime' },
  mode: 'Strict',
  nearLimit: 'Reject',
  floorOutputTokens: 1,
  waitMs: 0,
  alerts: [],
  per,
  models: [],
  providers: [],
  headers: [],
});
/** By which the ledger knows it. */
export const identityOf = (id: string): string => limitIdentity({ id, unit: 'usd', window: { kind: 'lifetime' } });
