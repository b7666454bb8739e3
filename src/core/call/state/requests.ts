import { worstCaseOf } from '../../catalog/index.ts';
import type { ModelInfo } from '../../catalog/index.ts';
import type { BatchRequest, Refusal, RequestContentHeaders, RequestFacts } from '../../dialects/index.ts';
import { concatBytes } from '../../json/index.ts';
import type { Quote } from '../../ledger/index.ts';
import { resolveModel } from '../../policy/index.ts';
import type { RulePolicy } from '../../policy/index.ts';
import { ceilDiv, err, ok } from '../../units/index.ts';
import type { Result } from '../../units/index.ts';
import type { BatchPart } from '../kept.ts';
import type { StateBook } from '../ports.ts';
import { outputCapOf, quoteOf } from '../quote.ts';
import { refusal } from '../refusals.ts';
import { applyRule } from '../resolve.ts';
import { placeFor } from './place.ts';
import type { Place, PlaceQuery } from './place.ts';
import { findReferred } from './references.ts';

/** Requests that are read before others get a turn. */
const REQUESTS_A_TURN = 64;

/** Most models (under different rules) of one batch; each is held and settled by itself. */
const MAX_PARTS = 8;

const JSON_CONTENT: RequestContentHeaders = { contentType: 'application/json', contentEncoding: undefined };

/** Requests as the provider is to see them, and what they may cost. */
export interface ReadRequests {
  readonly parts: readonly BatchPart[];
  /** The body with each request as its rule wants it; the very array that came in where nothing changed. */
  readonly body: Uint8Array;
}

export interface OneRequest {
  readonly model: ModelInfo;
  readonly rule: RulePolicy;
  readonly facts: RequestFacts;
  readonly body: Uint8Array;
}

/** Reads each request of a batch as it would be read by itself: its model, its rule's edits, its cap, what it refers to. */
export async function readRequests(
  body: Uint8Array,
  requests: readonly BatchRequest[],
  query: PlaceQuery,
  place: Place,
  state: StateBook,
): Promise<Result<ReadRequests, Refusal>> {
  const parts = new Map<string, BatchPart>();
  const pieces: Uint8Array[] = [];
  let at = 0;
  let isChanged = false;
  for (const [index, request] of requests.entries()) {
    if (index % REQUESTS_A_TURN === REQUESTS_A_TURN - 1) await state.nextTurn();
    const received = body.subarray(request.start, request.end);
    const one = await readOne(received, request, query, place, state);
    if (!one.ok) return err({ ...one.error, message: `In ${request.name}: ${one.error.message}` });
    const key = `${one.value.model.name} ${one.value.rule.id}`;
    parts.set(key, withRequest(parts.get(key), one.value));
    if (parts.size > MAX_PARTS) return err(refusal('invalid_value', `The batch is for more than ${MAX_PARTS} models. Make several of it.`));
    pieces.push(body.subarray(at, request.start), one.value.body);
    isChanged ||= one.value.body !== received;
    at = request.end;
  }
  pieces.push(body.subarray(at));
  return ok({ parts: [...parts.values()], body: isChanged ? concatBytes(pieces) : body });
}

/** Reads what a model is to keep as input: nothing is generated from it, so it has no cap, and a rule's own words come with the calls that use it. */
export async function readInput(
  body: Uint8Array,
  request: BatchRequest,
  query: PlaceQuery,
  place: Place,
  state: StateBook,
): Promise<Result<OneRequest, Refusal>> {
  const one = await readOne(body, request, query, place, state, true);
  return one.ok
    ? ok({ ...one.value, facts: { ...one.value.facts, hasOutput: false, unbounded: [...one.value.facts.unbounded, 'the storage of a cached content'] } })
    : one;
}

async function readOne(
  received: Uint8Array,
  { endpoint }: BatchRequest,
  query: PlaceQuery,
  { provider, back }: Place,
  state: StateBook,
  isInput = false,
): Promise<Result<OneRequest, Refusal>> {
  const { snapshot, dialect, headers } = query;
  const read = dialect.readRequest(endpoint, received, JSON_CONTENT);
  if (!read.ok) return err(refusal('invalid_value', read.error.message, read.error.param));
  const named = JSON.stringify(read.value.model.slice(0, 100));
  const found = resolveModel(snapshot, { model: read.value.model, path: endpoint.path, headers });
  if (found.kind !== 'resolved') return err(refusal('invalid_value', `The model ${named} may not be called here.`, 'model'));
  const backend = found.rule.backends.find(
    (each) => each.weight > 0 && each.provider === provider.id && provider.models.has((each.model ?? found.model).toLowerCase()),
  );
  const model = backend === undefined ? undefined : provider.models.get((backend.model ?? found.model).toLowerCase());
  if (model === undefined) return err(refusal('invalid_value', `The model ${named} is not served by ${provider.id}, which is to keep the batch.`, 'model'));
  if (model.price === undefined && provider.unknownPrice === 'Refuse')
    return err(refusal('price_unknown', `The price of ${model.name} at ${provider.id} is unknown.`, 'model'));
  const edited = isInput ? received : applyRule(dialect, endpoint, received, JSON_CONTENT, found.rule.transform);
  const reread = edited === received ? read : dialect.readRequest(endpoint, edited, JSON_CONTENT);
  if (!reread.ok) return err(refusal('invalid_value', reread.error.message, reread.error.param));
  const facts = reread.value;
  const wrong = unfit(facts);
  if (wrong !== undefined) return err(wrong);
  const referred = await findReferred(facts.references, `${snapshot.workload.namespace}/${snapshot.workload.name}`, dialect, state);
  if (!referred.ok) return referred;
  if (referred.value.provider !== undefined && referred.value.provider !== provider.id)
    return err(refusal('unsupported_state', `It refers to what is kept at ${referred.value.provider}; the batch is for ${provider.id}.`));
  const { cap } = outputCapOf(facts, model, found.rule.transform);
  const name = model.providerModel ?? model.name;
  const body = dialect.editRequest(endpoint, edited, JSON_CONTENT, {
    ...(name === facts.model ? {} : { model: name }),
    ...(isInput || !facts.hasOutput || cap === facts.maxOutputTokens ? {} : { maxOutputTokens: cap }),
    ...(back.capField === undefined ? {} : { capField: back.capField }),
  });
  const { tokens, unbounded } = referred.value;
  return ok({
    model,
    rule: found.rule,
    body,
    facts: {
      ...facts,
      inputTokenBound: facts.inputTokenBound + tokens,
      inputTokenEstimate: facts.inputTokenEstimate + tokens,
      unbounded: [...facts.unbounded, ...unbounded],
    },
  });
}

