import { once } from 'node:events';
import { httpUrl } from '../addresses.ts';
import { EXIT } from '../exit-codes.ts';
import type { Address } from '../ports.ts';
import { firstSignal } from '../process.ts';
import type { Terminal } from '../terminal/terminal.ts';

export interface SimulateFlags {
  readonly listen: Address;
  readonly key?: readonly string[];
}

/** Runs the simulated provider until it is told to end: as the first process of a container, it would not be ended by a signal that it does not hear. */
export async function simulate({ listen, key }: SimulateFlags, terminal: Terminal): Promise<number> {
  const interruption = firstSignal();
  // Only here: its tokenizer takes more memory than all the rest.
  const { startSimulator } = await import('../../shell/simulator/index.ts');
  const simulator = await startSimulator({ ...listen, keys: key ?? 'any' });
  terminal.out(`The simulated provider listens at ${httpUrl(simulator)}/v1; its books are at ${httpUrl(simulator)}/simulator/books\n`);
  if (!interruption.aborted) await once(interruption, 'abort');
  await simulator.close();
  return EXIT.ok;
}
