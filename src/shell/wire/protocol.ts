import { Metadata, status } from '@grpc/grpc-js';
import { quote } from './fields.ts';
import type { Dismissal } from './ports.ts';

/** The major version that is spoken here. */
const PROTOCOL = 1;
const PROTOCOL_KEY = 'airmesh-protocol';

/** Of one message to the service: a thousand slices, or 500 records, several times over. */
export const MAX_MESSAGE_BYTES = 1_048_576;

/** What both sides say of themselves. */
export function protocolMetadata(): Metadata {
  const metadata = new Metadata();
  metadata.set(PROTOCOL_KEY, String(PROTOCOL));
  return metadata;
}

/** Whether it is a controller that answers, rather than something on the way to it. */
export function isOfController(metadata: Metadata | undefined): boolean {
  return saidBy(metadata) !== undefined;
}

/** What keeps the two from understanding each other, and which to upgrade; `undefined` where nothing does. */
export function protocolFault(said: Metadata | undefined, sayer: 'processor' | 'controller'): string | undefined {
  const version = saidBy(said);
  const [them, us] = sayer === 'processor' ? ['the processor', 'the controller'] : ['the controller', 'the processor'];
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
