/** The kinds of providers, each at a simulated one of its own that speaks its API. */
export interface MatrixBack {
  readonly name: string;
  /** What callers call the model. */
  readonly model: string;
  /** What the provider calls it, and says that it served. */
  readonly served: string;
  /** Subjects of cases that it cannot do. */
  readonly lacks: readonly string[];
  /** `AIProvider` spec but for the key. */
  readonly spec: (url: string) => string;
}

/** The catalogue's price, under a name that no other provider here has. */
const GPT = (name: string): string =>
  `models: [{name: ${name}, providerModel: gpt-4.1, price: {inputPerMillion: 2, cachedInputPerMillion: 0.5, outputPerMillion: 8}, maxOutputTokens: 32768, maxImageTokens: 2048}]`;

export const BACKS: readonly MatrixBack[] = [
  { name: 'openai', model: 'gpt-4.1', served: 'gpt-4.1', lacks: [], spec: (url) => `type: OpenAI, baseUrl: "${url}/v1", models: [{name: gpt-4.1}]` },
  {
    name: 'anthropic',
    model: 'claude-sonnet-4.5',
    served: 'claude-sonnet-4-5',
    lacks: [],
    spec: (url) => `type: Anthropic, baseUrl: "${url}", models: [{name: claude-sonnet-4.5}]`,
  },
  {
    name: 'gemini',
    model: 'gemini-2.5-flash',
    served: 'gemini-2.5-flash',
    lacks: [],
    spec: (url) => `type: Gemini, baseUrl: "${url}", models: [{name: gemini-2.5-flash}]`,
  },
  {
    name: 'azure',
    model: 'house-gpt',
    served: 'gpt-4.1',
    lacks: [],
    spec: (url) => `type: AzureOpenAI, baseUrl: "${url}", apiVersion: "2024-10-21", ${GPT('house-gpt')}`,
  },
  {
    name: 'deepseek',
    model: 'deepseek-v3.2',
    served: 'deepseek-chat',
    lacks: ['image', 'structured'],
    spec: (url) => `type: DeepSeek, baseUrl: "${url}", models: [{name: deepseek-v3.2}]`,
  },
  { name: 'compatible', model: 'relay-gpt', served: 'gpt-4.1', lacks: [], spec: (url) => `type: OpenAICompatible, baseUrl: "${url}/v1", ${GPT('relay-gpt')}` },
];

/** Each provider's key has its own shape. */
export const KEYS: Readonly<Record<string, string>> = {
  openai: 'sk-planted0123456789abcdefABCDEFGHIJ',
  anthropic: 'sk-ant-api03-planted0123456789abcdefABCDEFGHIJ',
  gemini: 'AIzaSyPlanted0123456789abcdefABCDEFGHIJ',
  azure: 'planted0123456789abcdef0123456789ab',
  deepseek: 'sk-planted0123456789abcdef012345678',
  compatible: 'hs_planted0123456789abcdefABCDEF',
};

const variableOf = (name: string): string => `MATRIX_${name.toUpperCase()}_KEY`;

export const ENVIRONMENT: Readonly<Record<string, string>> = Object.fromEntries(Object.entries(KEYS).map(([name, key]) => [variableOf(name), key]));

/** A model besides a back's own. */
export interface MoreModel {
  readonly back: string;
  readonly model: string;
  readonly price: string;
}

/** One provider and one rule for each back. */
export function resourcesOf(urls: ReadonlyMap<string, string>, more: readonly MoreModel[] = []): string {
  const moreAt = (name: string): readonly MoreModel[] => more.filter(({ back }) => back === name);
  const documents = BACKS.map(
    ({ name, spec }) => `
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: ${name}}
spec: {${spec(urls.get(name) ?? '').replace(
      'models: [',
      `models: [${moreAt(name)
        .map(({ model, price }) => `{name: ${model}, price: ${price}}, `)
        .join('')}`,
    )}, auth: {apiKey: {env: ${variableOf(name)}}}, retries: {attempts: 0}}`,
  );
  const rules = BACKS.map(
    ({ name, model }) =>
      `  - {name: ${name}, match: {models: [${[model, ...moreAt(name).map((one) => one.model)].join(', ')}]}, backends: [{provider: ${name}}]}`,
  );
  const route = `
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: all}
spec:
  workloads: ['*']
  rules:
${rules.join('\n')}`;
  const budget = `
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: daily}
spec: {limit: {usd: "25"}, window: {calendar: Day}, per: [Workload]}`;
  return [...documents, route, budget].join('\n---');
}
