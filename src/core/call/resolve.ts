import type { ModelInfo } from '../catalog/index.ts';
import { backOf } from '../dialects/index.ts';
import type { Back, Dialect, Endpoint, LocalReply, Refusal, RequestContentHeaders, RequestFacts } from '../dialects/index.ts';
import { callableModels, pickBackend, resolveModel } from '../policy/index.ts';
import type { ProviderPolicy, RulePolicy, TransformPolicy, WorkloadSnapshot } from '../policy/index.ts';
import { err, ok } from '../units/index.ts';
import type { Result } from '../units/index.ts';
import type { CallPorts } from './ports.ts';
import { faultRefusal, refusal } from './refusals.ts';
import type { IncomingRequest } from './request.ts';
import { NOTHING_REFERRED, absent, findReferred } from './state/references.ts';
import type { Referred } from './state/references.ts';
import { passesThrough, translate } from './translate.ts';
import type { BackRequest } from './translate.ts';

/** A call whose rule, provider and model are known, said in the provider's language; nothing is reserved yet. */
export interface ResolvedCall extends BackRequest {
  readonly snapshot: WorkloadSnapshot;
  /** As the caller speaks. */
  readonly front: { readonly dialect: Dialect; readonly endpoint: Endpoint };
  /** As the provider speaks. */
  readonly back: Back;
  /** The body as the caller sent it. */
  readonly received: Uint8Array;
  /** The caller's, with its `?`, or empty. */
  readonly query: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly rule: RulePolicy;
  readonly provider: ProviderPolicy;
  readonly model: ModelInfo;
}

/** What the way back needs to know of it; a body may be large, and answers take their time. */
export type SentCall = Omit<ResolvedCall, 'received' | 'body'>;

export type Resolution =
  | { readonly kind: 'call'; readonly call: ResolvedCall }
  | { readonly kind: 'listing'; readonly reply: LocalReply }
  /** It deals with what the provider keeps; `query` is the caller's, with its `?`, or empty. */
  | { readonly kind: 'state'; readonly endpoint: Endpoint; readonly query: string };

export type ResolvePorts = Pick<CallPorts, 'random' | 'state' | 'health'>;

/**
 * Which rule, provider and model a request gets, from its path, its body and chance (or a sticky header). The provider
 * is chosen here, before anything is priced, because it decides the price.
 */
export async function resolve(
  request: IncomingRequest,
  snapshot: WorkloadSnapshot,
  dialect: Dialect,
  ports: ResolvePorts,
): Promise<Result<Resolution, Refusal>> {
  const [path, query] = splitQuery(request.path);
  const match = dialect.match(request.method, request.path);
  switch (match.kind) {
    case 'stateful':
      return err(
        refusal(
          'stateful_endpoint_refused',
          `${match.what} are kept at the provider under a key that all workloads share, so another could read them; ${request.method} ${path} is refused.`,
        ),
      );
    case 'method_not_allowed':
      return err(refusal('method_not_allowed', `${request.method} is not allowed at ${path}; use ${match.allow}.`));
    case 'unknown':
      return err(refusal('endpoint_not_supported', `${request.method} ${path} is not an endpoint that this mesh forwards.`));
    case 'endpoint':
      if (match.endpoint.operation === 'models') return listModels(match.endpoint, snapshot, dialect);
      if (match.endpoint.state !== undefined) return ok({ kind: 'state', endpoint: match.endpoint, query });
      return resolveCall(request, match.endpoint, query, snapshot, dialect, ports);
  }
}

