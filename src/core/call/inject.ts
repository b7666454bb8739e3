import type { BodyEdits, Dialect, Endpoint, RequestContentHeaders, RequestFacts } from '../dialects/index.ts';
import type { ModelInfo } from '../catalog/index.ts';
import type { ProviderPolicy, RulePolicy } from '../policy/index.ts';
import type { ForwardInstructions } from './request.ts';

/** An answer that comes compressed all the same passes through unread, and is settled by an estimate. Envoy compresses for callers that ask. */
const ACCEPT_PLAIN: readonly [string, string] = ['accept-encoding', 'identity'];

export interface Injection {
  readonly dialect: Dialect;
  readonly endpoint: Endpoint;
  readonly facts: RequestFacts;
  /** With the rule's edits. */
  readonly body: Uint8Array;
  /** As the caller sent it, and as Envoy holds it. */
  readonly received: Uint8Array;
  readonly content: RequestContentHeaders;
  /** The query string with its `?`, or empty. */
  readonly query: string;
  readonly provider: ProviderPolicy;
  readonly model: ModelInfo;
  readonly rule: RulePolicy;
  /** What the caller's cap becomes; `undefined`: it stays as it is. */
  readonly outputCap: number | undefined;
  /** `undefined`: the provider takes none. */
  readonly key: string | undefined;
}

/** The request as the provider is to see it: its key, its name for the model, and the capped answer. The rule's own edits were made before it was priced. */
export function inject(injection: Injection): ForwardInstructions {
  const { dialect, endpoint, provider, rule, query, body, content } = injection;
  const auth = dialect.auth(injection.key ?? '');
  const edited = dialect.editRequest(endpoint, body, content, editsOf(injection));
  return {
    providerId: provider.id,
    path: `${provider.baseUrl.basePath}${endpoint.path}${query}`,
    setHeaders: [
      ...rule.transform.headers.set,
      ACCEPT_PLAIN,
      ['content-length', String(edited.byteLength)],
      ...(injection.key === undefined ? [] : auth.set),
    ],
    appendHeaders: rule.transform.headers.add,
    removeHeaders: [...auth.remove.filter((name) => injection.key === undefined || !auth.set.some(([set]) => set === name)), ...rule.transform.headers.remove],
    body: edited === injection.received ? undefined : edited,
  };
}

function editsOf({ facts, provider, model, outputCap }: Injection): BodyEdits {
  const name = model.providerModel ?? model.name;
  return {
    ...(name === facts.model ? {} : { model: name }),
    ...(outputCap === undefined || outputCap === facts.maxOutputTokens ? {} : { maxOutputTokens: outputCap }),
    ...(facts.stream && !facts.wantsStreamUsage ? { includeStreamUsage: true } : {}),
    ...(provider.type === 'OpenAI' || provider.type === 'Simulated' ? {} : { capField: 'max_tokens' }),
  };
}
