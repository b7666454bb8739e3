import { bearerOf, isObject, jsonOf } from '../api.ts';
import type { Call, Exchange, Failure, Keys, SimulatedApi } from '../api.ts';
import { refuse } from '../deliver.ts';
import { completions } from '../openai/completions.ts';
import { chat } from './chat.ts';
import { failure, UNKNOWN_MODEL } from './errors.ts';
import { MODELS } from './rules.ts';

const OPERATION = /^(\/v1|\/beta)?(\/chat\/completions|\/completions|\/models)$/;

/** DeepSeek's API: its own paths, which have no version, and under `/v1` its own models. Source: DeepSeek API docs. */
export const deepseek: SimulatedApi = {
  name: 'deepseek',
  speaks: (call) => {
    const [, root, operation] = OPERATION.exec(call.path) ?? [];
    if (operation === undefined) return false;
    return root === '/v1' ? operation !== '/models' && isOwnModel(call) : true;
  },
  headers: (requestId) => ({ 'x-ds-trace-id': requestId }),
  keyFault,
  failure,
  serve,
};

function isOwnModel(call: Call): boolean {
  const body = jsonOf(call);
  return isObject(body) && MODELS.includes(String(body['model']));
}

function keyFault(call: Call, keys: Keys): Failure | undefined {
  if (keys === 'any' || keys.includes(bearerOf(call) ?? '')) return undefined;
  return failure(401, 'Authentication Fails, Your api key is invalid');
}

async function serve(call: Call, exchange: Exchange): Promise<void> {
  if (call.path.endsWith('/models'))
    return exchange.answer.json(200, { object: 'list', data: MODELS.map((id) => ({ id, object: 'model', owned_by: 'deepseek' })) });
  if (call.method !== 'POST') return refuse(exchange, failure(405, 'Method Not Allowed'));
  if (call.path.endsWith('/chat/completions')) return chat(jsonOf(call), exchange);
  if (!isOwnModel(call)) return refuse(exchange, UNKNOWN_MODEL);
  await completions(jsonOf(call), exchange);
}
