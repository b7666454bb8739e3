/**
 * ext_proc: Envoy's external processing protocol, served.
 *
 * Owns the transport, the messages and each conversation's order. Must never know what a call costs or who may make it.
 */
export { decodeResponse, encodeRequest } from './codec.ts';
export type { ProcessingRequest, ProcessingResponse } from './codec.ts';
export { frame, FrameReader } from './framing.ts';
export { Doorkeeper } from './doorkeeper.ts';
export type { DoorkeeperOptions } from './doorkeeper.ts';
export { always, byListener } from './identify.ts';
export type { Credentials, Identify } from './identify.ts';
export { Passes } from './passes.ts';
export { Session } from './session.ts';
export type { Pass, SessionOptions } from './session.ts';
export { ExtProcServer } from './transport.ts';
export type { ExtProcServerOptions } from './transport.ts';
export { clearSocketFile, ownerOnly } from './socketfile.ts';
export type { ProcessHandler, ProcessStream, StreamEnd } from './conversation.ts';
