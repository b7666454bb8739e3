import type { z } from 'zod';
import { NOTHING, spoiltUsage } from '../answer.ts';
import type { Answer } from '../answer.ts';
import type { Counted, SimulatorBooks } from '../books.ts';
import type { Faults } from '../faults.ts';
import type { KeptThings } from '../state/index.ts';
import { countTokens, generate, seedOf } from '../text.ts';
import { chatBody, chatEvents, completionBody, completionEvents, generateChat, generateCompletion } from './chat.ts';
import type { Generated } from './chat.ts';
import { chatRequest, completionRequest, embeddingRequest, moderationRequest, responsesRequest } from './schema.ts';
import type { ChatRequest, EmbeddingRequest, ResponsesRequest } from './schema.ts';

export interface Exchange {
  readonly answer: Answer;
  readonly faults: Faults;
  readonly books: SimulatorBooks;
  readonly acceptEncoding: string;
  readonly kept: KeptThings;
}

/** OpenAI's error shape. */
export const errorBody = (message: string, type: string, code: string | null, param: string | null = null): object => ({ error: { message, type, param, code } });

const MODELS = ['gpt-4.1', 'claude-sonnet-4.5', 'gemini-2.5-flash', 'deepseek-v3.2', 'gpt-4.1-mini', 'gpt-5', 'o3', 'text-embedding-3-small', 'omni-moderation-latest', 'gpt-image-1', 'whisper-1', 'tts-1'];

export function listModels(exchange: Exchange, id: string | undefined): void {
  const model = (name: string): object => ({ id: name, object: 'model', created: 1_700_000_000, owned_by: 'simulated' });
  if (id === undefined) return exchange.answer.json(200, { object: 'list', data: MODELS.map(model) });
  if (MODELS.includes(id)) return exchange.answer.json(200, model(id));
  exchange.answer.json(404, errorBody(`The model '${id.slice(0, 100)}' does not exist`, 'invalid_request_error', 'model_not_found', 'model'));
}

/** Parses as strictly as the API does; answers 400 and gives nothing where it would. */
function parsed<Schema extends z.ZodType>(schema: Schema, body: unknown, exchange: Exchange): z.output<Schema> | undefined {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  const param = issue?.path.map((part) => (typeof part === 'number' ? `[${part}]` : String(part))).join('.') ?? null;
  const message = issue?.code === 'unrecognized_keys' ? `Unrecognized request argument supplied: ${issue.keys.join(', ')}` : `Invalid value for '${param ?? 'body'}': ${issue?.message ?? 'wrong'}`;
  refuse(exchange, 400, errorBody(message, 'invalid_request_error', null, param));
  return undefined;
}

function refuse(exchange: Exchange, status: number, body: object): void {
  exchange.books.record(exchange.answer.requestId, '', status, false, NOTHING);
  exchange.answer.json(status, body);
}

export async function chat(body: unknown, exchange: Exchange): Promise<void> {
  const request = parsed(chatRequest, body, exchange);
  if (request === undefined) return;
  const problem = impossible(request);
  if (problem !== undefined) return refuse(exchange, 400, errorBody(problem, 'invalid_request_error', null));
  const generated = generateChat(request, exchange.faults);
  const id = `chatcmpl-${seedOf(JSON.stringify(request.messages)).toString(36)}`;
  const { faults } = exchange;
  await deliver(exchange, request.model, generated, request.stream === true ? chatEvents(request, generated, id, faults) : undefined, () => chatBody(request, generated, id, faults));
}

