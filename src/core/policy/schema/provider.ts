import { z } from 'zod';
import { byName, exactlyOne, hasExactlyOne, judged, withRule } from './cel.ts';
import { duration, modelName, name, tokens, usd, wait } from './scalars.ts';
import { labelSelector } from './selection.ts';

const price = z
  .strictObject({
    inputPerMillion: usd.describe('USD per million input tokens.'),
    outputPerMillion: usd.describe('USD per million output tokens, reasoning included.'),
    cachedInputPerMillion: usd.optional().describe('USD per million input tokens read from the provider’s cache; as input where absent.'),
    cacheWritePerMillion: usd.optional().describe('USD per million input tokens written to the cache; as input where absent.'),
    inputAudioPerMillion: usd.optional().describe('USD per million tokens of audio put in; as input where absent.'),
    outputAudioPerMillion: usd.optional().describe('USD per million tokens of audio given out; as output where absent.'),
    inputImagePerMillion: usd.optional().describe('USD per million tokens of images put in; as input where absent.'),
    outputImagePerMillion: usd.optional().describe('USD per million tokens of images given out; as output where absent.'),
    perRequest: usd.optional().describe('USD for each request besides its tokens.'),
  })
  .describe('What the model costs at this provider. Absent: what the catalogue says.');

const providerModel = z.strictObject({
  name: modelName.describe('The name that callers and routes use.'),
  providerModel: modelName.optional().describe('The provider’s own name, where it differs.'),
  price: price.optional(),
  contextWindow: tokens.optional().describe('Tokens of input and output together.'),
  maxOutputTokens: tokens.optional().describe('The longest answer that the model gives.'),
  maxImageTokens: tokens.optional().describe('The most tokens that one input image can count.'),
});

const environmentVariable = judged(z.string().max(256), 'must be the name of an environment variable', "self.matches('^[A-Za-z_][A-Za-z0-9_]*$')", (text) =>
  /^[A-Za-z_][A-Za-z0-9_]*$/.test(text),
);

/** As long as file systems allow a path to be. */
const MAX_PATH_LENGTH = 4096;
/** Keys have a hundred characters or two; tokens that are signed have more. */
const MAX_KEY_LENGTH = 8192;

const secretRef = z.strictObject({
  name: name.describe('Name of the Secret.'),
  key: z
    .string()
    .min(1)
    .max(253)
    .regex(/^[-._a-zA-Z0-9]+$/, 'must be a key of a Secret: letters, digits, "-", "_" and "."')
    .default('apiKey')
    .describe('Which of its keys.'),
});

const keySource = judged(
  z.strictObject({
    env: environmentVariable.optional().describe('An environment variable of the process. Not in a cluster.'),
    file: z
      .string()
      .min(1)
      .max(MAX_PATH_LENGTH)
      .optional()
      .describe('Path of a file that holds nothing but the key; read again when it changes. Not in a cluster.'),
    value: z
      .string()
      .min(1)
      .max(MAX_KEY_LENGTH)
      .optional()
      .describe('The key itself; for trials only. Not in a cluster, where whoever may read the resource could read it.'),
    secretRef: secretRef.optional().describe('A key of a Secret in the provider’s own namespace.'),
  }),
  'needs exactly one of env, file, value and secretRef',
  exactlyOne(['env', 'file', 'value', 'secretRef']),
  hasExactlyOne,
);

const SCHEME = '^https?://';
const ADDRESS_OF_6 = '[[][0-9a-fA-F:.]+[]]';
const HOST = `(${ADDRESS_OF_6}|[^/?#:@[:space:]]+)`;
const PATH = '(/[^?#[:space:]]*)?$';
const OCTET = '([01]?[0-9]?[0-9]|2[0-4][0-9]|25[0-5])';
const PORT_THAT_EXISTS = '0*([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])';
const matches = (...parts: readonly string[]): string => `self.matches('${parts.join('')}')`;
const isUrl = matches(SCHEME, HOST, '(:[0-9]{1,5})?', PATH);

/** What `parseBaseUrl` judges of the text alone, one by one. Messages do not quote it: it may hold a key. */
const baseUrl = [
  { rule: isUrl, message: 'must be an http(s) URL such as https://api.openai.com/v1, without credentials (they belong in auth.apiKey), query and fragment' },
  { rule: `!${isUrl} || ${matches(SCHEME, HOST, `(:${PORT_THAT_EXISTS})?`, PATH)}`, message: 'names a port that does not exist' },
  {
    rule: `!${isUrl} || ${matches(SCHEME, `(${ADDRESS_OF_6}|[A-Za-z0-9._-]+)`, '(:|/|$)')}`,
    message: 'has a host name with characters that host names do not have',
  },
  {
    rule: `!${matches(SCHEME, '([^/]*[.])?([0-9]+|0[xX][0-9a-fA-F]*)[.]?(:|/|$)')} || ${matches(SCHEME, `(${OCTET}[.]){3}${OCTET}`, '(:|/|$)')}`,
    message: 'has a host that is a number, but not an address such as 10.0.0.7',
  },
].reduce((schema, rule) => withRule(schema, rule), z.string().min(1).max(2048));

export const PROVIDER_TYPES = ['OpenAI', 'Anthropic', 'Gemini', 'AzureOpenAI', 'DeepSeek', 'OpenAICompatible', 'Simulated'] as const;

