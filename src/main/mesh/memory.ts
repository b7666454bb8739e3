import { totalmem } from 'node:os';
import { Room } from '../../core/call/index.ts';
import { afterMs } from './clock.ts';

const MIB = 1_048_576;

/** What Envoy and the processor take between calls, what the processor has not collected yet, and some to spare. */
const OTHERS_BYTES = 400 * MIB;

/** In a container that is smaller than this needs, one body at a time is let in. */
const LEAST_BYTES = 1 * MIB;

/** Without a container's limit: of the machine's memory, one in so many parts, and no more than this. */
const PARTS_OF_MACHINE = 4;
const MOST_OF_MACHINE_BYTES = 4096 * MIB;

/** Of the limit, Envoy's part. */
const ENVOY_SHARE = 0.5;

/** Of the limit, what smaller bodies may take in the processor. */
const SMALLER_SHARE = 1 / 12;

/** Callers of official SDKs wait for ten minutes; a large body that does not get in by then is better sent elsewhere. */
const WAIT_MS = 30_000;

/** Each holds as much of one HTTP/2 connection's window as Envoy buffers of a stream; half of that connection's is left for others. */
const WAITING = 256;

/** As much as Envoy may take for itself. */
export const envoyHeapBytes = (environment: NodeJS.ProcessEnv): number => Math.floor(limitBytes(environment) * ENVOY_SHARE);

/** Room for the bodies of requests. */
export function openRoom(environment: NodeJS.ProcessEnv): Room {
  const limit = limitBytes(environment);
  const memoryBytes = Math.max(LEAST_BYTES, limit - OTHERS_BYTES);
  return new Room({ memoryBytes, smallerBytes: Math.floor(limit * SMALLER_SHARE), waiting: WAITING, waitMs: WAIT_MS }, afterMs);
}

/** What this process and its Envoy may take together: the container's limit, else a part of the machine's memory; `AIRMESH_MEMORY_MIB` says another one. */
function limitBytes({ AIRMESH_MEMORY_MIB: told }: NodeJS.ProcessEnv): number {
  if (told !== undefined && /^[1-9]\d{0,6}$/.test(told)) return Number(told) * MIB;
  const constrained = process.constrainedMemory();
  return constrained > 0 && constrained < totalmem() ? constrained : Math.min(totalmem() / PARTS_OF_MACHINE, MOST_OF_MACHINE_BYTES);
}
