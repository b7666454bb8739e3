import { headerOf, isObject, jsonOf } from '../api.ts';
import type { Call, Exchange, Failure, Keys, SimulatedApi } from '../api.ts';
import { refuse } from '../deliver.ts';
import { chat, OPENAI_STYLE } from '../openai/chat.ts';
import type { ChatStyle } from '../openai/chat.ts';
import { failure } from '../openai/errors.ts';
import { post } from '../openai/index.ts';

/** Deployments that there are: named as their models, which people often do. */
const DEPLOYMENTS = new Set(['gpt-4.1', 'gpt-4.1-mini', 'gpt-5', 'o3', 'text-embedding-3-small']);

const VERSION = /^\d{4}-\d{2}-\d{2}(?:-preview)?$/;

/** Azure OpenAI: deployments, versions in the query, a key header of its own. Source: Azure OpenAI REST API reference. */
export const azure: SimulatedApi = {
  name: 'azure',
  speaks: ({ path }) => path.startsWith('/openai/'),
  headers: (requestId) => ({ 'apim-request-id': requestId, 'x-ms-region': 'Sweden Central' }),
  keyFault,
  failure: (status, message) => failure(status, message),
  serve,
};

const azureError = (status: number, code: string, message: string): Failure => ({ status, body: { error: { code, message } } });

function keyFault(call: Call, keys: Keys): Failure | undefined {
  if (keys === 'any' || keys.includes(headerOf(call, 'api-key') ?? '')) return undefined;
  return azureError(401, '401', 'Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.');
}

async function serve(call: Call, exchange: Exchange): Promise<void> {
  const newer = /^\/openai\/v1(\/.*)$/.exec(call.path)?.[1];
  if (newer !== undefined) return operation(call, newer, exchange);
  const version = call.query.get('api-version');
  if (version === null || !VERSION.test(version)) return refuse(exchange, azureError(404, '404', 'Resource not found'));
  const below = call.path.slice('/openai'.length);
  const [, deployment, rest] = /^\/deployments\/([^/]+)(\/.*)$/.exec(below) ?? [];
  if (deployment === undefined || rest === undefined) return operation(call, below, exchange);
  const model = decodeURIComponent(deployment);
  if (!DEPLOYMENTS.has(model)) return refuse(exchange, azureError(404, 'DeploymentNotFound', 'The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again.'));
  await operation(withModel(call, model), rest, exchange);
}

async function operation(call: Call, below: string, exchange: Exchange): Promise<void> {
  if (below === '/models') return exchange.answer.json(200, { object: 'list', data: [...DEPLOYMENTS].map((id) => ({ id, object: 'model', status: 'succeeded' })) });
  if (below === '/chat/completions' && call.method === 'POST') return chat(jsonOf(call), exchange, STYLE);
  await post(call, below, exchange);
}

/** The deployment stands for its model, whatever the body says. */
function withModel(call: Call, model: string): Call {
  const body = jsonOf(call);
  return isObject(body) ? { ...call, body: Buffer.from(JSON.stringify({ ...body, model })) } : call;
}

const SAFE = { hate: { filtered: false, severity: 'safe' }, self_harm: { filtered: false, severity: 'safe' }, sexual: { filtered: false, severity: 'safe' }, violence: { filtered: false, severity: 'safe' } };
const PROMPT_FILTER = { prompt_filter_results: [{ prompt_index: 0, content_filter_results: SAFE }] };

/** What its content filter adds to every answer; a stream begins with a chunk about the prompt. */
const STYLE: ChatStyle = {
  ...OPENAI_STYLE,
  more: { system_fingerprint: 'fp_simulated', ...PROMPT_FILTER },
  moreOfChoice: { content_filter_results: SAFE },
  preface: [{ choices: [], created: 0, id: '', model: '', object: '', ...PROMPT_FILTER }],
};
