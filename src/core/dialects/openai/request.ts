import type { PriceTier } from '../../catalog/index.ts';
import { parseJson } from '../../json/index.ts';
import type { JsonNode } from '../../json/index.ts';
import { err, ok } from '../../units/index.ts';
import type { Result } from '../../units/index.ts';
import { bodyForm } from '../content.ts';
import type { BodyForm } from '../content.ts';
import { FaultLog, Fields } from '../fields.ts';
import type { Endpoint, RequestContentHeaders, RequestFacts, RequestFault } from '../types.ts';
import { readForm } from './form.ts';
import { InputTally, readImage, readMessages, readPart, readResponseInput, readTools } from './input.ts';
import { MAX_MODEL_BYTES, MAX_TOKEN_CAP, modelNameProblem } from '../limits.ts';
import { BYTES_PER_TOKEN, IMAGE_TOKENS, MAX_CHOICES, TEMPLATE_TOKENS, TOOLS_TEMPLATE_TOKENS } from './limits.ts';
import { tierOf } from './usage.ts';

/** What OpenAI takes where a moderation names no model. Source: `ModerationCreateParams` of the `openai` package. */
const DEFAULT_MODERATION_MODEL = 'omni-moderation-latest';

/** Fields by which compatible providers change the model, or add fees or input of their own. */
const COST_CHANGING_FIELDS: readonly string[] = [
  'chat_template',
  'enable_search',
  'fallbacks',
  'models',
  'plugins',
  'search_parameters',
  'web_search',
  'web_search_options',
];

/** Operations whose answers are no tokens. */
const WITHOUT_OUTPUT: ReadonlySet<Endpoint['operation']> = new Set(['embeddings', 'moderations', 'count_tokens']);

const JSON_ONLY: ReadonlySet<BodyForm['kind']> = new Set(['json']);
const MULTIPART_ONLY: ReadonlySet<BodyForm['kind']> = new Set(['multipart']);
const EITHER: ReadonlySet<BodyForm['kind']> = new Set(['multipart', 'json']);

/** The forms in which an endpoint takes its body: image edits come as JSON too. */
export function acceptedForms(endpoint: Endpoint): ReadonlySet<BodyForm['kind']> {
  if (endpoint.path === '/images/edits') return EITHER;
  return endpoint.body === 'multipart' ? MULTIPART_ONLY : JSON_ONLY;
}

/** Reads what governs a call, and checks the types of what it reads. Source: the `*CreateParams` types of the `openai` package. */
export function readRequest(endpoint: Endpoint, body: Uint8Array, headers: RequestContentHeaders): Result<RequestFacts, RequestFault> {
  if (endpoint.body === 'none') throw new TypeError(`${endpoint.path} takes no body to be read.`);
  const form = bodyForm(headers, acceptedForms(endpoint));
  if (!form.ok) return form;
  if (body.length === 0) return err({ code: 'invalid_body', param: undefined, message: 'The request body is empty.' });
  if (form.value.kind === 'multipart') return readForm(endpoint, body, form.value.boundary);
  const document = parseJson(body);
  if (!document.ok) return err({ code: 'invalid_json', param: undefined, message: `The body is not valid JSON. ${document.error.message}` });
  if (document.value.kind(document.value.root) !== 'object') return err({ code: 'invalid_body', param: undefined, message: 'The body must be a JSON object.' });
  const faults = new FaultLog();
  const facts = readFacts(endpoint, new Fields(document.value, document.value.root, '', faults));
  return faults.first === undefined ? ok(facts) : err(faults.first);
}

