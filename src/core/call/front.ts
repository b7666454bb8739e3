import { anthropic, frontOf } from '../dialects/index.ts';
import type { Dialect } from '../dialects/index.ts';
import { JsonEditor, encodeJson, parseJson } from '../json/index.ts';
import type { WorkloadSnapshot } from '../policy/index.ts';
import type { IncomingRequest } from './request.ts';

/** A request as if it had been sent to the mesh's own API. */
export interface Front {
  readonly dialect: Dialect;
  readonly request: IncomingRequest;
}

/**
 * How the caller speaks, from the host and the path that it calls. An intercepted call was written for a host of its own,
 * whose API may have another root; whoever calls the mesh by a base URL names no such host.
 */
export function frontOfCall(request: IncomingRequest, snapshot: WorkloadSnapshot | undefined): Front {
  const host = hostName(request.host ?? '');
  const place = placeAt(host, request.path, snapshot);
  const dialect = frontOf(place.path, request.headers, host === 'api.anthropic.com' ? anthropic : undefined);
  const body = place.deployment === undefined ? request.body : withModel(request.body, place.deployment);
  return { dialect, request: { ...request, path: place.path, body } };
}

interface Place {
  /** With its query, below the root that the dialect knows. */
  readonly path: string;
  /** Azure's way to name a model. */
  readonly deployment?: string;
}

/** Hosts whose APIs have roots besides the one that the dialect knows, and what those begin with. */
const ROOTS: ReadonlyMap<string, RegExp> = new Map([
  // "FIM Completion" below /beta, and Anthropic's API below /anthropic. Source: DeepSeek API docs, "Your First API Call".
  ['api.deepseek.com', /^\/(?:beta|anthropic)(?=\/)/],
  // OpenAI's API at Google. Source: Gemini API docs, "OpenAI compatibility".
  ['generativelanguage.googleapis.com', /^\/v1beta\/openai(?=\/)/],
]);

/** Source: Azure OpenAI REST API reference: where endpoints of a resource are. */
const AZURE_HOST = /\.(?:openai|cognitiveservices|services\.ai)\.azure\.com$/;
const AZURE_PATH = /^\/openai(?:\/v1)?(?:\/deployments\/([^/?#]+))?(\/[^?#]*)(\?[^#]*)?$/;

function placeAt(host: string, path: string, snapshot: WorkloadSnapshot | undefined): Place {
  if (AZURE_HOST.test(host)) return azurePlace(path);
  const root = ROOTS.get(host)?.exec(path)?.[0] ?? rootOfProvider(host, path, snapshot);
  return { path: path.slice(root.length) };
}

/** The version of an API is its own affair; `api-version` is Azure's, and of no use elsewhere. */
function azurePlace(path: string): Place {
  const [whole, deployment, below = '', query = ''] = AZURE_PATH.exec(path) ?? [];
  if (whole === undefined) return { path };
  const rest = query
    .slice(1)
    .split('&')
    .filter((parameter) => parameter !== '' && !parameter.startsWith('api-version='));
  const place = { path: `/v1${below}${rest.length === 0 ? '' : `?${rest.join('&')}`}` };
  return deployment === undefined ? place : { ...place, deployment: decoded(deployment) };
}

/** Relays have their API below a path of their own, which is part of the base URL that their users write. */
function rootOfProvider(host: string, path: string, snapshot: WorkloadSnapshot | undefined): string {
  const roots = [...(snapshot?.providers.values() ?? [])]
    .filter(({ baseUrl }) => baseUrl.host === host)
    .map(({ baseUrl }) => baseUrl.basePath.replace(VERSION, ''))
    .filter((root) => path.startsWith(`${root}/`));
  return roots.toSorted((a, b) => b.length - a.length)[0] ?? '';
}

const VERSION = /\/v\d+(?:alpha|beta)?$/;

/** The deployment is what Azure goes by, whatever model the body names, or none. */
function withModel(body: Uint8Array | undefined, model: string): Uint8Array | undefined {
  if (body === undefined) return undefined;
  const parsed = parseJson(body);
  // What is no JSON object is refused where it is read.
  if (!parsed.ok || parsed.value.kind(parsed.value.root) !== 'object') return body;
  const members = parsed.value.members(parsed.value.root);
  if (!members.ok) return body;
  const editor = new JsonEditor(parsed.value);
  editor.editObject(parsed.value.root, members.value, { set: new Map([['model', encodeJson(model)]]), remove: new Set() });
  return editor.finish();
}

/** Without a port and a dot at the end, in lower case. */
function hostName(authority: string): string {
  return authority.toLowerCase().replace(/:\d+$/, '').replace(/\.$/, '');
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
