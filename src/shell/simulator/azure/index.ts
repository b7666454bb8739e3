import { isObject, jsonOf } from '../api.ts';
import type { Call, Exchange, SimulatedApi } from '../api.ts';
import { refuse } from '../deliver.ts';
import { failure } from '../openai/errors.ts';
import { post } from '../openai/index.ts';
import { chat } from './chat.ts';
import { DEPLOYMENTS, modelIn, wrongDeployment, wrongKey, wrongVersion } from './rules.ts';

/** Azure OpenAI: deployments, versions in the query, a key header of its own. Source: Azure OpenAI REST API reference. */
export const azure: SimulatedApi = {
  name: 'azure',
  speaks: ({ path }) => path.startsWith('/openai/'),
  headers: (requestId) => ({ 'apim-request-id': requestId, 'x-ms-region': 'Sweden Central' }),
  keyFault: wrongKey,
  failure: (status, message) => failure(status, message),
  serve,
};

async function serve(call: Call, exchange: Exchange): Promise<void> {
  const problem = wrongVersion(call);
  if (problem !== undefined) return refuse(exchange, problem);
  const below = call.path.replace(/^\/openai(?:\/v1(?=\/))?/, '');
  const [, deployment, rest] = /^\/deployments\/([^/]+)(\/.*)$/.exec(below) ?? [];
  const named = deployment === undefined ? undefined : decodeURIComponent(deployment);
  await operation(named === undefined ? call : withModel(call, named), rest ?? below, named, exchange);
}

/** `named`: the deployment in the path; without one it is the model in the body. */
async function operation(call: Call, below: string, named: string | undefined, exchange: Exchange): Promise<void> {
  if (below === '/models')
    return exchange.answer.json(200, { object: 'list', data: [...DEPLOYMENTS].map((id) => ({ id, object: 'model', status: 'succeeded' })) });
  const body = jsonOf(call);
  const problem = wrongDeployment(named ?? modelIn(body));
  if (problem !== undefined) return refuse(exchange, problem);
  if (below === '/chat/completions' && call.method === 'POST') return chat(body, exchange);
  await post(call, below, exchange);
}

/** The deployment stands for its model, whatever the body says. */
function withModel(call: Call, model: string): Call {
  const body = jsonOf(call);
  return isObject(body) ? { ...call, body: Buffer.from(JSON.stringify({ ...body, model })) } : call;
}
