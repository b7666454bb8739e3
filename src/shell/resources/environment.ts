import { API_VERSION, parseResource } from '../../core/policy/index.ts';
import type { Resource } from '../../core/policy/index.ts';

/** What the environment declares, or the variable that is wrong and why. */
export type FromEnvironment =
  | { readonly kind: 'none' }
  | { readonly kind: 'resources'; readonly resources: readonly Resource[]; readonly variables: readonly string[] }
  | { readonly kind: 'error'; readonly variable: string; readonly message: string };

interface EnvironmentProvider {
  readonly name: string;
  readonly type: 'OpenAI' | 'Anthropic' | 'Gemini' | 'AzureOpenAI' | 'DeepSeek' | 'OpenAICompatible';
  readonly key: string;
  /** Variables that name its address; the first that is set counts. */
  readonly baseUrls: readonly string[];
  /** A relay, or a resource of one's own, has no well-known address. */
  readonly baseUrlNeeded: boolean;
  /** Names the version of its API, where it wants one. */
  readonly apiVersion?: string;
}

/** In the order of preference: who serves a model first hand comes before a relay. */
const PROVIDERS: readonly EnvironmentProvider[] = [
  { name: 'openai', type: 'OpenAI', key: 'OPENAI_API_KEY', baseUrls: ['OPENAI_BASE_URL'], baseUrlNeeded: false },
  { name: 'anthropic', type: 'Anthropic', key: 'ANTHROPIC_API_KEY', baseUrls: ['ANTHROPIC_BASE_URL'], baseUrlNeeded: false },
  { name: 'gemini', type: 'Gemini', key: 'GEMINI_API_KEY', baseUrls: ['GEMINI_BASE_URL'], baseUrlNeeded: false },
  {
    name: 'azure',
    type: 'AzureOpenAI',
    key: 'AZURE_OPENAI_API_KEY',
    baseUrls: ['AZURE_OPENAI_BASE_URL', 'AZURE_OPENAI_ENDPOINT'],
    baseUrlNeeded: true,
    apiVersion: 'AZURE_OPENAI_API_VERSION',
  },
  { name: 'deepseek', type: 'DeepSeek', key: 'DEEPSEEK_API_KEY', baseUrls: ['DEEPSEEK_BASE_URL'], baseUrlNeeded: false },
  { name: 'holysheep', type: 'OpenAICompatible', key: 'HOLYSHEEP_API_KEY', baseUrls: ['HOLYSHEEP_BASE_URL'], baseUrlNeeded: true },
];

const BUDGET = 'AIRMESH_BUDGET_USD';

/** A provider for each key in the environment, one route through all of them, and the lifetime budget where one is set. */
export function resourcesFromEnvironment(environment: Readonly<Record<string, string | undefined>>): FromEnvironment {
  const declared = PROVIDERS.filter(({ key }) => (environment[key] ?? '').trim() !== '');
  if (declared.length === 0) return { kind: 'none' };
  const documents: unknown[] = [];
  for (const provider of declared) {
    const valueOf = (variable: string | undefined): string | undefined => (variable === undefined ? undefined : environment[variable]?.trim() || undefined);
    const url = provider.baseUrls.map(valueOf).find((value) => value !== undefined);
    const apiVersion = valueOf(provider.apiVersion);
    if (url === undefined && provider.baseUrlNeeded) {
      const variable = provider.baseUrls.at(-1) ?? '';
      return { kind: 'error', variable, message: `is needed with ${provider.key}: this provider has no well-known address` };
    }
    documents.push({
      apiVersion: API_VERSION,
      kind: 'AIProvider',
      metadata: { name: provider.name },
      spec: {
        type: provider.type,
        auth: { apiKey: { env: provider.key } },
        ...(url === undefined ? {} : { baseUrl: url }),
        ...(apiVersion === undefined ? {} : { apiVersion }),
      },
    });
  }
  documents.push({
    apiVersion: API_VERSION,
    kind: 'AIRoute',
    metadata: { name: 'environment' },
    spec: { workloads: ['*'], rules: declared.map(({ name }) => ({ name, backends: [{ provider: name }] })) },
  });
  const budget = budgetOf(environment);
  if (budget !== undefined) documents.push(budget);
  const resources: Resource[] = [];
  for (const document of documents) {
    const parsed = parseResource(document);
    if (parsed.ok) {
      resources.push(parsed.value);
      continue;
    }
    const finding = parsed.error[0];
    const variable = (document as { kind: string }).kind === 'AIBudget' ? BUDGET : 'environment';
    return { kind: 'error', variable, message: finding === undefined ? 'cannot be read' : `${finding.message} (${finding.path})` };
  }
  return { kind: 'resources', resources, variables: declared.map(({ key }) => key) };
}

/** `AIRMESH_BUDGET_USD`, with or without keys. */
export function budgetOf(environment: Readonly<Record<string, string | undefined>>): unknown {
  const usd = environment[BUDGET]?.trim();
  if (usd === undefined || usd === '') return undefined;
  return { apiVersion: API_VERSION, kind: 'AIBudget', metadata: { name: 'environment' }, spec: { limit: { usd }, window: { lifetime: true }, mode: 'Strict' } };
}