/** Where a creation belongs that says which model it is for: where that model is served, if such things are kept there. */
export function placeForModel(body: Uint8Array, request: BatchRequest | undefined, query: PlaceQuery): Place | undefined {
  const read = request === undefined ? undefined : query.dialect.readRequest(request.endpoint, body.subarray(request.start, request.end), JSON_CONTENT);
  const found =
    read?.ok === true ? resolveModel(query.snapshot, { model: read.value.model, path: request?.endpoint.path ?? '', headers: query.headers }) : undefined;
  const places =
    found?.kind !== 'resolved'
      ? []
      : found.rule.backends.flatMap((backend) => {
          const isServed =
            backend.weight > 0 && query.snapshot.providers.get(backend.provider)?.models.has((backend.model ?? found.model).toLowerCase()) === true;
          return isServed ? (placeFor(query, backend.provider) ?? []) : [];
        });
  return places[0] ?? placeFor(query);
}

/** What a request by itself may be, and one of a batch not. */
function unfit(facts: RequestFacts): Refusal | undefined {
  if (facts.stream) return refusal('invalid_value', 'stream cannot be had from a batch. Leave it out.', 'stream');
  const item = facts.references.find(({ kind }) => kind === 'item');
  if (item !== undefined)
    return refusal(
      'unsupported_state',
      `${item.param} names an item of an earlier answer. Send the item itself, or the whole answer in previous_response_id.`,
      item.param,
    );
  if (facts.tier !== 'standard') return refusal('invalid_value', 'a batch has a price of its own. Leave the service tier out.', 'service_tier');
  return facts.stores === 'asked' ? refusal('unsupported_state', 'store must be false in a batch: whose an answer is could not be told.', 'store') : undefined;
}

function withRequest(part: BatchPart | undefined, { model, rule, facts }: OneRequest): BatchPart {
  const quote = quoteOf(facts, model, rule.transform);
  return {
    model: model.name,
    rule: rule.id,
    requests: (part?.requests ?? 0) + 1,
    inputTokens: (part?.inputTokens ?? 0) + quote.inputTokens,
    outputTokens: (part?.outputTokens ?? 0) + quote.outputCap * quote.choices,
    estimate: {
      inputTokens: (part?.estimate.inputTokens ?? 0) + (quote.estimate.tokens - (quote.estimate.outputTokens ?? 0)),
      outputTokens: (part?.estimate.outputTokens ?? 0) + (quote.estimate.outputTokens ?? 0),
    },
    unbounded: [...new Set([...(part?.unbounded ?? []), ...facts.unbounded])].slice(0, MAX_NAMED),
  };
}

/** Things without bound that are named. */
const MAX_NAMED = 10;

/** The worst case of all requests of a part, at batch price. An unknown price counts no money. */
export function partQuote(part: BatchPart, model: ModelInfo): Quote {
  const nanoUsd = (inputTokens: number, outputTokens: number): bigint => {
    if (model.price === undefined) return 0n;
    const { fixedNanoUsd, outputNanoUsdPerMillion } = worstCaseOf(model.price, inputTokens, 'batch');
    return (
      fixedNanoUsd +
      ceilDiv(outputNanoUsdPerMillion * BigInt(outputTokens), 1_000_000n) +
      (model.price.perRequest ?? 0n) * BigInt(part.requests - 1) +
      roundings(part)
    );
  };
  const { inputTokens, outputTokens, estimate } = part;
  return {
    fixedNanoUsd: nanoUsd(inputTokens, outputTokens),
    outputNanoUsdPerMillion: 0n,
    inputTokens: inputTokens + outputTokens,
    choices: 1,
    outputCap: 0,
    capIsDefault: false,
    estimate: { nanoUsd: nanoUsd(estimate.inputTokens, estimate.outputTokens), tokens: estimate.inputTokens + estimate.outputTokens },
  };
}

/** Each answer's cost is rounded up by itself. */
const roundings = (part: BatchPart): bigint => BigInt(part.requests);