function readFacts(endpoint: Endpoint, body: Fields): RequestFacts {
  const model = readModel(endpoint, body);
  const tally = new InputTally();
  readState(endpoint, body, tally);
  const overhead = readInput(endpoint, body, tally);
  for (const field of COST_CHANGING_FIELDS) if (body.node(field) !== undefined) tally.noteUnbounded('field', field);
  const tier = readTier(body, tally);
  const textBytes = body.document.bytes.length - tally.imageBytes;
  const stream = readStream(endpoint, body);
  return {
    model,
    stream,
    wantsStreamUsage: readStreamUsage(endpoint, body, stream),
    maxOutputTokens: readCap(endpoint, body),
    choices: readChoices(endpoint, body),
    inputTokenBound: textBytes + overhead,
    inputTokenEstimate: Math.ceil(textBytes / BYTES_PER_TOKEN) + tally.images * IMAGE_TOKENS,
    inputImages: tally.images,
    unbounded: tally.unbounded,
    hasOutput: !WITHOUT_OUTPUT.has(endpoint.operation),
    tier,
    references: tally.references,
    stores: readStores(endpoint, body),
  };
}

function readModel(endpoint: Endpoint, body: Fields): string {
  const model = body.string('model', MAX_MODEL_BYTES);
  if (model === undefined) {
    if (endpoint.operation === 'moderations') return DEFAULT_MODERATION_MODEL;
    body.faults.add('invalid_value', 'model', 'model is missing. Name the model to be used, as a string.');
    return '';
  }
  const problem = modelNameProblem(model);
  if (problem !== undefined) body.faults.add('invalid_value', 'model', problem);
  return model;
}

/** What is kept at the provider and let through is noted by its id; of the rest another workload could read what this one leaves there. */
function readState(endpoint: Endpoint, body: Fields, tally: InputTally): void {
  const refuse = (field: string, message: string): void => body.faults.add('unsupported_state', field, message);
  if (endpoint.operation === 'chat' && body.boolean('store') === true) {
    refuse('store', 'store must be false: chat completions are not kept at the provider, where others who share its key could read them.');
  }
  if (endpoint.operation !== 'responses' && endpoint.operation !== 'count_tokens') return;
  tally.refer(body, 'previous_response_id', 'response');
  if (body.boolean('background') === true)
    refuse('background', 'background is not supported, as what it costs is not known when it is answered. Use stream instead.');
  if (body.node('conversation') !== undefined)
    refuse('conversation', 'conversation is kept at the provider. Name the earlier answer in previous_response_id, or send the earlier items in input.');
  if (body.node('prompt') !== undefined)
    refuse('prompt', 'prompt refers to one stored at the provider, which may name a model and tools of its own. Send its text in instructions and input.');
}

/** A response is kept unless the caller says otherwise. Source: `ResponseCreateParamsBase.store` of the `openai` package. */
function readStores(endpoint: Endpoint, body: Fields): RequestFacts['stores'] {
  if (endpoint.operation !== 'responses') return 'no';
  switch (body.boolean('store')) {
    case undefined:
      return 'default';
    case true:
      return 'asked';
    case false:
      return 'no';
  }
}

/** Reads an endpoint's input and returns the tokens that the provider may add to it. */
function readInput(endpoint: Endpoint, body: Fields, tally: InputTally): number {
  switch (endpoint.operation) {
    case 'chat': {
      readMessages(body, tally);
      const tools = readTools(body, tally) + body.items('functions').length;
      if (body.node('prediction') !== undefined) tally.noteUnbounded('prediction');
      if (body.items('modalities').some((modality) => textOf(body, modality) === 'audio')) tally.noteUnbounded('audio output');
      return TEMPLATE_TOKENS + (tools > 0 ? TOOLS_TEMPLATE_TOKENS : 0);
    }
    case 'count_tokens':
    case 'responses': {
      readResponseInput(body, tally);
      const tools = readTools(body, tally);
      if (body.items('context_management').length > 0) tally.noteUnbounded('context_management');
      const mode = body.object('reasoning')?.string('mode', MAX_MODEL_BYTES) ?? 'standard';
      if (mode !== 'standard') tally.noteUnbounded('reasoning mode', mode);
      return TEMPLATE_TOKENS + (tools > 0 ? TOOLS_TEMPLATE_TOKENS : 0);
    }
    case 'moderations':
    case 'embeddings':
      readEmbeddable(body, tally);
      return TEMPLATE_TOKENS;
    case 'images':
      readImageInput(body, tally);
      return TEMPLATE_TOKENS;
    default:
      return TEMPLATE_TOKENS;
  }
}

