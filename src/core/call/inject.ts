import type { Back, BodyEdits, Dialect, Endpoint, ProviderAuth } from '../dialects/index.ts';
import type { ForwardInstructions } from './request.ts';
import type { ResolvedCall } from './resolve.ts';

/** An answer that comes compressed all the same passes through unread, and is settled by an estimate. Envoy compresses for callers that ask. */
export const ACCEPT_PLAIN: readonly [string, string] = ['accept-encoding', 'identity'];

export interface Injection extends ResolvedCall {
  /** What the caller's cap becomes; `undefined`: it stays as it is. */
  readonly outputCap: number | undefined;
  /** `undefined`: the provider takes none. */
  readonly key: string | undefined;
}

/** Whether the provider keeps the answer, so that it belongs to somebody. */
export function isStored({ back, facts, translated }: Pick<ResolvedCall, 'back' | 'facts' | 'translated'>): boolean {
  return translated === undefined && facts.stores !== 'no' && back.keeps.has('response');
}

/** The body that the provider is to see: its name for the model, and the capped answer. The rule's own edits were made before it was priced. */
export function bodyFor(injection: Injection): Uint8Array {
  const { back, endpoint, body, content } = injection;
  return back.dialect.editRequest(endpoint, body, content, editsOf(injection));
}

/** How that body, or one that several calls have in common, gets there: with the provider's key. */
export function instructionsFor(injection: Injection, endpoint: Endpoint, edited: Uint8Array): ForwardInstructions {
  const { front, back, provider, rule, query } = injection;
  const isSame = front.dialect === back.dialect;
  const place = { endpoint, model: providerModel(injection), query: isSame ? query : '', apiVersion: provider.apiVersion };
  const auth = credentials(injection);
  return {
    providerId: provider.id,
    language: front.dialect.name,
    path: `${provider.baseUrl.basePath}${back.path(place)}`,
    setHeaders: [
      ...rule.transform.headers.set,
      ACCEPT_PLAIN,
      ['content-length', String(edited.byteLength)],
      ...(injection.translated === undefined ? [] : [['content-type', 'application/json'] as const]),
      ...auth.set,
    ],
    appendHeaders: rule.transform.headers.add,
    removeHeaders: [...auth.remove, ...rule.transform.headers.remove],
    body: edited === injection.received ? undefined : edited,
  };
}

export interface Credentials {
  readonly front: { readonly dialect: Dialect };
  readonly back: Back;
  readonly headers: ReadonlyMap<string, string>;
  readonly key: string | undefined;
}

/** The provider's own in, the caller's out in whatever dialect's form, what the caller may choose only where it speaks the same. */
export function credentials({ front, back, headers, key }: Credentials): Pick<ProviderAuth, 'set' | 'remove'> {
  const auth = back.auth(key ?? '');
  const defaults = (auth.defaults ?? []).filter(([name]) => front.dialect !== back.dialect || !headers.has(name));
  const set = [...(key === undefined ? [] : auth.set), ...defaults];
  const removed = new Set([...auth.remove, ...front.dialect.auth('').remove]);
  return { set, remove: [...removed].filter((name) => !set.some(([given]) => given === name)) };
}

/** The provider's own name for the model. */
export const providerModel = ({ model }: Pick<ResolvedCall, 'model'>): string => model.providerModel ?? model.name;

function editsOf(call: Injection): BodyEdits {
  const { back, facts, outputCap } = call;
  const name = providerModel(call);
  return {
    ...(name === facts.model ? {} : { model: name }),
    ...(outputCap === undefined || outputCap === facts.maxOutputTokens ? {} : { maxOutputTokens: outputCap }),
    ...(facts.stream && !facts.wantsStreamUsage ? { includeStreamUsage: true } : {}),
    ...(back.capField === undefined ? {} : { capField: back.capField }),
    ...(isStored(call) ? { mayStore: true } : {}),
  };
}
