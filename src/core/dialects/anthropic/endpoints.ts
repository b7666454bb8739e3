import type { Endpoint, EndpointMatch } from '../types.ts';
import { stateMatch } from './state/paths.ts';

/** Longest model id in a path. */
const MAX_MODEL_SEGMENT_CHARS = 512;

const ENDPOINTS: ReadonlyMap<string, Endpoint> = new Map(
  (
    [
      { operation: 'chat', path: '/messages', body: 'json' },
      { operation: 'count_tokens', path: '/messages/count_tokens', body: 'json' },
      { operation: 'models', path: '/models', body: 'none' },
    ] satisfies Endpoint[]
  ).map((endpoint) => [endpoint.path, endpoint]),
);

/** First segments, or first two, under which Anthropic keeps things for whoever holds the key, and which are not let through (`state/paths.ts` has those that are). */
const STATEFUL: ReadonlyMap<string, string> = new Map([
  ['agents', 'agents'],
  ['deployment_runs', 'deployment runs'],
  ['deployments', 'deployments'],
  ['dreams', 'dreams'],
  ['environments', 'environments'],
  ['files', 'files'],
  ['memory_stores', 'memory stores'],
  ['messages/batches', 'message batches'],
  ['organizations', "the organization's administration"],
  ['sessions', 'sessions'],
  ['skills', 'skills'],
  ['tunnels', 'tunnels'],
  ['user_profiles', 'user profiles'],
  ['vaults', 'vaults'],
]);

/**
 * Finds what a request asks for. The root is taken with and without `/v1`: Anthropic's SDKs write it into each path,
 * others end their base URL in it. Paths match exactly; a percent-encoded or repeated slash leads nowhere.
 * Source: the paths in the resources of `@anthropic-ai/sdk`.
 */
export function match(method: string, path: string): EndpointMatch {
  const end = path.search(/[?#]/);
  const whole = end === -1 ? path : path.slice(0, end);
  const below = whole.startsWith('/v1/') ? whole.slice('/v1'.length) : whole;
  const kept = stateMatch(method, below);
  if (kept !== undefined) return kept;
  const [, first = '', second = ''] = below.split('/', 3);
  const what = STATEFUL.get(first) ?? STATEFUL.get(`${first}/${second}`);
  if (what !== undefined) return { kind: 'stateful', what };
  const endpoint = ENDPOINTS.get(below) ?? modelItem(below);
  if (endpoint === undefined) return { kind: 'unknown' };
  const allow = endpoint.body === 'none' ? 'GET' : 'POST';
  return method === allow ? { kind: 'endpoint', endpoint } : { kind: 'method_not_allowed', allow };
}

function modelItem(below: string): Endpoint | undefined {
  const id = below.startsWith('/models/') ? below.slice('/models/'.length) : '';
  return id === '' || id.length > MAX_MODEL_SEGMENT_CHARS ? undefined : { operation: 'models', path: below, body: 'none' };
}
