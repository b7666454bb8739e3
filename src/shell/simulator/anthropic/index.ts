import { bearerOf, headerOf, jsonOf } from '../api.ts';
import type { Call, Exchange, Failure, Keys, SimulatedApi } from '../api.ts';
import { refuse } from '../deliver.ts';
import { countTokens, messages } from './chat.ts';
import { failure } from './errors.ts';
import { MODELS } from './models.ts';

/** Source: Claude API docs, "Versions". */
const VERSIONS = ['2023-01-01', '2023-06-01', '2026-10-21'];

/** Anthropic's API: its paths, and the lists of models and files for who names a version. */
export const anthropic: SimulatedApi = {
  name: 'anthropic',
  speaks: (call) =>
    /^\/v1\/messages(?:\/|$)/.test(call.path) || (/^\/v1\/(?:models|files)(?:\/|$)/.test(call.path) && headerOf(call, 'anthropic-version') !== undefined),
  headers: (requestId) => ({ 'request-id': requestId, 'anthropic-organization-id': '00000000-0000-4000-8000-000000000000' }),
  keyFault,
  failure,
  serve,
};

/** A key comes in either header; `x-api-key` counts where there are both. Source: Claude API docs, "Authentication". */
function keyFault(call: Call, keys: Keys, requestId: string): Failure | undefined {
  const version = headerOf(call, 'anthropic-version');
  if (version === undefined) return failure(400, 'anthropic-version: header is required', requestId);
  if (!VERSIONS.includes(version)) return failure(400, `anthropic-version: "${version.slice(0, 40)}" is not a valid version`, requestId);
  if (keys === 'any') return undefined;
  const key = headerOf(call, 'x-api-key');
  if (key !== undefined) return keys.includes(key) ? undefined : failure(401, 'invalid x-api-key', requestId);
  const bearer = bearerOf(call);
  if (bearer !== undefined) return keys.includes(bearer) ? undefined : failure(401, 'Invalid bearer token', requestId);
  return failure(401, 'x-api-key header is required', requestId);
}

async function serve(call: Call, exchange: Exchange): Promise<void> {
  const { requestId } = exchange.answer;
  if (call.path === '/v1/models')
    return exchange.answer.json(200, { data: MODELS.map(modelObject), has_more: false, first_id: MODELS[0], last_id: MODELS.at(-1) });
  if (call.path.startsWith('/v1/models/')) {
    const id = decodeURIComponent(call.path.slice('/v1/models/'.length));
    return MODELS.includes(id) ? exchange.answer.json(200, modelObject(id)) : refuse(exchange, failure(404, `model: ${id.slice(0, 100)}`, requestId));
  }
  if (call.method !== 'POST') return refuse(exchange, failure(405, 'Method Not Allowed', requestId));
  if (call.path === '/v1/messages') return messages(jsonOf(call), exchange, headerOf(call, 'anthropic-version') ?? '');
  if (call.path === '/v1/messages/count_tokens') return countTokens(jsonOf(call), exchange, headerOf(call, 'anthropic-version') ?? '');
  refuse(exchange, failure(404, 'Not found', requestId));
}

const modelObject = (id: string): object => ({ type: 'model', id, display_name: id, created_at: '2025-09-29T00:00:00Z' });
