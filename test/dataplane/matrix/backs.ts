/** The kinds of providers, each at a simulated one of its own that speaks its API. */
export interface MatrixBack {
  readonly name: string;
  /** What callers call the model. */
  readonly model: string;
  /** What the provider calls it, and says that it served. */
  readonly served: string;
  /** `AIProvider` spec but for the key. */
  readonly spec: (url: string) => string;
}

/** The catalogue's price, under a name that no other provider here has. */
const GPT = (name: string): string => `models: [{name: ${name}, providerModel: gpt-4.1, price: {inputPerMillion: 2, cachedInputPerMillion: 0.5, outputPerMillion: 8}, maxOutputTokens: 32768, maxImageTokens: 2048}]`;

export const BACKS: readonly MatrixBack[] = [
  { name: 'openai', model: 'gpt-4.1', served: 'gpt-4.1', spec: (url) => `type: OpenAI, baseUrl: "${url}/v1", models: [{name: gpt-4.1}]` },
  { name: 'anthropic', model: 'claude-sonnet-4.5', served: 'claude-sonnet-4-5', spec: (url) => `type: Anthropic, baseUrl: "${url}", models: [{name: claude-sonnet-4.5}]` },
  { name: 'gemini', model: 'gemini-2.5-flash', served: 'gemini-2.5-flash', spec: (url) => `type: Gemini, baseUrl: "${url}", models: [{name: gemini-2.5-flash}]` },
  { name: 'azure', model: 'house-gpt', served: 'gpt-4.1', spec: (url) => `type: AzureOpenAI, baseUrl: "${url}", apiVersion: "2024-10-21", ${GPT('house-gpt')}` },
  { name: 'deepseek', model: 'deepseek-v3.2', served: 'deepseek-chat', spec: (url) => `type: DeepSeek, baseUrl: "${url}", models: [{name: deepseek-v3.2}]` },
  { name: 'compatible', model: 'relay-gpt', served: 'gpt-4.1', spec: (url) => `type: OpenAICompatible, baseUrl: "${url}/v1", ${GPT('relay-gpt')}` },
];

export const PROVIDER_KEY = 'sk-planted0123456789abcdefABCDEFGHIJ';

/** One provider and one rule for each back. */
export function resourcesOf(urls: ReadonlyMap<string, string>): string {
  const documents = BACKS.map(
    ({ name, spec }) => `
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: ${name}}
spec: {${spec(urls.get(name) ?? '')}, auth: {apiKey: {env: MATRIX_KEY}}, retries: {attempts: 0}}`,
  );
  const rules = BACKS.map(({ name, model }) => `  - {name: ${name}, match: {models: [${model}]}, backends: [{provider: ${name}}]}`);
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
