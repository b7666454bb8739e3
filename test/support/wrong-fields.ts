/** Every field of every resource, right and wrong: for whoever reads files, and for the API server. */
import { Document, isCollection, parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { SCHEMAS, formatPath } from '../../src/core/policy/index.ts';
import type { FieldPath, Kind } from '../../src/core/policy/index.ts';

/** Resources with every field that there is, each right; further key sources and windows exclude each other. */
export const WHOLE: Readonly<Record<Kind, string>> = {
  AIProvider: `
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: relay, namespace: shop, creationTimestamp: "2026-11-24T01:14:05Z"}
spec:
  type: AzureOpenAI
  apiVersion: "2024-10-21"
  baseUrl: https://relay.example/v1
  auth: {apiKey: {env: RELAY_KEY}}
  tls:
    caCertificates: |
      -----BEGIN CERTIFICATE-----
      MIIBezCCASGgAwIBAgIUQvut1QKHmqAnBQ71pFg1KeCqCYAwCgYIKoZIzj0EAwIw
      EjEQMA4GA1UEAwwHY29tcGFueTAgFw0yNjExMjgxNjU3MzJaGA8yMTI2MTEwNDE2
      NTczMlowEjEQMA4GA1UEAwwHY29tcGFueTBZMBMGByqGSM49AgEGCCqGSM49AwEH
      A0IABKXsDh6/j/UcPeejR8OlFyYAmn4plibLDHOo+zi16ZzHdI8udu4ktKBn4CTc
      lqZJq/hPovyrQVifywX1BmZTOvijUzBRMB0GA1UdDgQWBBT8WHgDOGCTa1mLLa6S
      4GbfmIebSTAfBgNVHSMEGDAWgBT8WHgDOGCTa1mLLa6S4GbfmIebSTAPBgNVHRMB
      Af8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQDi+FVP7XKjmgBFnHzYARPzDs1Y
      +rnRtDtEgEWtHLZkcQIgJF68vSeX06jROuifZM8FeD3Fln5ZLcOUyILqQVcHAVY=
      -----END CERTIFICATE-----
  models:
  - name: house-model
    providerModel: house-1
    contextWindow: 8000
    maxOutputTokens: 4000
    maxImageTokens: 800
    price:
      inputPerMillion: "2"
      outputPerMillion: 8
      cachedInputPerMillion: 0.5
      cacheWritePerMillion: "1"
      inputAudioPerMillion: "1"
      outputAudioPerMillion: "1"
      inputImagePerMillion: "1"
      outputImagePerMillion: "1"
      perRequest: "0.001"
  unknownPrice: Refuse
  timeouts: {connect: 5s, request: 0s, idle: 5m}
  retries: {attempts: 2, baseInterval: 500ms, maxInterval: 30s}
  circuitBreaker: {maxConnections: 10, maxPendingRequests: 10, maxRequests: 10}
  outlierDetection: {consecutive5xx: 5, interval: 10s, baseEjectionTime: 10s}
  allowedRoutes:
    namespaces: {from: Selector, selector: {matchLabels: {team: shop}, matchExpressions: [{key: env, operator: NotIn, values: [test]}]}}
`,
  AIRoute: `
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: chat, namespace: shop, creationTimestamp: "2026-11-24T01:14:05Z"}
spec:
  workloads: [checkout]
  workloadSelector: {matchLabels: {app: checkout}, matchExpressions: [{key: tier, operator: In, values: [front]}]}
  namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}, matchExpressions: [{key: env, operator: NotIn, values: [test]}]}
  hosts: [api.example.com]
  rules:
  - name: first
    match: {models: [house-model], paths: [/chat/completions], headers: [{name: x-tier, value: gold}]}
    backends: [{provider: relay, model: house-model, weight: 90, priority: 1}]
    failover: {consecutiveFailures: 5, ejectionTime: 20s, maxEjectionTime: 2m}
    sticky: {header: x-user}
    transform:
      systemPrompt: Be brief.
      defaultMaxOutputTokens: 100
      maxOutputTokens: 1000
      headers: {set: [{name: x-a, value: b}], add: [{name: x-c, value: d}], remove: [x-e]}
      body: {set: {temperature: 0.5}, remove: [user]}
    limits: {requestsPerMinute: 60, tokensPerMinute: 6000}
    cache: {ttl: 10m, coalesce: false}
    mergeEmbeddings: {maxDelay: 5ms, maxInputs: 16, maxBytes: 4096}
`,
  AIBudget: `
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: daily, namespace: shop, creationTimestamp: "2026-11-24T01:14:05Z"}
spec:
  selector:
    workloads: [checkout]
    workloadSelector: {matchLabels: {app: checkout}, matchExpressions: [{key: tier, operator: In, values: [front]}]}
    namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}, matchExpressions: [{key: env, operator: NotIn, values: [test]}]}
    models: ["gpt-*"]
    providers: [relay]
    headers: [{name: x-team, value: a}]
  per: [Workload, {header: x-team}]
  limit: {usd: "25"}
  window: {calendar: Day, timeZone: Europe/Berlin}
  mode: Strict
  nearLimit: Shrink
  floorOutputTokens: 16
  alerts: [50, 80, 100]
  waitTimeout: 30s
`,
};

/** Fields that exclude one that stands above, with a value that is right by itself. */
export const ALTERNATIVES: Readonly<Record<string, { readonly instead: string; readonly value: unknown }>> = {
  'AIProvider spec.auth.apiKey.file': { instead: 'env', value: '/run/key' },
  'AIProvider spec.auth.apiKey.value': { instead: 'env', value: 'hs_0123456789' },
  'AIProvider spec.auth.apiKey.secretRef.name': { instead: 'env', value: { name: 'relay', key: 'apiKey' } },
  'AIProvider spec.auth.apiKey.secretRef.key': { instead: 'env', value: { name: 'relay', key: 'apiKey' } },
  'AIBudget spec.limit.tokens': { instead: 'usd', value: 1000 },
  'AIBudget spec.limit.requests': { instead: 'usd', value: 1000 },
  'AIBudget spec.window.rolling': { instead: 'calendar', value: '24h' },
  'AIBudget spec.window.lifetime': { instead: 'calendar', value: true },
};

/** A word that stands nowhere else, so that its line is the one where the mistake was made. */
export const MARK = 'misplaced';

interface Schema {
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly exclusiveMinimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly required?: readonly string[];
  readonly propertyNames?: Schema;
  readonly properties?: Record<string, Schema>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly type?: string | readonly string[];
  /** What stands beside it is for the API server alone. */
  readonly 'x-kubernetes-preserve-unknown-fields'?: true;
}

/** Every place in a schema, as a path into the whole resource; lists by their first item (of a union: where it stands). */
function placesOf(given: Schema, path: FieldPath = []): { readonly path: FieldPath; readonly schema: Schema }[] {
  const { properties: _properties, ...rest } = given;
  const schema: Schema = given['x-kubernetes-preserve-unknown-fields'] === true ? rest : given;
  const below = [
    ...Object.entries(schema.properties ?? {}).flatMap(([name, part]) => placesOf(part, [...path, name])),
    ...(schema.items === undefined ? [] : placesOf(schema.items, [...path, 0])),
    ...(schema.anyOf ?? []).filter((option) => option.properties !== undefined).flatMap((option) => placesOf(option, [...path.slice(0, -1), 1]).slice(1)),
  ];
  return [{ path, schema }, ...below];
}

const schemaOf = (kind: Kind): Schema => z.toJSONSchema(SCHEMAS[kind], { io: 'input', unrepresentable: 'any' }) as Schema;
export const places = (Object.keys(SCHEMAS) as Kind[]).flatMap((kind) =>
  placesOf(schemaOf(kind))
    .filter(({ path }) => path[0] !== 'status')
    .map((place) => ({ kind, at: formatPath(place.path), ...place })),
);

/** The whole resource with that field in it. */
export function documentWith(kind: Kind, at: string): Document {
  const document = new Document(parseAllDocuments(WHOLE[kind])[0]?.toJS());
  const alternative = ALTERNATIVES[`${kind} ${at}`];
  if (alternative !== undefined) {
    const parent = at.replace(/\.(?:secretRef\.)?[a-z]+$/i, '').split('.');
    const name = at.slice(parent.join('.').length + 1).split('.', 1)[0];
    document.deleteIn([...parent, alternative.instead]);
    document.setIn([...parent, name], document.createNode(alternative.value));
  }
  return document;
}

export function withFlowValue(document: Document, path: FieldPath, value: unknown): string {
  const node = document.createNode(value);
  if (isCollection(node)) node.flow = true;
  document.setIn(path, node);
  return document.toString({ lineWidth: 0 });
}

const long = (length: number): string => 'a'.repeat(length);
export const many = <T>(count: number, item: T): T[] => Array.from({ length: count }, () => structuredClone(item));

/** `path` is what is at fault, where it is not the field itself. */
export type Row = readonly [kind: Kind, at: string, value: unknown, message: RegExp, path?: string];

const PEM = String(parseAllDocuments(WHOLE.AIProvider)[0]?.getIn(['spec', 'tls', 'caCertificates'])).trim();

const PROVIDER: readonly Row[] = [
  ['AIProvider', 'apiVersion', 'airmesh.dev/v2', /must be airmesh\.dev\/v1alpha1/],
  ['AIProvider', 'kind', 'AIProvidr', /did you mean AIProvider\?/],
  ['AIProvider', 'metadata.name', 'Relay', /DNS name/],
  ['AIProvider', 'metadata.name', long(254), /DNS name/],
  ['AIProvider', 'metadata.namespace', '', /DNS name/],
  ['AIProvider', 'spec.type', 'Openai', /OpenAICompatible/],
  ['AIProvider', 'spec.baseUrl', '', />=1/],
  ['AIProvider', 'spec.baseUrl', long(2049), /<=2048/],
  ['AIProvider', 'spec.baseUrl', 'relay.example/v1', /not an http\(s\) URL/],
  ['AIProvider', 'spec.baseUrl', 'ftp://relay.example', /not an http\(s\) URL/],
  ['AIProvider', 'spec.baseUrl', 'https://user:planted-secret@relay.example', /auth\.apiKey/],
  ['AIProvider', 'spec.baseUrl', 'https://relay.example/v1?key=planted-secret', /query/],
  ['AIProvider', 'spec.baseUrl', 'https://relay.example/v1#top', /fragment/],
  ['AIProvider', 'spec.baseUrl', 'https://relay.example:0/', /port 0/],
  ['AIProvider', 'spec.baseUrl', 'https://relay.example:65536/', /port 65536/],
  ['AIProvider', 'spec.baseUrl', 'https://re lay.example/', /not an http\(s\) URL/],
  ['AIProvider', 'spec.baseUrl', 'https://relay!.example/', /characters/],
  ['AIProvider', 'spec.baseUrl', 'https://300.1.1.1/', /not an address/],
  ['AIProvider', 'spec.baseUrl', 'http://2130706433:4000/v1', /not an address/],
  ['AIProvider', 'spec.baseUrl', 'http://0x7f.1:4000/v1', /not an address/],
  ['AIProvider', 'spec.baseUrl', 'https://127.0.0.1:4000/v1', /Airmesh itself/],
  ['AIProvider', 'spec.baseUrl', 'https://127.9.9.9:4000/v1', /Airmesh itself/],
  ['AIProvider', 'spec.baseUrl', 'https://LocalHost:4000/v1', /Airmesh itself/],
  ['AIProvider', 'spec.baseUrl', 'https://localhost.:4000/v1', /Airmesh itself/],
  ['AIProvider', 'spec.baseUrl', 'https://ai.localhost:4010/v1', /Airmesh itself/],
  ['AIProvider', 'spec.baseUrl', 'https://[::1]:4010/v1', /Airmesh itself/],
  ['AIProvider', 'spec.baseUrl', 'https://[0:0:0:0:0:0:0:1]:4000/v1', /Airmesh itself/],
  ['AIProvider', 'spec.baseUrl', 'https://[::ffff:127.0.0.1]:4000/v1', /Airmesh itself/],
  ['AIProvider', 'spec.baseUrl', 'https://10.0.0.7:4020', /Airmesh itself/],
  ['AIProvider', 'spec.tls.caCertificates', '', />=1/],
  ['AIProvider', 'spec.tls.caCertificates', '/etc/ssl/company.pem', /certificates/],
  ['AIProvider', 'spec.tls.caCertificates', `-----BEGIN PRIVATE KEY-----\nplanted-secret\n-----END PRIVATE KEY-----\n${PEM}`, /private key/],
  ['AIProvider', 'spec.tls.caCertificates', `-----BEGIN CERTIFICATE-----\nMIIBtorn\n${PEM}`, /each from its -----BEGIN CERTIFICATE----- to its/],
  ['AIProvider', 'spec.tls.caCertificates', PEM.replace('MIIB', 'AAAA'), /certificate 1 of 1 cannot be read/],
  ['AIProvider', 'spec.baseUrl', 'http://relay.example/v1', /must be https:\/\/ where spec\.tls says/],
  ['AIProvider', 'spec.auth.apiKey', {}, /exactly one/],
  ['AIProvider', 'spec.auth.apiKey', { env: 'A', file: '/b' }, /exactly one/],
  ['AIProvider', 'spec.auth.apiKey', { value: '' }, />=1/, 'spec.auth.apiKey.value'],
  ['AIProvider', 'spec.auth.apiKey', { file: '' }, />=1/, 'spec.auth.apiKey.file'],
  ['AIProvider', 'spec.auth.apiKey', { secretRef: { name: 'A B' } }, /DNS name/, 'spec.auth.apiKey.secretRef.name'],
  ['AIProvider', 'spec.auth.apiKey.env', 'planted-secret', /name of an environment variable/],
  ['AIProvider', 'spec.models', many(1001, { name: 'a' }), /<=1000/],
  ['AIProvider', 'spec.models', [{ name: 'a' }, { name: 'A' }], /listed twice/, 'spec.models[1].name'],
  ['AIProvider', 'spec.models[0].name', '', />=1/],
  ['AIProvider', 'spec.models[0].name', long(257), /<=256/],
  ['AIProvider', 'spec.models[0].providerModel', '', />=1/],
  ['AIProvider', 'spec.models[0].contextWindow', 0, />=1/],
  ['AIProvider', 'spec.models[0].contextWindow', 1e9, /<=100000000/],
  ['AIProvider', 'spec.models[0].maxOutputTokens', 1.5, /int/],
  ['AIProvider', 'spec.models[0].maxImageTokens', -1, />=1/],
  ['AIProvider', 'spec.models[0].price', { inputPerMillion: 1 }, /dollars/, 'spec.models[0].price.outputPerMillion'],
  ['AIProvider', 'spec.models[0].price.inputPerMillion', -2, /not an amount/],
  ['AIProvider', 'spec.models[0].price.outputPerMillion', '-0.5', /not an amount/],
  ['AIProvider', 'spec.models[0].price.cachedInputPerMillion', '0.0000000001', /nine decimals/],
  ['AIProvider', 'spec.models[0].price.cacheWritePerMillion', 1e21, /not an amount/],
  ['AIProvider', 'spec.models[0].price.inputAudioPerMillion', 'free', /not an amount/],
  ['AIProvider', 'spec.models[0].price.outputAudioPerMillion', '1000000000', /billion/],
  ['AIProvider', 'spec.models[0].price.inputImagePerMillion', Number.NaN, /dollars/],
  ['AIProvider', 'spec.models[0].price.outputImagePerMillion', Number.POSITIVE_INFINITY, /dollars/],
  ['AIProvider', 'spec.models[0].price.perRequest', '$1', /not an amount/],
  ['AIProvider', 'spec.models[0].price.perRequest', long(100_000), /not an amount/],
  ['AIProvider', 'spec.unknownPrice', 'Allow', /CountTokens/],
  ['AIProvider', 'spec.timeouts.connect', '0s', /above zero/],
  ['AIProvider', 'spec.timeouts.connect', 'fast', /not a duration/],
  ['AIProvider', 'spec.timeouts.request', '-1s', /not a duration/],
  ['AIProvider', 'spec.timeouts.idle', '367d', /not a duration up to 366d/],
  ['AIProvider', 'spec.retries.attempts', -1, />=0/],
  ['AIProvider', 'spec.retries.attempts', 11, /<=10/],
  ['AIProvider', 'spec.retries.baseInterval', '0ms', /above zero/],
  ['AIProvider', 'spec.retries.maxInterval', '1.5s', /not a duration/],
  ['AIProvider', 'spec.circuitBreaker.maxConnections', 0, />=1/],
  ['AIProvider', 'spec.circuitBreaker.maxPendingRequests', 1_000_001, /<=1000000/],
  ['AIProvider', 'spec.circuitBreaker.maxRequests', 2.5, /int/],
  ['AIProvider', 'spec.outlierDetection.consecutive5xx', 0, />=1/],
  ['AIProvider', 'spec.outlierDetection.interval', '0s', /above zero/],
  ['AIProvider', 'spec.outlierDetection.baseEjectionTime', '0s', /above zero/],
  ['AIProvider', 'spec.allowedRoutes.namespaces.from', 'Anyone', /Selector/],
  ['AIProvider', 'spec.allowedRoutes.namespaces', { from: 'Selector' }, /needs selector/],
  ['AIProvider', 'spec.allowedRoutes.namespaces', { selector: {} }, /needs selector/],
  [
    'AIProvider',
    'spec.allowedRoutes.namespaces.selector.matchLabels',
    { team: 'a b' },
    /value of a label/,
    'spec.allowedRoutes.namespaces.selector.matchLabels.team',
  ],
  ['AIProvider', 'spec.auth.apiKey', { secretRef: { name: 'a', key: 'a/b' } }, /key of a Secret/, 'spec.auth.apiKey.secretRef.key'],
];

const RULE = { backends: [{ provider: 'relay' }] };
const header = (name: string, value: string): object => ({ name, value });

const ROUTE: readonly Row[] = [
  ['AIRoute', 'spec.workloads', [], />=1/],
  ['AIRoute', 'spec.workloads', many(1001, 'checkout'), /<=1000/],
  ['AIRoute', 'spec.workloads[0]', '', />=1/],
  ['AIRoute', 'spec', { rules: [RULE] }, /needs workloads, workloadSelector or namespaceSelector/],
  ['AIRoute', 'spec.workloadSelector.matchExpressions[0].operator', 'Equals', /DoesNotExist/],
  ['AIRoute', 'spec.workloadSelector.matchExpressions', [{ key: 'a', operator: 'In' }], /needs values/, 'spec.workloadSelector.matchExpressions[0]'],
  ['AIRoute', 'spec.workloadSelector.matchExpressions[0].values', ['a b'], /value of a label/, 'spec.workloadSelector.matchExpressions[0].values[0]'],
  [
    'AIRoute',
    'spec.namespaceSelector.matchExpressions',
    [{ key: 'a', operator: 'Exists', values: ['b'] }],
    /takes none/,
    'spec.namespaceSelector.matchExpressions[0]',
  ],
  ['AIRoute', 'spec.namespaceSelector.matchLabels', Object.fromEntries(Array.from({ length: 17 }, (_, index) => [`l${index}`, ''])), /more than 16 labels/],
  ['AIRoute', 'spec.hosts', many(65, 'api.example.com'), /<=64/],
  ['AIRoute', 'spec.hosts[0]', '*.example.com', /DNS name/],
  ['AIRoute', 'spec.hosts[0]', '10.0.0.7', /DNS name/],
  ['AIRoute', 'spec.rules', [], />=1/],
  ['AIRoute', 'spec.rules', many(257, RULE), /<=256/],
  [
    'AIRoute',
    'spec.rules',
    [
      { name: 'a', ...RULE },
      { name: 'a', ...RULE },
    ],
    /names another rule already/,
    'spec.rules[1].name',
  ],
  ['AIRoute', 'spec.rules[0].name', 'First Rule', /DNS name/],
  ['AIRoute', 'spec.rules[0].match.models', many(101, 'a'), /<=100/],
  ['AIRoute', 'spec.rules[0].match.models[0]', long(257), /<=256/],
  ['AIRoute', 'spec.rules[0].match.paths[0]', 'chat/completions', /"\/"/],
  ['AIRoute', 'spec.rules[0].match.headers', many(17, header('x', 'y')), /<=16/],
  ['AIRoute', 'spec.rules[0].match.headers[0].name', 'x tier', /header name/],
  ['AIRoute', 'spec.rules[0].match.headers[0].value', long(4097), /<=4096/],
  ['AIRoute', 'spec.rules[0].backends', [], />=1/],
  ['AIRoute', 'spec.rules[0].backends', many(17, { provider: 'relay' }), /<=16/],
  ['AIRoute', 'spec.rules[0].backends', [{ provider: 'relay', weight: 0 }], /no weight at all/],
  ['AIRoute', 'spec.rules[0].backends[0].provider', 'relya', /no AIProvider shop\/relya; did you mean shop\/relay\?/],
  ['AIRoute', 'spec.rules[0].backends[0].provider', 'other/relay', /no AIProvider other\/relay/],
  ['AIRoute', 'spec.rules[0].backends[0].model', 'house-modle', /did you mean house-model\?/],
  ['AIRoute', 'spec.rules[0].backends[0].weight', -1, />=0/],
  ['AIRoute', 'spec.rules[0].backends[0].weight', 1_000_001, /<=1000000/],
  ['AIRoute', 'spec.rules[0].backends[0].priority', -1, />=0/],
  ['AIRoute', 'spec.rules[0].backends[0].priority', 101, /<=100/],
  ['AIRoute', 'spec.rules[0].failover.consecutiveFailures', 0, />=1/],
  ['AIRoute', 'spec.rules[0].failover.ejectionTime', '0s', /above zero/],
  ['AIRoute', 'spec.rules[0].failover.maxEjectionTime', '400d', /is not a duration up to 366d/],
  ['AIRoute', 'spec.rules[0].cache.ttl', 'soon', /is not a duration up to 366d/],
  ['AIRoute', 'spec.rules[0].mergeEmbeddings.maxDelay', '2s', /1s at most/],
  ['AIRoute', 'spec.rules[0].mergeEmbeddings.maxInputs', 1, />=2/],
  ['AIRoute', 'spec.rules[0].mergeEmbeddings.maxInputs', 101, /<=100/],
  ['AIRoute', 'spec.rules[0].mergeEmbeddings.maxBytes', 255, />=256/],
  ['AIRoute', 'spec.rules[0].mergeEmbeddings.maxBytes', 262_145, /<=262144/],
  ['AIRoute', 'spec.rules[0].sticky.header', '', /header name/],
  ['AIRoute', 'spec.rules[0].transform.systemPrompt', long(100_001), /<=100000/],
  ['AIRoute', 'spec.rules[0].transform.defaultMaxOutputTokens', 0, />=1/],
  ['AIRoute', 'spec.rules[0].transform.maxOutputTokens', 100_000_001, /<=100000000/],
  ['AIRoute', 'spec.rules[0].transform.headers.set[0].name', 'Authorization', /mesh itself/],
  ['AIRoute', 'spec.rules[0].transform.headers.set[0].name', 'X-Airmesh-Backend', /mesh itself/],
  ['AIRoute', 'spec.rules[0].transform.headers.set[0].value', 'a\nb', /printable ASCII/],
  ['AIRoute', 'spec.rules[0].transform.headers.add[0].name', 'content-length', /mesh itself/],
  ['AIRoute', 'spec.rules[0].transform.headers.add[0].value', 'Grüße', /printable ASCII/],
  ['AIRoute', 'spec.rules[0].transform.headers.remove[0]', 'host', /mesh itself/],
  ['AIRoute', 'spec.rules[0].transform.body.set', { model: 'gpt-4.1' }, /routing, price or metering/, 'spec.rules[0].transform.body.set.model'],
  ['AIRoute', 'spec.rules[0].transform.body.set', { '': 1 }, />=1/, 'spec.rules[0].transform.body.set.'],
  ['AIRoute', 'spec.rules[0].transform.body.remove[0]', 'messages', /routing, price or metering/],
  ['AIRoute', 'spec.rules[0].limits.requestsPerMinute', 0, />=1/],
  ['AIRoute', 'spec.rules[0].limits.requestsPerMinute', 2e9, /<=1000000000/],
  ['AIRoute', 'spec.rules[0].limits.tokensPerMinute', 0.5, /int/],
];

const BUDGET: readonly Row[] = [
  ['AIBudget', 'spec.selector.workloads[0]', '', />=1/],
  ['AIBudget', 'spec.selector.workloads', many(1001, 'checkout'), /<=1000/],
  ['AIBudget', 'spec.selector.workloadSelector.matchExpressions[0].key', '-', /key of a label/],
  ['AIBudget', 'spec.selector.workloadSelector.matchExpressions', many(17, { key: 'a', operator: 'Exists' }), /<=16/],
  ['AIBudget', 'spec.selector.models[0]', '', />=1/],
  ['AIBudget', 'spec.selector.providers', ['relya'], /no AIProvider shop\/relya; did you mean shop\/relay\?/, 'spec.selector.providers[0]'],
  ['AIBudget', 'spec.selector.headers[0].name', 'x:team', /header name/],
  ['AIBudget', 'spec.selector.headers[0].value', 5, /string/],
  ['AIBudget', 'spec.per', many(5, 'Model'), /<=4/],
  ['AIBudget', 'spec.per[0]', 'Team', /Workload, Namespace/],
  ['AIBudget', 'spec.per[1].header', '', /header name/],
  ['AIBudget', 'spec.limit', {}, /exactly one of usd, tokens and requests/],
  ['AIBudget', 'spec.limit', { usd: 1, tokens: 1 }, /exactly one of usd, tokens and requests/],
  ['AIBudget', 'spec.limit', { tokens: 0 }, />=1/, 'spec.limit.tokens'],
  ['AIBudget', 'spec.limit', { tokens: 1e15 + 1 }, /<=1000000000000000/, 'spec.limit.tokens'],
  ['AIBudget', 'spec.limit', { requests: 1.5 }, /int/, 'spec.limit.requests'],
  ['AIBudget', 'spec.limit.usd', 0, /above zero/],
  ['AIBudget', 'spec.limit.usd', '-25', /not an amount/],
  ['AIBudget', 'spec.limit.usd', '25,00', /not an amount/],
  ['AIBudget', 'spec.limit.usd', 'NaN', /not an amount/],
  ['AIBudget', 'spec.limit.usd', 'Infinity', /not an amount/],
  ['AIBudget', 'spec.limit.usd', 1e15, /below 1000000000|billion/],
  ['AIBudget', 'spec.limit', { tokens: -1 }, />=1/, 'spec.limit.tokens'],
  ['AIBudget', 'spec.window', {}, /exactly one of calendar, rolling and lifetime/],
  ['AIBudget', 'spec.window', { calendar: 'Day', rolling: '24h' }, /exactly one of calendar, rolling and lifetime/],
  ['AIBudget', 'spec.window', { rolling: '24h', lifetime: true }, /exactly one of calendar, rolling and lifetime/],
  ['AIBudget', 'spec.window', { rolling: '0s' }, /a second or more/, 'spec.window.rolling'],
  ['AIBudget', 'spec.window', { rolling: '999ms' }, /a second or more/, 'spec.window.rolling'],
  ['AIBudget', 'spec.window', { lifetime: false }, /true/, 'spec.window.lifetime'],
  ['AIBudget', 'spec.window', { rolling: '24h', timeZone: 'Mars/Olympus' }, /not a time zone/, 'spec.window.timeZone'],
  ['AIBudget', 'spec.window.calendar', 'Year', /Month/],
  ['AIBudget', 'spec.window.timeZone', 'Mars/Olympus', /not a time zone/],
  ['AIBudget', 'spec.window.timeZone', '+02:00', /not a time zone/],
  ['AIBudget', 'spec.window.timeZone', long(65), /<=64/],
  ['AIBudget', 'spec.mode', 'strict', /Strict/],
  ['AIBudget', 'spec.nearLimit', 'Cap', /Shrink/],
  ['AIBudget', 'spec.floorOutputTokens', 0, />=1/],
  ['AIBudget', 'spec.alerts[0]', 0, />=1/],
  ['AIBudget', 'spec.alerts[0]', 101, /<=100/],
  ['AIBudget', 'spec.alerts[0]', 50.5, /int/],
  ['AIBudget', 'spec.alerts', many(11, 50), /<=10/],
  ['AIBudget', 'spec.waitTimeout', '301s', /at most 5m/],
];

export const pathOf = (at: string): FieldPath =>
  at
    .replaceAll(/\[(\d+)\]/g, '.$1')
    .split('.')
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));

