import type { Creation, Endpoint, Refusal, RequestContentHeaders } from '../../dialects/index.ts';
import { err, ok } from '../../units/index.ts';
import type { Result } from '../../units/index.ts';
import { admit } from '../admit.ts';
import type { Admitted } from '../admit.ts';
import { ACCEPT_PLAIN, credentials } from '../inject.ts';
import type { BatchRequests, KeptObject } from '../kept.ts';
import { keyOf } from '../keys.ts';
import type { CallPorts } from '../ports.ts';
import { FREE, quoteOf } from '../quote.ts';
import { faultRefusal, refusal } from '../refusals.ts';
import type { Forwarded, IncomingRequest } from '../request.ts';
import { settlementOf, recordOf } from '../ended.ts';
import { StateExchange } from './exchange.ts';
import { placeFor } from './place.ts';
import type { Place, PlaceQuery } from './place.ts';
import { absent } from './references.ts';
import { partQuote, placeForModel, readInput, readRequests } from './requests.ts';
import type { OneRequest } from './requests.ts';

/** What stands for the model where a call has none. Angle brackets, so that it is no model's name. */
const NO_MODEL = '<none>';

/** A request that deals with what the provider keeps. */
export interface StateRequest {
  readonly endpoint: Endpoint;
  /** The caller's, with its `?`, or empty. */
  readonly query: string;
}

/** What there is to be done, checked and priced. */
interface Plan {
  readonly place: Place;
  /** The existing object that it is about. */
  readonly object: KeptObject | undefined;
  readonly body: Uint8Array | undefined;
  /** Requests that a file holds for later. */
  readonly requests: BatchRequests | undefined;
  /** Requests that the provider will serve from now on. */
  readonly starts: BatchRequests | undefined;
  /** Input that a model reads now. */
  readonly input: OneRequest | undefined;
}

const NOTHING_PRICED = { requests: undefined, starts: undefined, input: undefined };

/** Decides upon such a request: finds out whose the object is and where, what a batch may cost, and holds that. */
export async function beginState(
  id: string,
  request: IncomingRequest,
  asked: StateRequest,
  query: PlaceQuery,
  ports: CallPorts,
): Promise<Result<Forwarded, Refusal>> {
  const { endpoint } = asked;
  const planned = await plan(request, query, ports);
  if (!planned.ok) return planned;
  const { place, body } = planned.value;
  const key = keyOf(place.provider, ports);
  if (!key.ok) return key;
  const workload = workloadOf(query);
  const { state } = endpoint;
  const owned = state?.action === 'list' ? await ports.state.idsOf(workload, state.kind, place.provider.id) : undefined;
  const admitted = await admitAll(id, planned.value, query, ports);
  if (!admitted.ok) return admitted;
  const page = state?.action === 'list' ? place.back.dialect.state.widenList(endpoint, asked.query) : { query: asked.query, limit: Infinity };
  const auth = credentials({ front: query, back: place.back, headers: query.headers, key: key.value });
  const { headers } = place.rule.transform;
  const { baseUrl, apiVersion } = place.provider;
  return ok({
    kind: 'forward',
    instructions: {
      providerId: place.provider.id,
      language: query.dialect.name,
      path: `${baseUrl.basePath}${place.back.path({ endpoint, model: modelAtProvider(planned.value), query: page.query, apiVersion })}`,
      setHeaders: [...headers.set, ACCEPT_PLAIN, ...(body === undefined ? [] : [['content-length', String(body.byteLength)] as const]), ...auth.set],
      appendHeaders: headers.add,
      removeHeaders: [...auth.remove, ...headers.remove],
      body: body === request.body ? undefined : body,
    },
    call: new StateExchange(
      {
        endpoint,
        workload,
        place,
        snapshot: query.snapshot,
        admitted: admitted.value,
        object: planned.value.object,
        requests: planned.value.requests,
        starts: planned.value.starts,
        input: planned.value.input,
        owned,
        limit: page.limit,
      },
      ports,
    ),
  });
}

