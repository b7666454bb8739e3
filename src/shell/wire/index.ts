/**
 * Wire: how processors and controllers speak gRPC to each other.
 *
 * Owns connections, streams and their limits, credentials, versions of the protocol, and how a message's fields are read.
 * Must never know what a message means.
 */
export { WireServer } from './server.ts';
export type { ListenAt, WireServerParts } from './server.ts';
export { streamMethod } from './service.ts';
export type { Serve, Service, StreamMethod } from './service.ts';
export type { Stream } from './stream.ts';
export type { Dismissal, Identity, Pod, Violation } from './ports.ts';
export { byCertificate } from './identity.ts';
export type { Authenticate, Credentials } from './identity.ts';
export { byEither, byToken, endOf, processorOf } from './token.ts';
export type { TokenReviewer } from './token.ts';
export { TokenFile } from './tokenfile.ts';
export { Roots } from './roots.ts';
export type { Access, TokenAccess } from './access.ts';
export { CertificateFiles, rootsFault } from './certificates.ts';
export type { CertificatePaths } from './certificates.ts';
export { ShownCertificate } from './shown.ts';
export { Dialer } from './dialer.ts';
export type { DialerParts, LinkParts, LinkState } from './dialer.ts';
export { addressFault } from './addresses.ts';
export { backoffMs } from './backoff.ts';
export { onceRead } from './patience.ts';
export { MAX_MESSAGE_BYTES, protocolMetadata } from './protocol.ts';
export { Schema, schemasOf } from './schema.ts';
export {
  amount,
  child,
  choice,
  count,
  counts,
  flag,
  list,
  misfit,
  moment,
  name,
  numberOf,
  oneOf,
  optionalAmount,
  optionalChild,
  optionalCount,
  optionalFlag,
  optionalText,
  quote,
  reading,
  signedAmount,
  text,
  texts,
  under,
  withoutAbsent,
} from './fields.ts';
export type { Raw, Whole } from './fields.ts';