/** Texts, token ids (each takes at least two bytes), or for moderations text and image parts. */
function readEmbeddable(body: Fields, tally: InputTally): void {
  const input = body.node('input');
  const kind = input === undefined ? undefined : body.document.kind(input);
  if (kind === 'string') return;
  if (input === undefined || kind !== 'array') {
    body.faults.add('invalid_value', 'input', 'input must be a string or an array.');
    return;
  }
  for (const [index, item] of body.document.items(input).entries()) {
    if (body.document.kind(item) === 'object') readPart(new Fields(body.document, item, `input[${index}]`, body.faults), tally);
  }
}

function readImageInput(body: Fields, tally: InputTally): void {
  for (const image of body.objects('images')) readImage(image, tally);
  const mask = body.object('mask');
  if (mask !== undefined) readImage(mask, tally);
  if (body.node('svg') !== undefined || body.string('output_format', MAX_MODEL_BYTES) === 'svg') tally.noteUnbounded('svg output');
}

function readTier(body: Fields, tally: InputTally): PriceTier {
  const name = body.string('service_tier', MAX_MODEL_BYTES);
  if (name === undefined || name === 'auto') return 'standard';
  const tier = tierOf(name);
  if (tier === undefined) tally.noteUnbounded('service_tier', name);
  return tier ?? 'standard';
}

function readStream(endpoint: Endpoint, body: Fields): boolean {
  if (endpoint.path === '/audio/speech') return body.string('stream_format', MAX_MODEL_BYTES) === 'sse';
  return body.boolean('stream') === true;
}

/** Only chat and text completions leave usage out of a stream unless they are asked for it. */
function readStreamUsage(endpoint: Endpoint, body: Fields, stream: boolean): boolean {
  const asked = body.object('stream_options')?.boolean('include_usage') === true;
  return asked || !stream || !(endpoint.operation === 'chat' || endpoint.operation === 'text_completion');
}

/** The fields in which an endpoint keeps a cap, the preferred one first. */
export function capFields(endpoint: Endpoint): readonly string[] {
  switch (endpoint.operation) {
    case 'chat':
      return ['max_completion_tokens', 'max_tokens'];
    case 'text_completion':
      return ['max_tokens'];
    case 'responses':
      return ['max_output_tokens'];
    default:
      return [];
  }
}

function readCap(endpoint: Endpoint, body: Fields): number | undefined {
  // A text completion of no tokens scores its prompt (`echo`).
  const min = endpoint.operation === 'text_completion' ? 0 : 1;
  const caps = capFields(endpoint).flatMap((field) => body.integer(field, { min, max: MAX_TOKEN_CAP }) ?? []);
  const [cap, other] = caps;
  if (other !== undefined && other !== cap) {
    body.faults.add('invalid_value', 'max_tokens', 'max_tokens and max_completion_tokens differ. Send one of them.');
  }
  return cap;
}

function readChoices(endpoint: Endpoint, body: Fields): number {
  const bounds = { min: 1, max: MAX_CHOICES };
  switch (endpoint.operation) {
    case 'chat':
    case 'images':
    case 'text_completion': {
      const choices = Math.max(body.integer('n', bounds) ?? 1, body.integer('best_of', bounds) ?? 1);
      return endpoint.operation === 'text_completion' ? choices * promptCount(body) : choices;
    }
    default:
      return 1;
  }
}

/** Each prompt of an array gets answers of its own; an array of numbers is one prompt in tokens. */
function promptCount(body: Fields): number {
  const prompt = body.node('prompt');
  if (prompt === undefined || body.document.kind(prompt) !== 'array') return 1;
  const prompts = body.document.items(prompt);
  const [first] = prompts;
  return first === undefined || body.document.kind(first) === 'number' ? 1 : prompts.length;
}

function textOf(body: Fields, node: JsonNode): string | undefined {
  return body.document.kind(node) === 'string' && body.document.rawLength(node) <= MAX_MODEL_BYTES ? body.document.text(node) : undefined;
}