/** Some hundred certificates. */
const MAX_CERTIFICATES_LENGTH = 262_144;

/** Whether they are certificates is judged by `compile`, whose caller can read them. Messages do not quote them: a key may be among them. */
const tls = z.strictObject({
  caCertificates: [
    { rule: "self.contains('-----BEGIN CERTIFICATE-----')", message: 'must be certificates in PEM' },
    { rule: "!self.contains('PRIVATE KEY')", message: 'holds a private key: take it out, and make another, as resources are read by many' },
  ]
    .reduce((schema, rule) => withRule(schema, rule), z.string().min(1).max(MAX_CERTIFICATES_LENGTH))
    .describe('Who may have issued its certificate, in PEM, instead of the public authorities: a company’s own, for a model server of its own.'),
});

const timeouts = z.strictObject({
  connect: wait.prefault('5s').describe('Until the connection stands, TLS included.'),
  request: duration.prefault('0s').describe('Until the answer is complete; `0s` is no limit.'),
  idle: duration.prefault('5m').describe('Without a byte either way; `0s` is no limit.'),
});

const retries = z.strictObject({
  attempts: z.int().min(0).max(10).default(2).describe('Beyond the first one.'),
  baseInterval: wait.prefault('500ms').describe('Before the first retry; doubled for each that follows.'),
  maxInterval: wait.prefault('30s').describe('The longest wait between two attempts.'),
});

const connections = z.int().min(1).max(1_000_000);
const circuitBreaker = z.strictObject({
  maxConnections: connections.default(1024).describe('Connections of one sidecar.'),
  maxPendingRequests: connections.default(1024).describe('Calls that wait for a connection.'),
  maxRequests: connections.default(4096).describe('Calls at once.'),
});

const outlierDetection = z.strictObject({
  consecutive5xx: z.int().min(1).max(1000).default(10).describe('So many failures in a row put an address out of use.'),
  interval: wait.prefault('10s').describe('Between two looks at who may come back.'),
  baseEjectionTime: wait.prefault('10s').describe('How long an address is out of use, times how often it has been.'),
});

const allowedRoutes = z.strictObject({
  namespaces: judged(
    z.strictObject({
      from: z
        .enum(['Same', 'All', 'Selector'])
        .default('Same')
        .describe('Same: the provider’s own namespace. All: every one. Selector: those that `selector` selects.'),
      selector: labelSelector.optional().describe('By the labels of namespaces; `kubernetes.io/metadata.name` is the name. Only with `from: Selector`.'),
    }),
    'needs selector with from: Selector, and only then',
    "(has(self.from) && self.from == 'Selector') == has(self.selector)",
    ({ from, selector }) => (from === 'Selector') === (selector !== undefined),
  )
    .prefault({})
    .describe('Namespaces whose routes may use the provider.'),
});

/** What the type says about other fields. `compile` knows of each more, and says it of files. */
const byType = [
  { rule: "!has(self.apiVersion) || self.type == 'AzureOpenAI'", message: 'apiVersion is for type AzureOpenAI; others take none' },
  {
    rule: "has(self.baseUrl) || !(self.type in ['AzureOpenAI', 'OpenAICompatible'])",
    message: 'baseUrl is needed for types AzureOpenAI and OpenAICompatible, which have no default',
  },
  {
    rule: "!has(self.tls) || !has(self.baseUrl) || self.baseUrl.startsWith('https://')",
    message: 'spec.baseUrl must be https:// where spec.tls says whose certificate to believe',
  },
];

export const providerSpec = byType.reduce(
  (schema, rule) => withRule(schema, rule),
  z.strictObject({
    type: z.enum(PROVIDER_TYPES).describe('What kind of API it is, and which models it serves unless `models` says so.'),
    baseUrl: baseUrl.optional().describe('Root of its API, such as `https://api.openai.com/v1`. OpenAICompatible and AzureOpenAI have no default.'),
    apiVersion: z
      .string()
      .regex(/^[a-z0-9.-]{1,32}$/, 'must be a version such as "2024-10-21"')
      .meta({ maxLength: 32 })
      .optional()
      .describe('AzureOpenAI only: the `api-version` to name, with the deployment in the path. Absent: the v1 API, which needs none.'),
    auth: z
      .strictObject({ apiKey: keySource.describe('Exactly one of these.') })
      .optional()
      .describe('Where its key comes from. Absent: it takes none.'),
    tls: tls.optional().describe('How it proves who it is, beyond the name in `baseUrl`. Only with `https://`.'),
    models: z.array(providerModel).max(1000).optional().meta(byName).describe('The models that it serves. Absent: those of its type.'),
    unknownPrice: z.enum(['Refuse', 'CountTokens']).default('Refuse').describe('What becomes of calls to a model whose price is unknown.'),
    timeouts: timeouts.prefault({}).describe('How long calls may take.'),
    retries: retries.prefault({}).describe('Of attempts that cannot have been billed; exponential, honouring Retry-After.'),
    circuitBreaker: circuitBreaker.prefault({}).describe('What is beyond it is answered at once with an error.'),
    outlierDetection: outlierDetection.prefault({}).describe('Takes addresses of the provider that fail out of use for a while.'),
    allowedRoutes: allowedRoutes.prefault({}).describe('Whose routes may use it, and with it its key. In a cluster; files are all of one hand.'),
  }),
);
