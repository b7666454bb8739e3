import { bearerOf, jsonOf } from '../api.ts';
import type { Call, Exchange, Failure, Keys, SimulatedApi } from '../api.ts';
import { refuse } from '../deliver.ts';
import { chat } from './chat.ts';
import { completions } from './completions.ts';
import { embeddings, moderations } from './embeddings.ts';
import { errorBody, failure, invalid } from './errors.ts';
import { image, speech, transcription } from './media.ts';
import { countInput, responses } from './responses/index.ts';

/** Names of models that are listed; others are served as well, as a relay would. */
const MODELS = [
  'gpt-4.1',
  'claude-sonnet-4.5',
  'gemini-2.5-flash',
  'deepseek-v3.2',
  'gpt-4.1-mini',
  'gpt-5',
  'o3',
  'text-embedding-3-small',
  'omni-moderation-latest',
  'gpt-image-1',
  'whisper-1',
  'tts-1',
];

type Handler = (body: unknown, exchange: Exchange) => Promise<void> | void;

export const HANDLERS: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ['/chat/completions', chat],
  ['/completions', completions],
  ['/embeddings', embeddings],
  ['/moderations', moderations],
  ['/responses', responses],
  ['/responses/input_tokens', countInput],
  ['/images/generations', image],
  ['/audio/speech', speech],
]);

/** Those take a form. */
export const FORMS: ReadonlyMap<string, (exchange: Exchange) => void> = new Map([
  ['/images/edits', (exchange: Exchange) => image(undefined, exchange)],
  ['/images/variations', (exchange: Exchange) => image(undefined, exchange)],
  ['/audio/transcriptions', transcription],
  ['/audio/translations', transcription],
]);

/** OpenAI's API, and that of relays, which serve other makers' models as well. */
export const openai: SimulatedApi = {
  name: 'openai',
  speaks: () => true,
  headers: (requestId) => ({ 'x-request-id': requestId, 'openai-version': '2020-10-01', 'openai-processing-ms': '1' }),
  keyFault,
  failure,
  serve,
};

function keyFault(call: Call, keys: Keys): Failure | undefined {
  if (keys === 'any' || keys.includes(bearerOf(call) ?? '')) return undefined;
  return {
    status: 401,
    body: errorBody(
      'Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys.',
      'invalid_request_error',
      'invalid_api_key',
    ),
  };
}

async function serve(call: Call, exchange: Exchange): Promise<void> {
  const below = call.path.replace(/^\/v1(?=\/)/, '');
  if (below === '/models') return exchange.answer.json(200, { object: 'list', data: MODELS.map(modelObject) });
  if (below.startsWith('/models/')) return oneModel(decodeURIComponent(below.slice('/models/'.length)), exchange);
  await post(call, below, exchange);
}

/** One of the operations at that path, or what the API says where there is none. */
export async function post(call: Call, below: string, exchange: Exchange): Promise<void> {
  const handler = HANDLERS.get(below);
  const form = FORMS.get(below);
  if (handler === undefined && form === undefined)
    return refuse(exchange, { status: 404, body: errorBody(`Invalid URL (${call.method} ${call.path.slice(0, 200)})`, 'invalid_request_error', null) });
  if (call.method !== 'POST')
    return refuse(exchange, { status: 405, body: errorBody(`Not allowed to ${call.method} on ${call.path}`, 'invalid_request_error', 'method_not_supported') });
  const isForm = call.headers['content-type']?.startsWith('multipart/form-data') === true;
  if (form !== undefined) return isForm ? form(exchange) : refuse(exchange, invalid('The request must be a form (multipart/form-data).'));
  await handler?.(jsonOf(call), exchange);
}

const modelObject = (id: string): object => ({ id, object: 'model', created: 1_700_000_000, owned_by: 'simulated' });

function oneModel(id: string, exchange: Exchange): void {
  if (MODELS.includes(id)) return exchange.answer.json(200, modelObject(id));
  refuse(exchange, { status: 404, body: errorBody(`The model '${id.slice(0, 100)}' does not exist`, 'invalid_request_error', 'model_not_found', 'model') });
}
