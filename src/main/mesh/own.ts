import { hostname, networkInterfaces } from 'node:os';
import type { Address } from '../ports.ts';

const EVERY_ADDRESS = new Set(['0.0.0.0', '::']);

/** Where calls would come back to us: what we listen on, and where that is every address, each of this machine's and its name. */
export function ownAddresses(listeners: readonly Address[], machine: readonly string[] = machineHosts()): Address[] {
  return listeners.flatMap(({ host, port }) => (EVERY_ADDRESS.has(host) ? [host, ...machine] : [host]).map((own) => ({ host: own, port })));
}

function machineHosts(): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((interfaces) => interfaces ?? []);
  return [hostname(), ...addresses.map(({ address }) => address)];
}