async function resolveCall(
  request: IncomingRequest,
  endpoint: Endpoint,
  query: string,
  snapshot: WorkloadSnapshot,
  dialect: Dialect,
  ports: ResolvePorts,
): Promise<Result<Resolution, Refusal>> {
  const { body, headers } = request;
  if (body === undefined || body.byteLength === 0) return err(refusal('empty_body', `${endpoint.path} needs a body.`));
  const content = { contentType: headers.get('content-type'), contentEncoding: headers.get('content-encoding') };
  const read = dialect.readRequest(endpoint, body, content);
  if (!read.ok) return err(faultRefusal(read.error));
  const facts = read.value;

  const found = resolveModel(snapshot, { model: facts.model, path: endpoint.path, headers });
  if (found.kind === 'unknown') {
    return err(
      refusal('model_not_found', `The model ${quoted(facts.model)} does not exist here. Available: ${found.available.join(', ') || 'none'}.`, 'model'),
    );
  }
  if (found.kind === 'not_allowed') {
    const { namespace, name } = snapshot.workload;
    return err(
      refusal(
        'model_not_allowed',
        `${namespace}/${name} may not call ${quoted(facts.model)} at ${endpoint.path}. Allowed: ${found.available.join(', ') || 'none'}.`,
        'model',
      ),
    );
  }
  // A call is chosen a provider once; where it goes on with what one of them keeps, that one.
  const referred =
    facts.references.length === 0
      ? ok(NOTHING_REFERRED)
      : await findReferred(facts.references, `${snapshot.workload.namespace}/${snapshot.workload.name}`, dialect, ports.state);
  if (!referred.ok) return referred;
  const backend = pickBackend(found.rule, snapshot, found.model, ports.random, headers, referred.value.provider, (candidate) =>
    ports.health.isOut(candidate.provider, (candidate.model ?? found.model).toLowerCase()),
  );
  const provider = backend === undefined ? undefined : snapshot.providers.get(backend.provider);
  const model = provider?.models.get((backend?.model ?? found.model).toLowerCase());
  if (provider === undefined || model === undefined) {
    return err(refusal('no_provider_available', `No provider of rule ${found.rule.id} serves ${quoted(found.model)}.`));
  }
  if (model.price === undefined && provider.unknownPrice === 'Refuse') {
    return err(
      refusal(
        'price_unknown',
        `The price of ${model.name} at ${provider.id} is unknown. State it in the AIProvider's models, or set unknownPrice: CountTokens.`,
        'model',
      ),
    );
  }
  const edited = applyRule(dialect, endpoint, body, content, found.rule.transform);
  const reread = edited === body ? read : dialect.readRequest(endpoint, edited, content);
  if (!reread.ok) return err(faultRefusal(reread.error));
  const back = backOf(provider.back);
  const misplaced = misplacedState(reread.value, referred.value, { dialect, endpoint, back, provider });
  if (misplaced !== undefined) return err(misplaced);
  const said = translate({ dialect, endpoint, body: edited, content, facts: withReferred(reread.value, referred.value) }, back, provider, model, snapshot);
  if (!said.ok) return said;
  return ok({
    kind: 'call',
    call: { ...said.value, snapshot, front: { dialect, endpoint }, back, received: body, query, headers, rule: found.rule, provider, model },
  });
}

/** What is kept at one provider is of no use at another, and what an API cannot keep is not to vanish silently. */
function misplacedState(
  { references: [reference], stores }: RequestFacts,
  { provider: home, foreignItem }: Referred,
  { dialect, endpoint, back, provider }: { dialect: Dialect; endpoint: Endpoint; back: Back; provider: ProviderPolicy },
): Refusal | undefined {
  const isSame = passesThrough(dialect, endpoint, back);
  if (reference !== undefined && home !== undefined && (home !== provider.id || !isSame)) {
    return refusal(
      'unsupported_state',
      `${reference.param} refers to what is kept at ${home}, and ${provider.id} serves this call. Send the content itself, or name a model that is served there.`,
      reference.param,
    );
  }
  if (foreignItem !== undefined && isSame && back.keeps.has('response')) return absent(foreignItem, dialect);
  if (stores === 'asked' && isSame && !back.keeps.has('response')) {
    return refusal(
      'unsupported_state',
      `store asks for the answer to be kept, which is not done at ${provider.id}. Leave it out, and send the earlier items with each call.`,
      'store',
    );
  }
  return undefined;
}

/** What is referred to is input like any other. */
function withReferred(facts: RequestFacts, { tokens, unbounded }: Referred): RequestFacts {
  if (tokens === 0 && unbounded.length === 0) return facts;
  return {
    ...facts,
    inputTokenBound: facts.inputTokenBound + tokens,
    inputTokenEstimate: facts.inputTokenEstimate + tokens,
    unbounded: [...facts.unbounded, ...unbounded],
  };
}

/** The rule's own edits come before anything is priced: a system prompt is input like any other. */
export function applyRule(
  dialect: Dialect,
  endpoint: Endpoint,
  body: Uint8Array,
  content: RequestContentHeaders,
  { systemPrompt, body: fields }: TransformPolicy,
): Uint8Array {
  const edits = {
    ...(systemPrompt === undefined ? {} : { systemPrompt }),
    ...(Object.keys(fields.set).length === 0 ? {} : { set: fields.set }),
    ...(fields.remove.length === 0 ? {} : { remove: fields.remove }),
  };
  // Whether an answer may be kept is decided when its provider is known.
  return Object.keys(edits).length === 0 ? body : dialect.editRequest(endpoint, body, content, { ...edits, mayStore: true });
}

/** The models that this workload may call, or one of them. */
function listModels(endpoint: Endpoint, snapshot: WorkloadSnapshot, dialect: Dialect): Result<Resolution, Refusal> {
  const models = callableModels(snapshot);
  if (endpoint.path === '/models') return ok({ kind: 'listing', reply: dialect.modelsList(models) });
  const id = decodeSegment(endpoint.path.slice('/models/'.length));
  const model = models.find((listed) => listed.id.toLowerCase() === id.toLowerCase());
  if (model === undefined) return err(refusal('model_not_found', `The model ${quoted(id)} does not exist here.`, 'model'));
  return ok({ kind: 'listing', reply: dialect.modelItem(model) });
}

function splitQuery(path: string): [path: string, query: string] {
  const mark = path.indexOf('?');
  return mark < 0 ? [path, ''] : [path.slice(0, mark), path.slice(mark)];
}

function decodeSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** A name that a caller sent, fit for a message. */
function quoted(name: string): string {
  return JSON.stringify(name.length > 100 ? `${name.slice(0, 100)}…` : name);
}
