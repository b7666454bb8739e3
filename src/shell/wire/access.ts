import { isIP } from 'node:net';
import { checkServerIdentity } from 'node:tls';
import type { PeerCertificate } from 'node:tls';
import { credentials, experimental } from '@grpc/grpc-js';
import type { ChannelCredentials } from '@grpc/grpc-js';
import { ok } from '../../core/units/index.ts';
import type { Result } from '../../core/units/index.ts';
import { CertificateFiles } from './certificates.ts';
import type { Roots } from './roots.ts';
import type { TokenFile } from './tokenfile.ts';

/** By a token, to whoever shows a certificate of these authorities. */
export interface TokenAccess {
  readonly roots: Roots;
  readonly token: TokenFile;
}

/** How a processor proves who it is, and knows the controller. `plain text`: on a socket file, or in a test. */
export type Access = CertificateFiles | TokenAccess | 'plain text';

/** `host`: what the controller's certificate must name, where it is not what is dialled. */
export function channelCredentials(access: Access, host: string | undefined): ChannelCredentials {
  if (access === 'plain text') return credentials.createInsecure();
  const [roots, own] = access instanceof CertificateFiles ? [access, access] : [access.roots, null];
  return experimental.createCertificateProviderChannelCredentials(roots, own, byAddress(host));
}

function byAddress(host: string | undefined): { checkServerIdentity?: (name: string, of: PeerCertificate) => Error | undefined } {
  return host === undefined || isIP(host) === 0 ? {} : { checkServerIdentity: (_name, of) => checkServerIdentity(host, of) };
}

/** What the metadata `authorization` is to say, if anything; an error where there is no token now. */
export function authorizationOf(access: Access): Result<string | undefined, string> {
  if (access === 'plain text' || access instanceof CertificateFiles) return ok(undefined);
  const token = access.token.read();
  return token.ok ? ok(`Bearer ${token.value}`) : token;
}

/** Calls each time that one could prove anew, and for longer, who one is. */
export function onRenewed(access: Access, listener: () => void): () => void {
  return access === 'plain text' || access instanceof CertificateFiles ? () => undefined : access.token.onRenewed(listener);
}
