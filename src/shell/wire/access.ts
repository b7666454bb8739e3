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

export function channelCredentials(access: Access): ChannelCredentials {
  if (access === 'plain text') return credentials.createInsecure();
  if (access instanceof CertificateFiles) return experimental.createCertificateProviderChannelCredentials(access, access);
  return experimental.createCertificateProviderChannelCredentials(access.roots, null);
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
