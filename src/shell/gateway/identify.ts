import { createHash } from 'node:crypto';
import type { StrangerReason } from '../../core/call/index.ts';
import { GATEWAY_AUDIENCE } from '../../core/control/index.ts';
import { PEER_URI_ATTRIBUTE } from '../../core/envoyconfig/index.ts';
import type { KnownWorkload } from '../../core/policy/index.ts';
import { err, ok } from '../../core/units/index.ts';
import type { EpochMs, Result } from '../../core/units/index.ts';
import type { Credentials, Identify } from '../extproc/index.ts';
import { readSpiffe } from './spiffe.ts';

/** Where the SDKs put an API key: OpenAI's, Anthropic's, Gemini's, Azure's. */
export const CREDENTIAL_HEADERS = ['authorization', 'x-api-key', 'x-goog-api-key', 'api-key'] as const;

/** Whose a token is. */
export interface Caller {
  readonly workload: KnownWorkload;
  /** When the token ends. */
  readonly validUntil: EpochMs;
}

/** Who can tell: the API server. */
export interface CallerReviewer {
  /** The error is told to the caller, and quotes no token. Rejects where nobody can tell now. */
  review(token: string): Promise<Result<Caller, string>>;
}

/** Why there are no policies for a workload, in words for whoever calls. `denied`: it may not call here; `unavailable`: nobody can tell now. */
export interface Unmet {
  readonly kind: 'denied' | 'unavailable';
  readonly message: string;
}

export interface GatewayParts {
  readonly tokens: CallerReviewer;
  /** Whose certificates' names count; none: no certificate does. */
  readonly trustDomains: ReadonlySet<string>;
  /** Makes sure that there are policies for it. */
  readonly meet: (workload: KnownWorkload) => Promise<Result<true, Unmet>>;
  readonly now: () => EpochMs;
}

/** A word of the API server's stands for so long while it cannot be asked again. */
const GRACE_MS = 5 * 60_000;
const MAX_REMEMBERED = 4_096;

/**
 * Whose calls are, by what each of them proves: the client's certificate, which Envoy verified, else the API key, which is a
 * service account's token for us. No other header has a say.
 */
export function identifyCallers({ tokens, trustDomains, meet, now }: GatewayParts): Identify {
  const remembered = new Map<string, Caller & { readonly at: EpochMs }>();

  const remember = (digest: string, caller: Caller): void => {
    remembered.delete(digest);
    remembered.set(digest, { ...caller, at: now() });
    const [oldest] = remembered.keys();
    if (remembered.size > MAX_REMEMBERED && oldest !== undefined) remembered.delete(oldest);
  };

  const byToken = async (token: string): Promise<Result<KnownWorkload, StrangerReason>> => {
    const digest = createHash('sha256').update(token).digest('base64');
    try {
      const caller = await tokens.review(token);
      if (!caller.ok) {
        remembered.delete(digest);
        return stranger(`The API key is not this pod’s token for the audience ${GATEWAY_AUDIENCE}: ${caller.error}.`);
      }
      remember(digest, caller.value);
      return ok(caller.value.workload);
    } catch {
      const known = remembered.get(digest);
      if (known !== undefined && known.at + GRACE_MS > now() && known.validUntil > now()) return ok(known.workload);
      return err({ code: 'processor_unavailable', message: 'Nobody can tell now whose the API key is: the cluster’s API server does not answer. Try again.' });
    }
  };

  return async (credentials) => {
    const certified = byCertificate(credentials, trustDomains);
    const token = certified === undefined ? tokenOf(credentials) : undefined;
    if (certified === undefined && token === undefined)
      return stranger(`The call does not prove who makes it. Give as API key the pod’s projected service-account token for the audience ${GATEWAY_AUDIENCE}.`);
    const caller = certified === undefined ? await byToken(token ?? '') : ok(certified);
    if (!caller.ok) return caller;
    const met = await meet(caller.value);
    if (!met.ok) return err({ code: met.error.kind === 'denied' ? 'model_not_allowed' : 'processor_unavailable', message: met.error.message });
    return ok(`${caller.value.namespace}/${caller.value.name}`);
  };
}

const stranger = (message: string): Result<never, StrangerReason> => err({ code: 'unauthenticated', message });

/** A mesh's certificate names a service account, and no workload: what has no other name goes by that. */
function byCertificate(credentials: Credentials, trustDomains: ReadonlySet<string>): KnownWorkload | undefined {
  const uri = credentials.attribute(PEER_URI_ATTRIBUTE);
  const name = uri === undefined ? undefined : readSpiffe(uri);
  if (name === undefined || !trustDomains.has(name.trustDomain)) return undefined;
  return { namespace: name.namespace, name: name.serviceAccount, serviceAccount: name.serviceAccount };
}

/** The first that there is, in the order of `CREDENTIAL_HEADERS`, then Gemini's parameter. */
function tokenOf({ header, path }: Credentials): string | undefined {
  const bearer = /^bearer +(\S+)$/i.exec(header('authorization') ?? '')?.[1];
  const named =
    bearer ??
    CREDENTIAL_HEADERS.slice(1)
      .map(header)
      .find((value) => value !== undefined && value !== '');
  const mark = path.indexOf('?');
  return named ?? (mark < 0 ? undefined : (new URLSearchParams(path.slice(mark)).get('key') ?? undefined));
}