async function plan(request: IncomingRequest, query: PlaceQuery, ports: CallPorts): Promise<Result<Plan, Refusal>> {
  const { endpoint, dialect } = query;
  const target = endpoint.state;
  if (target === undefined) throw new TypeError(`${endpoint.path} deals with nothing that is kept.`);
  if (target.id !== undefined) {
    const object = await ports.state.find(workloadOf(query), target.kind, target.id);
    if (object === undefined) return err(absent({ kind: target.kind, id: target.id }, dialect));
    const place = placeFor(query, object.provider);
    if (place === undefined) return err(nowhere(query));
    if (target.action === 'delete' && object.open !== undefined) await ports.state.settle(object);
    return ok({ place, object, body: target.action === 'update' ? request.body : undefined, ...NOTHING_PRICED });
  }
  if (target.action !== 'create') {
    const place = placeFor(query);
    return place === undefined ? err(nowhere(query)) : ok({ place, object: undefined, body: undefined, ...NOTHING_PRICED });
  }
  const { body, headers } = request;
  if (body === undefined || body.byteLength === 0) return err(refusal('empty_body', `${endpoint.path} needs a body.`));
  const content = { contentType: headers.get('content-type'), contentEncoding: headers.get('content-encoding') };
  const creation = dialect.state.readCreation(endpoint, body, content);
  if (!creation.ok) return err(faultRefusal(creation.error));
  return planCreation(creation.value, body, content, query, ports);
}

async function planCreation(
  creation: Creation,
  body: Uint8Array,
  content: RequestContentHeaders,
  query: PlaceQuery,
  ports: CallPorts,
): Promise<Result<Plan, Refusal>> {
  if (creation.kind === 'of_file') return planOfFile(creation, body, query, ports);
  const place = creation.kind === 'plain' ? placeFor(query) : placeForModel(body, creation.kind === 'input' ? creation.request : creation.requests[0], query);
  if (place === undefined) return err(nowhere(query));
  if (creation.kind === 'plain') return ok({ place, object: undefined, body, ...NOTHING_PRICED });
  if (creation.kind === 'input') {
    const input = await readInput(body, creation.request, query, place, ports.state);
    return input.ok ? ok({ place, object: undefined, body: input.value.body, ...NOTHING_PRICED, input: input.value }) : input;
  }
  const read = await readRequests(body, creation.requests, query, place, ports.state);
  if (!read.ok) return read;
  // Read once more as the provider will: a form's boundary could stand in what a rule puts in.
  if (read.value.body !== body && !isSame(creation, query, read.value.body, content))
    return err(refusal('invalid_body', 'The boundary of the form occurs in a request. Let the HTTP client choose it.'));
  const requests = { endpointPath: creation.endpointPath, parts: read.value.parts };
  return ok({
    place,
    object: undefined,
    body: read.value.body,
    ...NOTHING_PRICED,
    requests: creation.startsNow ? undefined : requests,
    starts: creation.startsNow ? requests : undefined,
  });
}

function isSame(
  creation: Extract<Creation, { kind: 'requests' }>,
  { dialect, endpoint }: PlaceQuery,
  body: Uint8Array,
  content: RequestContentHeaders,
): boolean {
  const again = dialect.state.readCreation(endpoint, body, content);
  return again.ok && again.value.kind === 'requests' && again.value.requests.length === creation.requests.length;
}

