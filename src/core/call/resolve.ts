import type { ModelInfo } from '../catalog/index.ts';
import { backOf } from '../dialects/index.ts';
import type { Back, Dialect, Endpoint, LocalReply, Refusal, RequestContentHeaders } from '../dialects/index.ts';
import { callableModels, pickBackend, resolveModel } from '../policy/index.ts';
import type { ProviderPolicy, RulePolicy, TransformPolicy, WorkloadSnapshot } from '../policy/index.ts';
import { err, ok } from '../units/index.ts';
import type { Result } from '../units/index.ts';
import { faultRefusal, refusal } from './refusals.ts';
import type { IncomingRequest } from './request.ts';
import { translate } from './translate.ts';
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

export type Resolution = { readonly kind: 'call'; readonly call: ResolvedCall } | { readonly kind: 'listing'; readonly reply: LocalReply };

/**
 * Which rule, provider and model a request gets, from its path, its body and chance (or a sticky header). The provider
 * is chosen here, before anything is priced, because it decides the price.
 */
export function resolve(request: IncomingRequest, snapshot: WorkloadSnapshot, dialect: Dialect, random: () => number): Result<Resolution, Refusal> {
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
      return resolveCall(request, match.endpoint, query, snapshot, dialect, random);
  }
}

function resolveCall(
  request: IncomingRequest,
  endpoint: Endpoint,
  query: string,
  snapshot: WorkloadSnapshot,
  dialect: Dialect,
  random: () => number,
): Result<Resolution, Refusal> {
  const { body, headers } = request;
  if (body === undefined || body.byteLength === 0) return err(refusal('empty_body', `${endpoint.path} needs a body.`));
  const content = { contentType: headers.get('content-type'), contentEncoding: headers.get('content-encoding') };
  const read = dialect.readRequest(endpoint, body, content);
  if (!read.ok) return err(faultRefusal(read.error));
  const facts = read.value;

  const found = resolveModel(snapshot, { model: facts.model, path: endpoint.path, headers });
  if (found.kind === 'unknown') {
    return err(refusal('model_not_found', `The model ${quoted(facts.model)} does not exist here. Available: ${found.available.join(', ') || 'none'}.`, 'model'));
  }
  if (found.kind === 'not_allowed') {
    const { namespace, name } = snapshot.workload;
    return err(
      refusal('model_not_allowed', `${namespace}/${name} may not call ${quoted(facts.model)} at ${endpoint.path}. Allowed: ${found.available.join(', ') || 'none'}.`, 'model'),
    );
  }
  const backend = pickBackend(found.rule, snapshot, found.model, random, headers);
  const provider = backend === undefined ? undefined : snapshot.providers.get(backend.provider);
  const model = provider?.models.get((backend?.model ?? found.model).toLowerCase());
  if (provider === undefined || model === undefined) {
    return err(refusal('no_provider_available', `No provider of rule ${found.rule.id} serves ${quoted(found.model)}.`));
  }
  if (model.price === undefined && provider.unknownPrice === 'Refuse') {
    return err(refusal('price_unknown', `The price of ${model.name} at ${provider.id} is unknown. State it in the AIProvider's models, or set unknownPrice: CountTokens.`, 'model'));
  }
  const edited = applyRule(dialect, endpoint, body, content, found.rule.transform);
  const reread = edited === body ? read : dialect.readRequest(endpoint, edited, content);
  if (!reread.ok) return err(faultRefusal(reread.error));
  const back = backOf(provider.back);
  const said = translate({ dialect, endpoint, body: edited, content, facts: reread.value }, back, provider, model, snapshot);
  if (!said.ok) return said;
  return ok({
    kind: 'call',
    call: { ...said.value, snapshot, front: { dialect, endpoint }, back, received: body, query, headers, rule: found.rule, provider, model },
  });
}

/** The rule's own edits come before anything is priced: a system prompt is input like any other. */
function applyRule(dialect: Dialect, endpoint: Endpoint, body: Uint8Array, content: RequestContentHeaders, { systemPrompt, body: fields }: TransformPolicy): Uint8Array {
  const edits = {
    ...(systemPrompt === undefined ? {} : { systemPrompt }),
    ...(Object.keys(fields.set).length === 0 ? {} : { set: fields.set }),
    ...(fields.remove.length === 0 ? {} : { remove: fields.remove }),
  };
  return Object.keys(edits).length === 0 ? body : dialect.editRequest(endpoint, body, content, edits);
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
