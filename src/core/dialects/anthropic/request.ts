import type { PriceTier } from '../../catalog/index.ts';
import { parseJson } from '../../json/index.ts';
import { err, ok } from '../../units/index.ts';
import type { Result } from '../../units/index.ts';
import { bodyForm } from '../content.ts';
import type { BodyForm } from '../content.ts';
import { FaultLog, Fields } from '../fields.ts';
import { MAX_MODEL_BYTES, MAX_TOKEN_CAP, modelNameProblem } from '../limits.ts';
import type { Endpoint, RequestContentHeaders, RequestFacts, RequestFault } from '../types.ts';
import { cacheWritesOf } from './cache.ts';
import { InputTally, readBlocks, readContextManagement, readMessages, readTools } from './input.ts';
import { BYTES_PER_TOKEN, FORMAT_TEMPLATE_TOKENS, IMAGE_TOKENS, TEMPLATE_TOKENS } from './limits.ts';

const JSON_ONLY: ReadonlySet<BodyForm['kind']> = new Set(['json']);

/** Fields that make further calls of a model, of this one or another. */
const COST_CHANGING_FIELDS: readonly string[] = ['compaction', 'fallbacks'];

/** Reads what governs a call, and checks the types of what it reads. Source: `MessageCreateParams` and `MessageCountTokensParams` of `@anthropic-ai/sdk`, the beta ones as well. */
export function readRequest(endpoint: Endpoint, body: Uint8Array, headers: RequestContentHeaders): Result<RequestFacts, RequestFault> {
  if (endpoint.body === 'none') throw new TypeError(`${endpoint.path} takes no body to be read.`);
  const form = bodyForm(headers, JSON_ONLY);
  if (!form.ok) return form;
  if (body.length === 0) return err({ code: 'invalid_body', param: undefined, message: 'The request body is empty.' });
  const document = parseJson(body);
  if (!document.ok) return err({ code: 'invalid_json', param: undefined, message: `The body is not valid JSON. ${document.error.message}` });
  if (document.value.kind(document.value.root) !== 'object') return err({ code: 'invalid_body', param: undefined, message: 'The body must be a JSON object.' });
  const faults = new FaultLog();
  const facts = readFacts(endpoint, new Fields(document.value, document.value.root, '', faults));
  return faults.first === undefined ? ok(facts) : err(faults.first);
}

function readFacts(endpoint: Endpoint, body: Fields): RequestFacts {
  const model = readModel(body);
  const tally = new InputTally();
  refuseState(body);
  const overhead = readInput(body, tally);
  const tier = readPricing(body, tally);
  if (endpoint.operation === 'count_tokens') return { ...COUNTED, model, references: tally.references };
  const textBytes = body.document.bytes.length - tally.mediaBytes;
  return {
    model,
    stream: body.boolean('stream') === true,
    // Every stream of Anthropic's ends with its usage.
    wantsStreamUsage: true,
    maxOutputTokens: readCap(body),
    choices: 1,
    inputTokenBound: textBytes + overhead,
    inputTokenEstimate: Math.ceil(textBytes / BYTES_PER_TOKEN) + tally.images * IMAGE_TOKENS,
    inputImages: tally.images,
    unbounded: tally.unbounded,
    hasOutput: true,
    tier,
    cacheWrites: cacheWritesOf(body.document.bytes),
    references: tally.references,
    stores: 'no',
  };
}

/** Counting tokens is free, whatever the input. */
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

function readModel(body: Fields): string {
  const model = body.string('model', MAX_MODEL_BYTES);
  if (model === undefined) {
    body.faults.add('invalid_value', 'model', 'model is missing. Name the model to be used, as a string.');
    return '';
  }
  const problem = modelNameProblem(model);
  if (problem !== undefined) body.faults.add('invalid_value', 'model', problem);
  return model;
}

/** What would be kept at the provider, or was: under one shared key another workload could read it. And who pays is not the caller's choice. */
function refuseState(body: Fields): void {
  if (body.node('container') !== undefined) {
    body.faults.add(
      'unsupported_state',
      'container',
      'container refers to one that the provider keeps, where others who share its key could use it. Leave it out.',
    );
  }
  if (body.node('thread') !== undefined)
    body.faults.add('unsupported_state', 'thread', 'thread is kept at the provider. Send the earlier messages in messages.');
  if (body.node('billing_policy') !== undefined)
    body.faults.add('invalid_value', 'billing_policy', "billing_policy chooses who is billed, which is the key owner's choice. Leave it out.");
}

/** Reads the input and returns the tokens that Anthropic may add to it. */
function readInput(body: Fields, tally: InputTally): number {
  readBlocks(body, 'system', tally);
  readMessages(body, tally);
  const tools = readTools(body, tally);
  if (body.items('mcp_servers').length > 0) tally.noteUnbounded('mcp_servers');
  readContextManagement(body, tally);
  const format = body.object('output_config')?.node('format') ?? body.node('output_format');
  return TEMPLATE_TOKENS + tools + (format === undefined ? 0 : FORMAT_TEMPLATE_TOKENS);
}

/** Notes what multiplies the price. `auto` may be served with capacity that was bought before, which costs no more. */
function readPricing(body: Fields, tally: InputTally): PriceTier {
  for (const field of COST_CHANGING_FIELDS) if (body.node(field) !== undefined) tally.noteUnbounded('field', field);
  const tier = body.string('service_tier', MAX_MODEL_BYTES) ?? 'auto';
  if (tier !== 'auto' && tier !== 'standard_only') tally.noteUnbounded('service_tier', tier);
  const speed = body.string('speed', MAX_MODEL_BYTES) ?? 'standard';
  if (speed !== 'standard') tally.noteUnbounded('speed', speed);
  const geo = body.string('inference_geo', MAX_MODEL_BYTES) ?? 'global';
  if (geo !== 'global') tally.noteUnbounded('inference_geo', geo);
  return 'standard';
}

/** Anthropic has no default. A cap of 0 writes the prompt into the cache and generates nothing. */
function readCap(body: Fields): number | undefined {
  if (body.node('max_tokens') === undefined)
    body.faults.add('invalid_value', 'max_tokens', 'max_tokens is missing. Say how many tokens the answer may have at most.');
  return body.integer('max_tokens', { min: 0, max: MAX_TOKEN_CAP });
}
