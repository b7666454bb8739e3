import { SHIPPED_ALIASES, SHIPPED_MODELS } from '../catalog/index.ts';
import type { ModelInfo, Price, Vendor } from '../catalog/index.ts';
import type { Result } from '../units/index.ts';
import { parseBaseUrl } from './baseurl.ts';
import type { OwnAddress } from './baseurl.ts';
import type { Finding } from './findings.ts';
import type { AIProvider, KeySourceSpec } from './schema.ts';
import { labelsOf, matchesLabels } from './selection.ts';
import type { Boundaries } from './selection.ts';
import type { BackKind, ProviderPolicy, ProviderType, ProviderUrl } from './snapshot.ts';

/** Models beyond the shipped ones, with their prices, by who serves them first hand. */
export type KnownModels = Readonly<Record<Vendor, readonly ModelInfo[]>>;

export interface ProviderContext {
  readonly own: readonly OwnAddress[];
  readonly known: KnownModels;
  /** Where the simulated provider listens; absent: there is none. */
  readonly simulatedUrl: string | undefined;
  /** Absent: the resources are all of one hand, as in files. */
  readonly boundaries?: Boundaries | undefined;
  /** Certificates in PEM → the same as every reader understands them; or what is wrong with them, without quoting them. */
  readonly readCertificates: (pem: string) => Result<string, string>;
}

export interface CompiledProvider {
  readonly policy: ProviderPolicy;
  readonly key: { readonly source: KeySourceSpec; readonly type: ProviderType } | undefined;
}

const DEFAULT_URL: Readonly<Record<ProviderType, string | undefined>> = {
  OpenAI: 'https://api.openai.com/v1',
  Anthropic: 'https://api.anthropic.com/v1',
  Gemini: 'https://generativelanguage.googleapis.com/v1beta',
  AzureOpenAI: undefined,
  DeepSeek: 'https://api.deepseek.com/v1',
  OpenAICompatible: undefined,
  Simulated: undefined,
};

const VENDORS: Readonly<Record<ProviderType, readonly Vendor[]>> = {
  OpenAI: ['openai'],
  Anthropic: ['anthropic'],
  Gemini: ['google'],
  AzureOpenAI: ['openai'],
  DeepSeek: ['deepseek'],
  OpenAICompatible: ['openai', 'anthropic', 'google', 'deepseek'],
  Simulated: ['openai', 'anthropic', 'google', 'deepseek'],
};

const BACKS: Readonly<Record<ProviderType, BackKind>> = {
  OpenAI: 'openai',
  Anthropic: 'anthropic',
  Gemini: 'gemini',
  AzureOpenAI: 'azure',
  DeepSeek: 'deepseek',
  OpenAICompatible: 'compatible',
  Simulated: 'openai',
};

/** How the root of an API ends, where base URLs leave it out: SDKs differ in whether theirs hold the version. */
const ROOTS: Readonly<Partial<Record<ProviderType, { readonly suffix: string; readonly present: RegExp }>>> = {
  Anthropic: { suffix: '/v1', present: /\/v\d+$/ },
  Gemini: { suffix: '/v1beta', present: /\/v\d+(?:alpha|beta)?$/ },
  AzureOpenAI: { suffix: '/openai', present: /\/openai$/ },
};

/** The types whose models go by the vendor's own names there. */
const FIRST_HAND: ReadonlySet<ProviderType> = new Set(['OpenAI', 'Anthropic', 'Gemini', 'AzureOpenAI', 'DeepSeek']);

export const resourceId = ({ metadata }: { readonly metadata: { readonly namespace: string; readonly name: string } }): string =>
  `${metadata.namespace}/${metadata.name}`;

/** Whether resources of a namespace may name a provider: those of its own, and those that it allows. */
export function allows(provider: AIProvider, namespace: string, boundaries: Boundaries | undefined): boolean {
  if (boundaries === undefined || provider.metadata.namespace === namespace) return true;
  const { from, selector } = provider.spec.allowedRoutes.namespaces;
  if (from === 'Selector') return selector !== undefined && matchesLabels(selector, labelsOf(namespace, boundaries));
  return from === 'All';
}

