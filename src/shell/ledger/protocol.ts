import { Metadata, status } from '@grpc/grpc-js';
import type { MethodDefinition } from '@grpc/grpc-js';
import { quote } from './fields.ts';
import type { Dismissal } from './ports.ts';

/** The major version that is spoken here. */
const PROTOCOL = 1;
const PROTOCOL_KEY = 'airmesh-protocol';

/** Of one message to the service: a thousand slices, or 500 records, several times over. */
export const MAX_MESSAGE_BYTES = 1_048_576;

const asItIs = (bytes: Buffer): Buffer => bytes;

function method(name: string): MethodDefinition<Buffer, Buffer> {
  return {
    path: `/airmesh.ledger.v1.Ledger/${name}`,
    requestStream: true,
    responseStream: true,
    requestSerialize: asItIs,
    requestDeserialize: asItIs,
    responseSerialize: asItIs,
    responseDeserialize: asItIs,
  };
}

/** The service of ledger.proto. Messages are bytes here: what is wrong with one is told by the codec, not by gRPC. */
export const LEDGER_METHODS = { Hold: method('Hold'), Record: method('Record') };

/** What both sides say of themselves. */
export function protocolMetadata(): Metadata {
  const metadata = new Metadata();
  metadata.set(PROTOCOL_KEY, String(PROTOCOL));
  return metadata;
}

/** Whether it is the ledger service that answers, rather than something on the way to it. */
export function isOfService(metadata: Metadata | undefined): boolean {
  return saidBy(metadata) !== undefined;
}

/** What keeps the two from understanding each other, and which to upgrade; `undefined` where nothing does. */
export function protocolFault(said: Metadata | undefined, sayer: 'processor' | 'service'): string | undefined {
  const version = saidBy(said);
  const [them, us] = sayer === 'processor' ? ['the processor', 'the ledger service'] : ['the ledger service', 'the processor'];
  if (version === undefined) return `${them} says no ${PROTOCOL_KEY} in its metadata; ${us} speaks ${PROTOCOL}`;
  const major = /^\d{1,4}(?=$|\.)/.exec(version)?.[0];
  if (major === undefined) return `${them} says ${PROTOCOL_KEY} ${quote(version)}, which is no version; ${us} speaks ${PROTOCOL}`;
  if (Number(major) === PROTOCOL) return undefined;
  return `${them} speaks ${PROTOCOL_KEY} ${major}, and ${us} ${PROTOCOL}: upgrade ${Number(major) < PROTOCOL ? them : us}`;
}

const STATUS_CODES: Readonly<Record<Dismissal['code'], status>> = {
  unavailable: status.UNAVAILABLE,
  replaced: status.ABORTED,
  unauthenticated: status.UNAUTHENTICATED,
  not_permitted: status.PERMISSION_DENIED,
  invalid: status.INVALID_ARGUMENT,
  too_much: status.RESOURCE_EXHAUSTED,
  protocol: status.FAILED_PRECONDITION,
};

/** As a stream ends. */
export function statusFor({ code, message }: Dismissal): { readonly code: status; readonly details: string; readonly metadata: Metadata } {
  return { code: STATUS_CODES[code], details: message, metadata: protocolMetadata() };
}

function saidBy(metadata: Metadata | undefined): string | undefined {
  const [said] = metadata?.get(PROTOCOL_KEY) ?? [];
  return said === undefined ? undefined : String(said);
}
