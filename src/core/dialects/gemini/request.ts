import type { PriceTier } from '../../catalog/index.ts';
import { encodeUtf8, parseJson } from '../../json/index.ts';
import { err, ok } from '../../units/index.ts';
import type { Result } from '../../units/index.ts';
import { bodyForm } from '../content.ts';
import type { BodyForm } from '../content.ts';
import { FaultLog, Fields } from '../fields.ts';
import { MAX_MODEL_BYTES, MAX_TOKEN_CAP, modelNameProblem } from '../limits.ts';
import type { Endpoint, RequestContentHeaders, RequestFacts, RequestFault } from '../types.ts';
import { bareModel, methodOf } from './endpoints.ts';
import { InputTally, readContent, readTools } from './input.ts';
import { BYTES_PER_TOKEN, IMAGE_TOKENS, MAX_CANDIDATES, MAX_WORD_BYTES, TEMPLATE_TOKENS, TOOLS_TEMPLATE_TOKENS } from './limits.ts';
import { ProtoFields } from './protojson.ts';
import { idIn } from './state/paths.ts';
import { tierOf } from './usage.ts';

const JSON_ONLY: ReadonlySet<BodyForm['kind']> = new Set(['json']);

/**
 * Fields that change what is generated, by which model, or how much input there is. A continued answer is read again as
 * input with each request that goes on with it.
 */
const COST_CHANGING_FIELDS: readonly string[] = ['continuationToken'];
const COST_CHANGING_SETTINGS: readonly string[] = ['imageConfig', 'modelConfig', 'modelSelectionConfig', 'routingConfig'];

/** Counting tokens is free, whatever the input. Source: Gemini API, "Understand and count tokens". */
const COUNTED: Omit<RequestFacts, 'model'> = {
  stream: false,
  wantsStreamUsage: true,
  maxOutputTokens: undefined,
  choices: 1,
  inputTokenBound: 0,
  inputTokenEstimate: 0,
  inputImages: 0,
  unbounded: [],
  hasOutput: false,
  tier: 'standard',
  references: [],
  stores: 'no',
};

/** Reads what governs a call, and checks the types of what it reads. Source: `generateContentParametersToMldev` and its like in `@google/genai`; Gemini API reference. */
export function readRequest(endpoint: Endpoint, body: Uint8Array, headers: RequestContentHeaders): Result<RequestFacts, RequestFault> {
  if (endpoint.body === 'none') throw new TypeError(`${endpoint.path} takes no body to be read.`);
  const form = bodyForm(headers, JSON_ONLY);
  if (!form.ok) return form;
  if (body.length === 0) return err({ code: 'invalid_body', param: undefined, message: 'The request body is empty.' });
  const document = parseJson(body);
  if (!document.ok) return err({ code: 'invalid_json', param: undefined, message: `The body is not valid JSON. ${document.error.message}` });
  if (document.value.kind(document.value.root) !== 'object') return err({ code: 'invalid_body', param: undefined, message: 'The body must be a JSON object.' });
  const faults = new FaultLog();
  const facts = readFacts(endpoint, new ProtoFields(new Fields(document.value, document.value.root, '', faults)));
  return faults.first === undefined ? ok(facts) : err(faults.first);
}

function readFacts(endpoint: Endpoint, body: ProtoFields): RequestFacts {
  const model = readModel(endpoint, body);
  const tally = new InputTally();
  switch (endpoint.operation) {
    case 'embeddings':
      readEmbeddings(endpoint, body, model, tally);
      return { ...factsOf(model, body, tally, 0), hasOutput: false };
    case 'count_tokens':
      readCounted(body, model, tally);
      return { ...COUNTED, model, references: tally.references };
    default: {
      const functions = readGeneration(body, tally);
      const settings = body.object('generationConfig');
      if (settings !== undefined) readSettings(settings, tally);
      const tier = readTier(body, tally);
      return {
        ...factsOf(model, body, tally, functions),
        stream: endpoint.stream === true,
        maxOutputTokens: settings?.integer('maxOutputTokens', { min: 1, max: MAX_TOKEN_CAP }),
        choices: settings?.integer('candidateCount', { min: 1, max: MAX_CANDIDATES }) ?? 1,
        tier,
      };
    }
  }
}

function factsOf(model: string, { fields }: ProtoFields, tally: InputTally, functions: number): RequestFacts {
  const textBytes = fields.document.bytes.length - tally.imageBytes;
  return {
    model,
    stream: false,
    // Every part of a Gemini stream tells of usage.
    wantsStreamUsage: true,
    maxOutputTokens: undefined,
    choices: 1,
    inputTokenBound: textBytes + TEMPLATE_TOKENS + (functions > 0 ? TOOLS_TEMPLATE_TOKENS : 0),
    inputTokenEstimate: Math.ceil(textBytes / BYTES_PER_TOKEN) + tally.images * IMAGE_TOKENS,
    inputImages: tally.images,
    unbounded: tally.unbounded,
    hasOutput: true,
    tier: 'standard',
    references: tally.references,
    stores: 'no',
  };
}

