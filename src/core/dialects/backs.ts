import { anthropic } from './anthropic/index.ts';
import { cleanQuery, gemini, pathAt, stateQuery } from './gemini/index.ts';
import { openai } from './openai/index.ts';
import type { StateKind } from './state.ts';
import type { Dialect, Endpoint, Operation, ProviderAuth } from './types.ts';

/** Kinds of providers: a dialect, and what is their own in it. */
export type BackName = 'openai' | 'azure' | 'deepseek' | 'compatible' | 'anthropic' | 'gemini';

/** Where and how a kind of provider takes its dialect's requests. */
export interface Back {
  readonly dialect: Dialect;
  /** Served as they come, in the dialect's own paths. What is missing is translated to what is there, or refused. */
  readonly operations: ReadonlySet<Operation>;
  readonly takesImages: boolean;
  /** What it keeps and deals with as its dialect's API does. */
  readonly keeps: ReadonlySet<StateKind>;
  /** The one field that is known to cap an answer's tokens there, whatever field the caller used. */
  readonly capField?: string;
  auth(key: string): ProviderAuth;
  /** Path and query, below the root, of the list of models, which any accepted key may read. */
  modelsPath(apiVersion: string | undefined): string;
  /** Path and query below the root. `query` is the caller's with its `?`, or empty. */
  path(place: PlaceAtBack): string;
}

export interface PlaceAtBack {
  readonly endpoint: Endpoint;
  /** The provider's own name of the model. */
  readonly model: string;
  readonly query: string;
  /** The provider's version of its API, where it wants one named. */
  readonly apiVersion: string | undefined;
}

const MODELS = '/models';
const models = (): string => MODELS;
const asWritten = ({ endpoint, query }: PlaceAtBack): string => `${endpoint.path}${query}`;

const NOTHING: ReadonlySet<StateKind> = new Set();
const OPENAI_KEEPS: ReadonlySet<StateKind> = new Set<StateKind>(['file', 'batch', 'response']);

const versionQuery = (apiVersion: string): string => `?api-version=${encodeURIComponent(apiVersion)}`;

const BACKS: Readonly<Record<BackName, Back>> = {
  openai: {
    dialect: openai,
    takesImages: true,
    operations: new Set<Operation>(['chat', 'text_completion', 'responses', 'embeddings', 'images', 'audio', 'moderations', 'count_tokens']),
    keeps: OPENAI_KEEPS,
    auth: openai.auth,
    modelsPath: models,
    path: asWritten,
  },
  /** Relays, vLLM, Ollama. Responses are passed on as they come: those that lack them say so. */
  compatible: {
    dialect: openai,
    takesImages: true,
    operations: new Set<Operation>(['chat', 'text_completion', 'responses', 'embeddings', 'images', 'audio', 'moderations']),
    capField: 'max_tokens',
    keeps: NOTHING,
    auth: openai.auth,
    modelsPath: models,
    path: asWritten,
  },
  /** Source: DeepSeek API docs, "Create Chat Completion" and "Create FIM Completion". */
  deepseek: {
    dialect: openai,
    takesImages: false,
    operations: new Set<Operation>(['chat', 'text_completion']),
    capField: 'max_tokens',
    keeps: NOTHING,
    auth: openai.auth,
    modelsPath: models,
    path: asWritten,
  },
  /**
   * With a version named, the deployment stands in the path; without one it is the newer API, which takes it as the model.
   * Source: Azure OpenAI REST API reference; "Azure OpenAI in Azure AI Foundry Models API lifecycle".
   */
  azure: {
    dialect: openai,
    takesImages: true,
    operations: new Set<Operation>(['chat', 'text_completion', 'responses', 'embeddings', 'images', 'audio']),
    keeps: OPENAI_KEEPS,
    auth: (key) => ({ ...openai.auth(''), set: key === '' ? [] : [['api-key', key]] }),
    modelsPath: (apiVersion) => (apiVersion === undefined ? `/v1${MODELS}` : `${MODELS}${versionQuery(apiVersion)}`),
    path: ({ endpoint, model, query, apiVersion }) =>
      endpoint.state !== undefined
        ? azureStatePath(endpoint.path, query, apiVersion)
        : apiVersion === undefined
          ? `/v1${endpoint.path}`
          : `${endpoint.path === '/responses' ? '' : `/deployments/${encodeURIComponent(model)}`}${endpoint.path}${versionQuery(apiVersion)}`,
  },
  anthropic: {
    dialect: anthropic,
    takesImages: true,
    operations: new Set<Operation>(['chat', 'count_tokens']),
    keeps: new Set<StateKind>(['file', 'batch']),
    auth: anthropic.auth,
    modelsPath: models,
    path: asWritten,
  },
  gemini: {
    dialect: gemini,
    takesImages: true,
    operations: new Set<Operation>(['chat', 'embeddings', 'count_tokens']),
    keeps: new Set<StateKind>(['batch', 'cached_content']),
    auth: gemini.auth,
    modelsPath: models,
    path: ({ endpoint, model, query }) => {
      const path = pathAt(endpoint, model);
      if (endpoint.state !== undefined) return `${path}${stateQuery(query)}`;
      const rest = cleanQuery(query);
      return path.includes('?') ? `${path}${rest.replace(/^\?/, '&').replace(/&alt=sse(?=&|$)/, '')}` : `${path}${rest}`;
    },
  },
};

/** What is kept belongs to no deployment. The caller's query says which page of a list it wants. */
function azureStatePath(path: string, query: string, apiVersion: string | undefined): string {
  const rest = query
    .replace(/^\?/, '')
    .split('&')
    .filter((parameter) => parameter !== '' && !parameter.startsWith('api-version='));
  const parameters = [...(apiVersion === undefined ? [] : [`api-version=${encodeURIComponent(apiVersion)}`]), ...rest];
  return `${apiVersion === undefined ? '/v1' : ''}${path}${parameters.length === 0 ? '' : `?${parameters.join('&')}`}`;
}

export function backOf(name: BackName): Back {
  return BACKS[name];
}
