import { err, ok } from '../../core/units/index.ts';
import type { EpochMs, Result } from '../../core/units/index.ts';
import type { Authenticate } from './identity.ts';
import type { Pod } from './ports.ts';

/** A service account's token has about 1,500 characters. */
const MAX_TOKEN_LENGTH = 16_384;
/** RFC 6750, 2.1; the scheme's name in any case (RFC 9110, 11.1). */
const BEARER = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i;
/** RFC 7519, 7.2: header, claims, signature. */
const JWT = /^[A-Za-z0-9_-]+\.([A-Za-z0-9_-]+)\.[A-Za-z0-9_-]*$/;

/** Who can tell whose a service account's token is: the API server, and what is known of its pods. */
export interface TokenReviewer {
  /**
   * The pod that the token is bound to, where it is for us (`TOKEN_AUDIENCE`), has not ended, and its pod, by name and UID, lives. The
   * error is told to the caller, and quotes no token. Rejects where it cannot be found out now.
   */
  review(token: string): Promise<Result<Pod, string>>;
}

/** A pod's name as a processor: of that one alone, and not of another that takes its name. */
export const processorOf = ({ namespace, name, uid }: Pick<Pod, 'namespace' | 'name' | 'uid'>): string => `pod/${namespace}/${name}/${uid}`;

/** By the bearer token in the metadata `authorization`, that of a service account, bound to a pod. */
export function byToken(reviewer: TokenReviewer): Authenticate {
  return async ({ metadata }, at) => {
    const authorization = metadata('authorization');
    if (authorization === undefined) return err('a service account’s token is needed: the metadata "authorization" with "Bearer" and the token');
    const token = authorization.length > MAX_TOKEN_LENGTH ? undefined : BEARER.exec(authorization)?.[1];
    if (token === undefined) return err('the metadata "authorization" does not hold "Bearer" and a token');
    const pod = await reviewer.review(token);
    if (!pod.ok) return pod;
    const { namespace, name } = pod.value;
    const validUntil = endOf(token);
    if (validUntil !== undefined && validUntil <= at) return err(`the token of ${namespace}/${name} ended at ${new Date(validUntil).toISOString()}`);
    return ok({ processor: processorOf(pod.value), pod: pod.value, ...(validUntil === undefined ? {} : { validUntil }) });
  };
}

/** By a certificate where one is shown, else by a token. */
export function byEither(certificate: Authenticate, token: Authenticate): Authenticate {
  return (credentials, at) => (credentials.certificate === undefined ? token : certificate)(credentials, at);
}

/** When a token ends by its own words, which are to be believed once somebody has verified it; `undefined` where it does not say. */
export function endOf(token: string): EpochMs | undefined {
  const claims = JWT.exec(token)?.[1];
  if (claims === undefined) return undefined;
  try {
    const { exp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { readonly exp?: unknown };
    return typeof exp === 'number' && Number.isFinite(exp) ? exp * 1_000 : undefined;
  } catch {
    return undefined;
  }
}