/** One AIProvider → its policy. `undefined` where it cannot be used; the findings say why. */
export function compileProvider(provider: AIProvider, context: ProviderContext, report: (finding: Finding) => void): CompiledProvider | undefined {
  const { spec } = provider;
  const resource = `AIProvider ${resourceId(provider)}`;
  const fault = (path: string, message: string): void => report({ severity: 'error', resource, path, message });
  const url = spec.baseUrl ?? (spec.type === 'Simulated' ? context.simulatedUrl : DEFAULT_URL[spec.type]);
  if (url === undefined) {
    fault('spec.baseUrl', spec.type === 'Simulated' ? 'is needed: no simulated provider runs here' : `is needed for type ${spec.type}`);
    return undefined;
  }
  const baseUrl = parseBaseUrl(url, context.own);
  if (!baseUrl.ok) {
    fault('spec.baseUrl', baseUrl.error);
    return undefined;
  }
  if (context.boundaries !== undefined && spec.auth !== undefined && spec.auth.apiKey.secretRef === undefined) {
    fault('spec.auth.apiKey', 'must be a secretRef in a cluster: no key stands in a resource, and sidecars have no environment or files of their own for it');
    return undefined;
  }
  const { tls } = spec;
  if (tls !== undefined && !baseUrl.value.tls) {
    fault('spec.baseUrl', 'must be https:// where spec.tls says whose certificate to believe');
    return undefined;
  }
  const caCertificates = tls === undefined ? undefined : context.readCertificates(tls.caCertificates);
  if (caCertificates?.ok === false) {
    fault('spec.tls.caCertificates', caCertificates.error);
    return undefined;
  }
  if (spec.apiVersion !== undefined && spec.type !== 'AzureOpenAI') fault('spec.apiVersion', `is for type AzureOpenAI; ${spec.type} takes none`);
  const models = modelsOf(provider, context.known, fault);
  const { timeouts, retries, outlierDetection } = spec;
  const policy: ProviderPolicy = {
    id: resourceId(provider),
    type: spec.type,
    back: BACKS[spec.type],
    apiVersion: spec.apiVersion,
    baseUrl: withRoot(baseUrl.value, spec.type),
    caCertificates: caCertificates?.value,
    key: spec.auth === undefined ? undefined : resourceId(provider),
    models,
    unknownPrice: spec.unknownPrice,
    timeouts: { connectMs: timeouts.connect, requestMs: timeouts.request, idleMs: timeouts.idle },
    retries: { attempts: retries.attempts, baseIntervalMs: retries.baseInterval, maxIntervalMs: Math.max(retries.baseInterval, retries.maxInterval) },
    circuitBreaker: spec.circuitBreaker,
    outlierDetection: {
      consecutive5xx: outlierDetection.consecutive5xx,
      intervalMs: outlierDetection.interval,
      baseEjectionTimeMs: outlierDetection.baseEjectionTime,
    },
  };
  return { policy, key: spec.auth === undefined ? undefined : { source: spec.auth.apiKey, type: spec.type } };
}

function withRoot(url: ProviderUrl, type: ProviderType): ProviderUrl {
  const root = ROOTS[type];
  // Azure's newer API is named with its version by some, and without by others.
  const basePath = type === 'AzureOpenAI' ? url.basePath.replace(/\/openai\/v1$/, '/openai') : url.basePath;
  return root === undefined || root.present.test(basePath) ? { ...url, basePath } : { ...url, basePath: `${basePath}${root.suffix}` };
}

/** What `models` lists, completed by what is known of those names; else all that a provider of this type serves. */
function modelsOf(provider: AIProvider, known: KnownModels, fault: (path: string, message: string) => void): ReadonlyMap<string, ModelInfo> {
  const { spec } = provider;
  const firstHand = FIRST_HAND.has(spec.type);
  const catalogue = new Map<string, ModelInfo>();
  for (const vendor of VENDORS[spec.type]) {
    // An alias of the catalogue's stands for its model, although the vendor may still have one of that name.
    for (const model of known[vendor]) if (!SHIPPED_ALIASES.has(model.name.toLowerCase())) catalogue.set(model.name.toLowerCase(), model);
  }
  for (const shipped of SHIPPED_MODELS) {
    if (!VENDORS[spec.type].includes(shipped.vendor)) continue;
    const { vendor: _vendor, providerModel, ...model } = shipped;
    // Relays go by the catalogue's names; only the vendor itself has its own.
    catalogue.set(shipped.name.toLowerCase(), firstHand && providerModel !== undefined ? { ...model, providerModel } : model);
  }
  if (spec.models === undefined) return catalogue;
  const listed = new Map<string, ModelInfo>();
  spec.models.forEach((entry, index) => {
    const key = entry.name.toLowerCase();
    if (listed.has(key)) return fault(`spec.models[${index}].name`, `${entry.name} is listed twice`);
    const base = catalogue.get(key);
    const { price, ...limits } = entry;
    listed.set(key, {
      ...base,
      ...withoutUndefined(limits),
      name: base?.name ?? entry.name,
      price: price === undefined ? base?.price : priceOf(price, resourceId(provider)),
    });
  });
  return listed;
}

type ListedPrice = NonNullable<NonNullable<AIProvider['spec']['models']>[number]['price']>;

function priceOf(price: ListedPrice, id: string): Price {
  const optional = withoutUndefined({
    cachedInput: price.cachedInputPerMillion,
    cacheWrite: price.cacheWritePerMillion,
    inputAudio: price.inputAudioPerMillion,
    outputAudio: price.outputAudioPerMillion,
    inputImage: price.inputImagePerMillion,
    outputImage: price.outputImagePerMillion,
    perRequest: price.perRequest,
  });
  return { input: price.inputPerMillion, output: price.outputPerMillion, ...optional, source: `AIProvider ${id}` };
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

function withoutUndefined<T extends object>(fields: T): Defined<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Defined<T>;
}
