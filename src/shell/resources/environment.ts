import { API_VERSION, parseResource } from '../../core/policy/index.ts';
import type { Resource } from '../../core/policy/index.ts';

/** What the environment declares, or the variable that is wrong and why. */
export type FromEnvironment =
  | { readonly kind: 'none' }
  | { readonly kind: 'resources'; readonly resources: readonly Resource[]; readonly variables: readonly string[] }
  | { readonly kind: 'error'; readonly variable: string; readonly message: string };

interface EnvironmentProvider {
  readonly name: string;
  readonly type: 'OpenAI' | 'DeepSeek' | 'OpenAICompatible';
  readonly key: string;
  readonly baseUrl: string;
  /** A relay has no well-known address. */
  readonly baseUrlNeeded: boolean;
}

/** In the order of preference: who serves a model first hand comes before a relay. */
const PROVIDERS: readonly EnvironmentProvider[] = [
  { name: 'openai', type: 'OpenAI', key: 'OPENAI_API_KEY', baseUrl: 'OPENAI_BASE_URL', baseUrlNeeded: false },
  { name: 'deepseek', type: 'DeepSeek', key: 'DEEPSEEK_API_KEY', baseUrl: 'DEEPSEEK_BASE_URL', baseUrlNeeded: false },
  { name: 'holysheep', type: 'OpenAICompatible', key: 'HOLYSHEEP_API_KEY', baseUrl: 'HOLYSHEEP_BASE_URL', baseUrlNeeded: true },
];

const BUDGET = 'AIRMESH_BUDGET_USD';

/** A provider for each key in the environment, one route through all of them, and the lifetime budget where one is set. */
export function resourcesFromEnvironment(environment: Readonly<Record<string, string | undefined>>): FromEnvironment {
  const declared = PROVIDERS.filter(({ key }) => (environment[key] ?? '').trim() !== '');
  if (declared.length === 0) return { kind: 'none' };
  const documents: unknown[] = [];
  for (const provider of declared) {
    const url = environment[provider.baseUrl]?.trim();
    if ((url === undefined || url === '') && provider.baseUrlNeeded) {
      return { kind: 'error', variable: provider.baseUrl, message: `is needed with ${provider.key}: a relay has no well-known address` };
    }
    documents.push({
      apiVersion: API_VERSION,
      kind: 'AIProvider',
      metadata: { name: provider.name },
      spec: { type: provider.type, auth: { apiKey: { env: provider.key } }, ...(url === undefined || url === '' ? {} : { baseUrl: url }) },
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