/** The path names the model; a body that names another would be priced as one and might be served as the other. */
function readModel(endpoint: Endpoint, body: ProtoFields): string {
  const model = endpoint.model ?? '';
  const problem = encodeUtf8(model).length > MAX_MODEL_BYTES ? `The model in the path is longer than ${MAX_MODEL_BYTES} bytes.` : modelNameProblem(model);
  if (problem !== undefined) body.fields.faults.add('invalid_value', 'model', problem);
  refuseOtherModel(body, model);
  return model;
}

function refuseOtherModel(holder: ProtoFields, model: string): void {
  const named = holder.string('model', MAX_MODEL_BYTES);
  if (named === undefined || bareModel(named) === model) return;
  holder.fields.faults.add('invalid_value', holder.at('model'), `${holder.at('model')} names another model than the path. Name the same one, or leave it out.`);
}

/** Reads the request for an answer, and returns how many functions it declares. */
function readGeneration(request: ProtoFields, tally: InputTally): number {
  readState(request, tally);
  const instruction = request.object('systemInstruction');
  if (instruction !== undefined) readContent(instruction, tally);
  const contents = request.objects('contents');
  for (const content of contents) readContent(content, tally);
  if (contents.length === 0)
    request.fields.faults.add('invalid_value', request.at('contents'), `${request.at('contents')} must be an array of at least one content.`);
  for (const field of COST_CHANGING_FIELDS) if (request.node(field) !== undefined) tally.noteUnbounded('field', field);
  return readTools(request, tally);
}

/** What is kept at the provider: a cached content is its owner's; of what is stored, another workload could read it. */
function readState(request: ProtoFields, tally: InputTally): void {
  const { faults } = request.fields;
  if (request.boolean('store') === true) {
    faults.add(
      'unsupported_state',
      request.at('store'),
      'store must be false: what is asked and answered is not kept at the provider, where others who share its key could read it.',
    );
  }
  const cached = request.string('cachedContent', MAX_WORD_BYTES);
  if (cached === undefined) return;
  const param = request.at('cachedContent');
  const id = idIn('cached_content', cached);
  if (id === '') faults.add('invalid_value', param, `${param} must be a name such as cachedContents/abc.`);
  else tally.references.push({ kind: 'cached_content', id, param });
}

function readSettings(settings: ProtoFields, tally: InputTally): void {
  const { document } = settings.fields;
  for (const modality of settings.items('responseModalities')) {
    const name = document.kind(modality) === 'string' && document.rawLength(modality) <= MAX_WORD_BYTES ? document.text(modality) : '';
    if (name !== 'TEXT') tally.noteUnbounded('response modality', name);
  }
  for (const format of settings.objects('responseFormat')) for (const name of format.names()) if (name !== 'text') tally.noteUnbounded('response format', name);
  for (const field of COST_CHANGING_SETTINGS) if (settings.node(field) !== undefined) tally.noteUnbounded('field', field);
}

function readTier(body: ProtoFields, tally: InputTally): PriceTier {
  const name = body.string('serviceTier', MAX_WORD_BYTES);
  const tier = name === undefined ? 'standard' : tierOf(name);
  if (tier === undefined) tally.noteUnbounded('serviceTier', name ?? '');
  return tier ?? 'standard';
}

function readEmbeddings(endpoint: Endpoint, body: ProtoFields, model: string, tally: InputTally): void {
  if (methodOf(endpoint.path) === 'embedContent') return readEmbeddable(body, tally);
  const requests = body.objects('requests');
  if (requests.length === 0) body.fields.faults.add('invalid_value', 'requests', 'requests must be an array of at least one request.');
  for (const request of requests) {
    refuseOtherModel(request, model);
    readEmbeddable(request, tally);
  }
}

function readEmbeddable(request: ProtoFields, tally: InputTally): void {
  const content = request.object('content');
  if (content !== undefined) readContent(content, tally);
  else request.fields.faults.add('invalid_value', request.at('content'), `${request.at('content')} is missing. Send what is to be embedded.`);
}

/** Either contents alone, or a whole request whose input is to be counted. */
function readCounted(body: ProtoFields, model: string, tally: InputTally): void {
  const whole = body.object('generateContentRequest');
  if (whole !== undefined) refuseOtherModel(whole, model);
  readGeneration(whole ?? body, tally);
}