/** What the fields are each allowed and together are not. */
function impossible(request: ChatRequest): string | undefined {
  if (request.stream_options != null && request.stream !== true) return "The 'stream_options' parameter is only allowed when 'stream' is enabled.";
  if (request.max_tokens != null && request.max_completion_tokens != null) return 'Setting max_tokens and max_completion_tokens at the same time is not supported.';
  if (request.tool_choice !== undefined && request.tools === undefined) return "'tool_choice' is only allowed when 'tools' are specified.";
  const calls = new Set<string>();
  for (const message of request.messages) {
    if (message.role === 'assistant') for (const call of message.tool_calls ?? []) calls.add(call.id);
    if (message.role === 'tool' && !calls.has(message.tool_call_id)) return "messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.";
  }
  return undefined;
}

export async function completions(body: unknown, exchange: Exchange): Promise<void> {
  const request = parsed(completionRequest, body, exchange);
  if (request === undefined) return;
  const generated = generateCompletion(request, exchange.faults);
  const id = `cmpl-${seedOf(JSON.stringify(request.prompt)).toString(36)}`;
  const { faults } = exchange;
  await deliver(exchange, request.model, generated, request.stream === true ? completionEvents(request, generated, id, faults) : undefined, () => completionBody(request, generated, id, faults));
}

/** Sends the answer and books it: what was generated is billed, also when the caller left before it was sent. */
async function deliver(exchange: Exchange, model: string, generated: Generated, events: readonly string[] | undefined, body: () => object): Promise<void> {
  const { answer, books, faults } = exchange;
  if (faults.reset === 'before') {
    books.record(answer.requestId, model, 0, true, generated.counted);
    return answer.reset();
  }
  if (events === undefined) {
    books.record(answer.requestId, model, 200, true, generated.counted);
    return answer.json(200, body(), exchange.acceptEncoding);
  }
  const { sent, whole } = await answer.stream(events, 'data: [DONE]\n\n');
  books.record(answer.requestId, model, 200, true, whole ? generated.counted : soFar(generated.counted, sent, events.length));
}

/** What was generated until the break was noticed: the input, the hidden reasoning, and a share of the text. */
function soFar(counted: Counted, sent: number, events: number): Counted {
  const text = counted.output - counted.reasoning;
  return { ...counted, output: counted.reasoning + Math.min(text, Math.ceil((text * (sent + 1)) / events)) };
}

export function embeddings(body: unknown, exchange: Exchange): void {
  const request = parsed(embeddingRequest, body, exchange);
  if (request === undefined) return;
  const inputs = inputsOf(request);
  const tokens = inputs.reduce((sum, input) => sum + (typeof input === 'string' ? countTokens(input) : input.length), 0);
  exchange.books.record(exchange.answer.requestId, request.model, 200, true, { input: tokens, cached: 0, output: 0, reasoning: 0 });
  const data = inputs.map((input, index) => {
    const vector = unitVector(seedOf(JSON.stringify(input)), request.dimensions ?? 1536);
    return { object: 'embedding', index, embedding: request.encoding_format === 'base64' ? Buffer.from(vector.buffer).toString('base64') : [...vector] };
  });
  const usage = spoiltUsage({ prompt_tokens: tokens, total_tokens: tokens }, exchange.faults.usage);
  exchange.answer.json(200, { object: 'list', data, model: request.model, usage }, exchange.acceptEncoding);
}

function inputsOf({ input }: EmbeddingRequest): readonly (string | readonly number[])[] {
  if (typeof input === 'string') return [input];
  return typeof input[0] === 'number' ? [input as number[]] : (input as (string | number[])[]);
}

function unitVector(seed: number, dimensions: number): Float32Array {
  const vector = Float32Array.from({ length: dimensions }, (_, index) => Math.sin(seed * 0.001 + index * 1.618));
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return vector.map((value) => value / length);
}

