import { bearerOf, headerOf, isObject } from '../api.ts';
import type { Call, Failure, Keys } from '../api.ts';
import { azureError } from './errors.ts';

/** Deployments that there are: named as their models, which people often do. */
export const DEPLOYMENTS: ReadonlySet<string> = new Set([
  'gpt-4.1',
  'gpt-4.1-mini',
  'gpt-5',
  'o3',
  'text-embedding-3-small',
  'gpt-image-1',
  'whisper-1',
  'tts-1',
  'gpt-3.5-turbo-instruct',
]);

/** Source: Azure OpenAI, "API version lifecycle" and its earlier versions. */
const VERSIONS: ReadonlySet<string> = new Set([
  '2022-12-01',
  '2023-05-15',
  '2024-02-01',
  '2024-06-01',
  '2024-10-21',
  '2024-08-01-preview',
  '2024-09-01-preview',
  '2024-10-01-preview',
  '2024-12-01-preview',
  '2025-01-01-preview',
  '2025-02-01-preview',
  '2025-03-01-preview',
  '2025-04-01-preview',
]);

/** What the newer API, which has no dates, may be told. */
const NEWER_VERSIONS: ReadonlySet<string> = new Set(['v1', 'latest', 'preview']);

const isNewer = ({ path }: Pick<Call, 'path'>): boolean => path.startsWith('/openai/v1/');

/** The newer API takes its keys from OpenAI's own clients as well. Source: Azure OpenAI, "v1 API". */
export function wrongKey(call: Call, keys: Keys): Failure | undefined {
  if (keys === 'any') return undefined;
  const key = headerOf(call, 'api-key') ?? (isNewer(call) ? bearerOf(call) : undefined);
  if (keys.includes(key ?? '')) return undefined;
  return azureError(
    401,
    '401',
    'Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.',
  );
}

export function wrongVersion(call: Call): Failure | undefined {
  const version = call.query.get('api-version');
  if (!isNewer(call)) return version !== null && VERSIONS.has(version) ? undefined : azureError(404, '404', 'Resource not found');
  return version === null || NEWER_VERSIONS.has(version)
    ? undefined
    : azureError(400, 'BadRequest', 'api-version query parameter is not allowed when using /v1 path');
}

/** `model` is what a path or a body names; a body without one is refused by the operation itself. */
export function wrongDeployment(model: unknown): Failure | undefined {
  if (typeof model !== 'string' || DEPLOYMENTS.has(model)) return undefined;
  return azureError(
    404,
    'DeploymentNotFound',
    'The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again.',
  );
}

export const modelIn = (body: unknown): unknown => (isObject(body) ? body['model'] : undefined);
