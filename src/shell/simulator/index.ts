/**
 * Simulator: a provider that answers as the real one would, counts with a real tokenizer, and fails on demand.
 *
 * Owns its own text, prices and books, so that ours can be compared with them. Must never share arithmetic with the meter.
 */
export { parseFaults } from './faults.ts';
export type { Faults } from './faults.ts';
export { startSimulator } from './server.ts';
export type { Simulator, SimulatorOptions } from './server.ts';