export async function responses(body: unknown, exchange: Exchange): Promise<void> {
  const request = parsed(responsesRequest, body, exchange);
  if (request === undefined) return;
  const earlier = typeof request['previous_response_id'] === 'string' ? exchange.kept.responses.get(request['previous_response_id']) : undefined;
  if (request['previous_response_id'] != null && earlier === undefined) {
    return refuse(exchange, 400, errorBody(`Previous response with id '${String(request['previous_response_id'])}' not found.`, 'invalid_request_error', 'previous_response_not_found', 'previous_response_id'));
  }
  const text = JSON.stringify(request.input) + (request.instructions ?? '');
  const seed = seedOf(text);
  const pieces = generate(seed, exchange.faults.tokens ?? 24);
  const cap = request.max_output_tokens ?? Number.POSITIVE_INFINITY;
  const shown = pieces.slice(0, Math.min(cap, pieces.length));
  const before = (earlier as ResponseObject | undefined)?.usage;
  const counted = { input: countTokens(text) + 3 + (before?.total_tokens ?? 0), cached: 0, output: shown.length, reasoning: 0 };
  const generated: Generated = { choices: [], counted };
  const whole = responseObject(request, shown.join(''), counted, exchange.kept.newId('resp_'), shown.length < pieces.length, exchange.faults);
  if (request.store !== false) exchange.kept.responses.set(whole.id, whole);
  await deliver(exchange, request.model, generated, request.stream === true ? responseEvents(whole, shown) : undefined, () => whole);
}

interface ResponseObject {
  readonly id: string;
  readonly status: string;
  readonly usage: { readonly total_tokens: number } | null | undefined;
  readonly [field: string]: unknown;
  readonly output: readonly { readonly id: string }[];
}

function responseObject(request: ResponsesRequest, text: string, counted: Counted, id: string, cut: boolean, faults: Faults): ResponseObject {
  const usage = {
    input_tokens: counted.input,
    input_tokens_details: { cached_tokens: counted.cached },
    output_tokens: counted.output,
    output_tokens_details: { reasoning_tokens: counted.reasoning },
    total_tokens: counted.input + counted.output,
  };
  const message = { type: 'message', id: id.replace('resp_', 'msg_'), status: 'completed', role: 'assistant', content: [{ type: 'output_text', text, annotations: [] }] };
  return {
    id,
    object: 'response',
    created_at: 1_700_000_000,
    error: null,
    incomplete_details: cut ? { reason: 'max_output_tokens' } : null,
    instructions: request.instructions ?? null,
    metadata: {},
    model: request.model,
    parallel_tool_calls: true,
    temperature: 1,
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
    store: request.store ?? true,
    status: cut ? 'incomplete' : 'completed',
    output: [message],
    usage: spoiltUsage(usage, faults.usage) as ResponseObject['usage'],
  };
}

function responseEvents(whole: ResponseObject, pieces: readonly string[]): string[] {
  let sequence = 0;
  const event = (type: string, fields: object): string => `event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: sequence++, ...fields })}\n\n`;
  const begun = { ...whole, status: 'in_progress', output: [], usage: null };
  const place = { output_index: 0, content_index: 0, item_id: whole.output[0]?.id ?? '' };
  const text = pieces.join('');
  return [
    event('response.created', { response: begun }),
    event('response.in_progress', { response: begun }),
    event('response.output_item.added', { output_index: 0, item: { ...whole.output[0], status: 'in_progress', content: [] } }),
    event('response.content_part.added', { ...place, part: { type: 'output_text', text: '', annotations: [] } }),
    ...pieces.map((delta) => event('response.output_text.delta', { ...place, delta, logprobs: [] })),
    event('response.output_text.done', { ...place, text, logprobs: [] }),
    event('response.output_item.done', { output_index: 0, item: whole.output[0] }),
    event(`response.${whole.status}`, { response: whole }),
  ];
}

export function moderations(body: unknown, exchange: Exchange): void {
  const request = parsed(moderationRequest, body, exchange);
  if (request === undefined) return;
  const results = [request.input].flat().map(() => ({ flagged: false, categories: {}, category_scores: {}, category_applied_input_types: {} }));
  exchange.answer.json(200, { id: 'modr-simulated', model: request.model ?? 'omni-moderation-latest', results });
}