/** The file was read when it was uploaded, and says what its requests may cost. */
async function planOfFile(
  { file, endpointPath }: Extract<Creation, { kind: 'of_file' }>,
  body: Uint8Array,
  query: PlaceQuery,
  ports: CallPorts,
): Promise<Result<Plan, Refusal>> {
  const object = await ports.state.find(workloadOf(query), file.kind, file.id);
  if (object === undefined) return err(absent(file, query.dialect));
  if (object.requests === undefined)
    return err(refusal('invalid_value', `${file.param} names a file that was not uploaded for a batch (purpose).`, file.param));
  if (object.requests.endpointPath !== endpointPath) return err(refusal('invalid_value', "endpoint is not the url of the file's requests.", 'endpoint'));
  const place = placeFor(query, object.provider);
  return place === undefined ? err(nowhere(query)) : ok({ place, object, body, ...NOTHING_PRICED, starts: object.requests });
}

/** Holds what a batch may cost, each of its models by itself, all or nothing; anything else counts as a request that costs nothing. */
async function admitAll(id: string, { place, starts, input }: Plan, query: PlaceQuery, ports: CallPorts): Promise<Result<readonly Admitted[], Refusal>> {
  const { rule, provider } = place;
  const common = { snapshot: query.snapshot, provider, operation: query.endpoint.operation, stream: false, headers: query.headers };
  if (input !== undefined) {
    const { model, rule: own, facts } = input;
    const ask = {
      ...common,
      rule: own,
      model: model.name,
      priceSource: model.price?.source,
      quote: quoteOf(facts, model, own.transform),
      inputTokenEstimate: facts.inputTokenEstimate,
      unbounded: facts.unbounded,
      rates: 'both' as const,
    };
    const admitted = await admit(id, ask, ports);
    return admitted.ok ? ok([admitted.value]) : admitted;
  }
  if (starts === undefined) {
    const free = await admit(
      id,
      { ...common, rule, model: NO_MODEL, priceSource: undefined, quote: FREE, inputTokenEstimate: 0, unbounded: [], rates: 'both' },
      ports,
    );
    return free.ok ? ok([free.value]) : free;
  }
  const held: Admitted[] = [];
  for (const [index, part] of starts.parts.entries()) {
    const model = provider.models.get(part.model.toLowerCase());
    const own = query.snapshot.rules.find((each) => each.id === part.rule);
    const admitted =
      model === undefined || own === undefined
        ? err(refusal('model_not_allowed', `${JSON.stringify(part.model)} may not be called at ${provider.id} any more.`, 'model'))
        : await admit(
            index === 0 ? id : `${id}.${index}`,
            {
              ...common,
              rule: own,
              model: model.name,
              priceSource: model.price?.source,
              quote: partQuote(part, model),
              inputTokenEstimate: part.estimate.inputTokens,
              unbounded: part.unbounded,
              rates: index === 0 ? 'requests' : 'none',
            },
            ports,
          );
    if (!admitted.ok) {
      for (const { hold } of held) giveBack(hold, ports);
      return admitted;
    }
    held.push(admitted.value);
  }
  return ok(held);
}

function giveBack(hold: Admitted['hold'], ports: CallPorts): void {
  const ended = {
    at: ports.clock.epochMs(),
    ending: 'cut' as const,
    status: 0,
    servedModel: undefined,
    usage: { inputTokens: 0, outputTokens: 0 },
    basis: 'void' as const,
    costNanoUsd: 0n,
    shrunkToTokens: undefined,
    isUsd: () => false,
  };
  ports.budgets.settle(hold.id, settlementOf(ended), (settled) => recordOf(hold, ended, settled));
}

/** For paths that name a model: the one of all requests. */
function modelAtProvider({ place, starts }: Plan): string {
  const model = place.provider.models.get(starts?.parts[0]?.model.toLowerCase() ?? '');
  return model?.providerModel ?? model?.name ?? '';
}

function nowhere({ dialect, endpoint }: PlaceQuery): Refusal {
  return refusal(
    'stateful_endpoint_refused',
    `No provider that this workload may call keeps ${endpoint.state?.kind.replace('_', ' ') ?? 'thing'}s in ${dialect.name}'s API.`,
  );
}

const workloadOf = ({ snapshot: { workload } }: PlaceQuery): string => `${workload.namespace}/${workload.name}`;
