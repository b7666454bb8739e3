import type { MethodDefinition } from '@grpc/grpc-js';
import type { Identity } from './ports.ts';
import type { Stream } from './stream.ts';

/** A method whose two sides are streams of messages. */
export type StreamMethod = MethodDefinition<Buffer, Buffer>;

/** Takes one stream of somebody who is known, or ends it. Returns what to do when it is over. */
export type Serve = (stream: Stream, identity: Identity) => () => void;

/** What one room serves on a controller's port. */
export interface Service {
  readonly methods: readonly { readonly method: StreamMethod; readonly serve: Serve }[];
}

const asItIs = (bytes: Buffer): Buffer => bytes;

/** Messages are bytes here: what is wrong with one is told by its codec, not by gRPC. `service` is its full name, as the protocol's file has it. */
export function streamMethod(service: string, name: string): StreamMethod {
  return {
    path: `/${service}/${name}`,
    requestStream: true,
    responseStream: true,
    requestSerialize: asItIs,
    requestDeserialize: asItIs,
    responseSerialize: asItIs,
    responseDeserialize: asItIs,
  };
}