export const ROWS: readonly Row[] = [...PROVIDER, ...ROUTE, ...BUDGET];

/** What a schema's own bounds forbid. */
export interface Forbidden {
  readonly kind: Kind;
  readonly at: string;
  readonly why: string;
  readonly value?: unknown;
  /** So many times the first item. */
  readonly count?: number;
  /** Without that field. */
  readonly absent?: string;
}

/** Why a name of a field is wrong. */
export const NAME_FORM = 'a name of another form';

/** Texts of which one does not match, whatever the pattern. */
const ODD_TEXTS = [' ~ ', '.', '-', 'ü', '0', '\n'];

/** Each bound of each field of `spec`, just exceeded: what a schema says is what is tried, so that a new field is as well. */
export const FORBIDDEN: readonly Forbidden[] = places
  .filter(({ path }) => path[0] === 'spec')
  .flatMap(({ kind, at, schema }) => forbiddenBy(schema).map((one) => ({ kind, at, ...one })));

function forbiddenBy(schema: Schema): Omit<Forbidden, 'kind' | 'at'>[] {
  const { type, minLength = 0, maxLength, pattern, minimum, exclusiveMinimum, maximum, minItems = 0, maxItems, required = [] } = schema;
  const tried: (Omit<Forbidden, 'kind' | 'at'> | false | undefined)[] = [
    schema.enum !== undefined && { why: 'none of those that there are', value: 'Wrong' },
    maxLength !== undefined && { why: 'too long', value: long(maxLength + 1) },
    minLength > 0 && { why: 'empty', value: '' },
    ...ODD_TEXTS.filter((text) => pattern !== undefined && !new RegExp(pattern, 'u').test(text) && text.length >= minLength)
      .slice(0, 1)
      .map((text) => ({ why: 'of another form', value: text })),
    minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER && { why: 'too small', value: minimum - 1 },
    exclusiveMinimum !== undefined && exclusiveMinimum > Number.MIN_SAFE_INTEGER && { why: 'too small', value: exclusiveMinimum },
    maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER && { why: 'too large', value: maximum + 1 },
    type === 'integer' && { why: 'no whole number', value: 1.5 },
    type === 'boolean' && { why: 'a word', value: 'true' },
    minItems > 0 && { why: 'an empty list', value: [] },
    // Of several types, one needs it.
    ...(schema.anyOf === undefined ? required : []).map((name) => ({ why: `without ${name}`, absent: name })),
  ];
  if (maxItems !== undefined) tried.push({ why: 'too many', count: maxItems + 1 });
  if (schema.propertyNames?.pattern !== undefined) tried.push({ why: NAME_FORM, value: { '-': 'x' } });
  return tried.filter((one): one is Omit<Forbidden, 'kind' | 'at'> => one !== undefined && one !== false && Object.keys(one).length > 1);
}

/** The whole resource with what is forbidden. */
export function documentForbidden({ kind, at, value, count, absent }: Forbidden): Document {
  const document = documentWith(kind, absent === undefined ? at : `${at}.${absent}`);
  const path = pathOf(at);
  const plain = (node: unknown): unknown => (isCollection(node) ? node.toJSON() : node);
  if (absent !== undefined) document.deleteIn([...path, absent]);
  else document.setIn(path, document.createNode(count === undefined ? value : many(count, plain(document.getIn([...path, 0])))));
  return document;
}
