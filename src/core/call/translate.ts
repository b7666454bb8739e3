import { backOf, translationOf } from '../dialects/index.ts';
import { callableModels } from '../policy/index.ts';
import type { Back, Dialect, Endpoint, Loss, NeutralRequest, RequestContentHeaders, RequestFacts, RequestFault, Translation } from '../dialects/index.ts';
import type { ModelInfo } from '../catalog/index.ts';
import type { ProviderPolicy, WorkloadSnapshot } from '../policy/index.ts';
import { err, ok } from '../units/index.ts';
import type { Result } from '../units/index.ts';
import { faultRefusal, refusal } from './refusals.ts';
import type { Refusal } from '../dialects/index.ts';

/** A request in the caller's language, its rule's edits made. */
export interface FrontRequest {
  readonly dialect: Dialect;
  readonly endpoint: Endpoint;
  readonly body: Uint8Array;
  readonly content: RequestContentHeaders;
  readonly facts: RequestFacts;
}

/** The same request in the provider's language. */
export interface BackRequest {
  readonly endpoint: Endpoint;
  readonly body: Uint8Array;
  readonly content: RequestContentHeaders;
  readonly facts: RequestFacts;
  /** How the answer finds back; `undefined`: both speak the same, and it passes as it comes. */
  readonly translated: TranslatedCall | undefined;
}

/** What the way back needs. */
export interface TranslatedCall {
  readonly front: { readonly dialect: Dialect; readonly translation: Translation; readonly endpoint: Endpoint };
  readonly back: { readonly translation: Translation; readonly endpoint: Endpoint };
  readonly request: NeutralRequest;
  /** What goes on without being carried over; its paths are told to the caller. */
  readonly dropped: readonly string[];
}

/** Operations that have a neutral form; the others pass as they come, or not at all. */
const NEUTRAL: ReadonlySet<Endpoint['operation']> = new Set<Endpoint['operation']>(['chat', 'text_completion', 'responses', 'embeddings', 'count_tokens']);

const JSON_CONTENT: RequestContentHeaders = { contentType: 'application/json', contentEncoding: undefined };

/** Whether a provider of this kind takes the caller's request as it is. */
export function passesThrough(front: Dialect, endpoint: Endpoint, back: Back): boolean {
  return back.dialect === front && back.operations.has(endpoint.operation);
}

/** Says the request in the provider's language, where that is another one, or lacks what is asked for. */
export function translate(
  front: FrontRequest,
  back: Back,
  provider: ProviderPolicy,
  model: ModelInfo,
  snapshot: WorkloadSnapshot,
): Result<BackRequest, Refusal> {
  const { dialect, endpoint, body, content, facts } = front;
  if (facts.inputImages > 0 && !back.takesImages) return err(withoutImages(provider, snapshot));
  if (passesThrough(dialect, endpoint, back)) return ok({ endpoint, body, content, facts, translated: undefined });
  if (!NEUTRAL.has(endpoint.operation)) return err(unsupported(endpoint, provider, snapshot));
  const translation = { front: translationOf(dialect), back: translationOf(back.dialect) };
  const parsed = translation.front.parseRequest(endpoint, body);
  if (!parsed.ok) return err(faultRefusal(parsed.error));
  const request = withModel(parsed.value.request, model.providerModel ?? model.name);
  const written = translation.back.writeRequest(request);
  if (written === undefined || !back.operations.has(written.endpoint.operation)) return err(unsupported(endpoint, provider, snapshot));
  const losses = [...parsed.value.losses, ...written.losses];
  const refused = losses.find(({ treatment }) => treatment === 'refused');
  if (refused !== undefined)
    return err(refusal('not_translatable', `${refused.message} (${dialect.name} to ${back.dialect.name}, at ${provider.id})`, refused.param));
  const read = back.dialect.readRequest(written.endpoint, written.body, JSON_CONTENT);
  if (!read.ok) return err(faultRefusal(unwritten(read.error)));
  return ok({
    endpoint: written.endpoint,
    body: written.body,
    content: JSON_CONTENT,
    // A cap that the writer put in because its dialect wants one is no wish of the caller's.
    facts: { ...read.value, maxOutputTokens: facts.maxOutputTokens },
    translated: {
      front: { dialect, translation: translation.front, endpoint },
      back: { translation: translation.back, endpoint: written.endpoint },
      request,
      dropped: droppedPaths(losses),
    },
  });
}

function withModel(request: NeutralRequest, model: string): NeutralRequest {
  return request.kind === 'count_tokens' ? { ...request, chat: { ...request.chat, model } } : { ...request, model };
}

/** Which models of this workload's are at a provider that can do it. */
function unsupported(endpoint: Endpoint, provider: ProviderPolicy, snapshot: WorkloadSnapshot): Refusal {
  const able = modelsAt(snapshot, (back) => OPERATIONS_ELSEWHERE[endpoint.operation]?.includes(back) === true);
  return refusal('operation_not_supported', `${provider.id} has nothing for ${endpoint.path}. ${able}`, 'model');
}

function withoutImages(provider: ProviderPolicy, snapshot: WorkloadSnapshot): Refusal {
  return refusal('operation_not_supported', `${provider.id} takes no images. ${modelsAt(snapshot, (back) => backOf(back).takesImages)}`, 'model');
}

function modelsAt(snapshot: WorkloadSnapshot, can: (back: ProviderPolicy['back']) => boolean): string {
  const able = new Set([...snapshot.providers.values()].filter(({ back }) => can(back)).map(({ id }) => id));
  const models = callableModels(snapshot)
    .filter(({ ownedBy }) => able.has(ownedBy))
    .map(({ id }) => id)
    .slice(0, MAX_NAMED);
  return models.length === 0 ? 'None of the models that may be called here can.' : `Models that can: ${models.join(', ')}.`;
}

/** Names in one message. */
const MAX_NAMED = 20;

const OPENAI_LIKE: readonly ProviderPolicy['back'][] = ['openai', 'azure', 'compatible'];

/** Kinds of providers that can do what another cannot. */
const OPERATIONS_ELSEWHERE: Readonly<Partial<Record<Endpoint['operation'], readonly ProviderPolicy['back'][]>>> = {
  embeddings: [...OPENAI_LIKE, 'gemini'],
  count_tokens: ['openai', 'anthropic', 'gemini'],
  images: OPENAI_LIKE,
  audio: OPENAI_LIKE,
  moderations: ['openai', 'compatible'],
  responses: OPENAI_LIKE,
  text_completion: [...OPENAI_LIKE, 'deepseek'],
};

/** What the translation wrote is not what the provider's dialect takes: the caller asked for something impossible there. */
function unwritten(fault: RequestFault): RequestFault {
  return { ...fault, message: `As the provider's API would see it: ${fault.message}` };
}

function droppedPaths(losses: readonly Loss[]): readonly string[] {
  return [...new Set(losses.filter(({ treatment }) => treatment === 'dropped').map(({ param }) => param))];
}
