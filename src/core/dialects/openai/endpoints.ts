import type { Endpoint, EndpointMatch } from '../types.ts';
import { stateMatch } from './state/paths.ts';

/** Longest model id in a path. */
const MAX_MODEL_SEGMENT_CHARS = 512;

const ENDPOINTS: ReadonlyMap<string, Endpoint> = new Map(
  (
    [
      { operation: 'chat', path: '/chat/completions', body: 'json' },
      { operation: 'text_completion', path: '/completions', body: 'json' },
      { operation: 'responses', path: '/responses', body: 'json' },
      { operation: 'count_tokens', path: '/responses/input_tokens', body: 'json' },
      { operation: 'embeddings', path: '/embeddings', body: 'json' },
      { operation: 'images', path: '/images/generations', body: 'json' },
      { operation: 'images', path: '/images/edits', body: 'multipart' },
      { operation: 'images', path: '/images/variations', body: 'multipart' },
      { operation: 'audio', path: '/audio/transcriptions', body: 'multipart' },
      { operation: 'audio', path: '/audio/translations', body: 'multipart' },
      { operation: 'audio', path: '/audio/speech', body: 'json' },
      { operation: 'moderations', path: '/moderations', body: 'json' },
      { operation: 'models', path: '/models', body: 'none' },
    ] satisfies Endpoint[]
  ).map((endpoint) => [endpoint.path, endpoint]),
);

/** First segments, or first two, under which the provider keeps things for whoever holds the key, and which are not let through (`state/paths.ts` has those that are). */
const STATEFUL: ReadonlyMap<string, string> = new Map([
  ['agents', 'agents'],
  ['assistants', 'assistants'],
  ['audio/voice_consents', 'voice consents'],
  ['audio/voices', 'custom voices'],
  ['batches', 'batches'],
  ['chatkit', 'ChatKit sessions and threads'],
  ['containers', 'containers'],
  ['conversations', 'conversations'],
  ['evals', 'evals'],
  ['files', 'files'],
  ['fine_tuning', 'fine-tuning jobs'],
  ['fine-tunes', 'fine-tuning jobs'],
  ['live', 'live sessions'],
  ['organization', "the organization's administration"],
  ['projects', "the organization's administration"],
  ['realtime', 'realtime sessions'],
  ['safety', 'safety cases and alerts'],
  ['skills', 'skills'],
  ['threads', 'threads'],
  ['uploads', 'uploads'],
  ['vector_stores', 'vector stores'],
  ['videos', 'videos'],
  ['webhook_endpoints', 'webhook endpoints'],
]);

/** Below `/responses/`, what names no stored response but another operation, which is not served here. */
const RESPONSES_OPERATIONS = new Set(['compact', 'input_tokens']);

/**
 * Finds what a request asks for. The root is taken with and without `/v1`: OpenAI's SDKs end their base URL in it, those
 * of some compatible providers do not. Paths match exactly; a percent-encoded or repeated slash leads nowhere.
 * Source: the paths in the `openai` package's resources.
 */
export function match(method: string, path: string): EndpointMatch {
  const end = path.search(/[?#]/);
  const whole = end === -1 ? path : path.slice(0, end);
  const below = whole.startsWith('/v1/') ? whole.slice('/v1'.length) : whole;
  const kept = stateMatch(method, below);
  if (kept !== undefined) return kept;
  const endpoint = ENDPOINTS.get(below) ?? modelItem(below);
  const what = statefulName(below, method);
  if (what !== undefined) return { kind: 'stateful', what };
  if (endpoint === undefined) return { kind: 'unknown' };
  const allow = endpoint.body === 'none' ? 'GET' : 'POST';
  return method === allow ? { kind: 'endpoint', endpoint } : { kind: 'method_not_allowed', allow };
}

function modelItem(below: string): Endpoint | undefined {
  const id = below.startsWith('/models/') ? below.slice('/models/'.length) : '';
  // Ids of compatible providers hold slashes (`organization/model`).
  return id === '' || id.length > MAX_MODEL_SEGMENT_CHARS ? undefined : { operation: 'models', path: below, body: 'none' };
}

function statefulName(below: string, method: string): string | undefined {
  const [, first = '', second = '', third] = below.split('/');
  if (first === 'responses' && second !== '' && !RESPONSES_OPERATIONS.has(second)) return 'stored responses';
  if (first === 'chat' && second === 'completions' && (third !== undefined || method === 'GET')) return 'stored chat completions';
  return STATEFUL.get(first) ?? STATEFUL.get(`${first}/${second}`);
}
