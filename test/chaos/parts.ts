import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { hasEnded, envoyIn } from '../../src/shell/envoy/index.ts';
import { spawnAirmesh, startAirmesh } from '../support/airmesh-process.ts';
import type { AirmeshProcess } from '../support/airmesh-process.ts';

const ENDS_WITHIN_MS = 30_000;

/** Something that can be killed at any time, and comes back. */
export interface Part {
  readonly name: string;
  /** What is down with it, or is it. */
  readonly whole: object;
  kill(): Promise<void>;
  revive(): Promise<void>;
  /** Comes back, and is killed so soon. */
  stumble(afterMs: number): Promise<void>;
}

/** The program with one command, in a process that can be killed and started anew with the same arguments. */
export class Program implements Part {
  readonly name: string;
  readonly whole = this;
  readonly #args: readonly string[];
  readonly #environment: NodeJS.ProcessEnv;
  #process: AirmeshProcess | undefined;
  #output = '';

  constructor(name: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
    this.name = name;
    this.#args = args;
    this.#environment = environment;
  }

  async revive(): Promise<void> {
    this.#process = await startAirmesh(this.#args, this.#environment);
  }

  async stumble(afterMs: number): Promise<void> {
    const stumbling = spawnAirmesh(this.#args, this.#environment);
    await delay(afterMs);
    await stumbling.kill();
    this.#output += stumbling.output();
  }

  async kill(): Promise<void> {
    this.#output += this.#process?.output() ?? '';
    await this.#process?.kill();
    this.#process = undefined;
  }

  async stop(): Promise<void> {
    await this.#process?.stop();
    this.#output += this.#process?.output() ?? '';
    this.#process = undefined;
  }

  /** All that was said so far, in all of its lives. */
  get output(): string {
    return this.#output + (this.#process?.output() ?? '');
  }
}

/** A processor whose machine is lost, disk and Envoy with it: what it knew is gone. */
export function withDiskLoss(program: Program, stateDir: string): Part {
  return {
    name: `${program.name} with its disk`,
    whole: program,
    kill: async () => {
      await program.kill();
      const envoy = envoyIn(join(stateDir, 'envoy'));
      if (envoy !== undefined) {
        process.kill(envoy, 'SIGKILL');
        if (!(await hasEnded(envoy, ENDS_WITHIN_MS))) throw new Error(`process ${envoy} does not end`);
      }
      rmSync(stateDir, { recursive: true, force: true });
    },
    revive: () => program.revive(),
    stumble: (afterMs) => program.stumble(afterMs),
  };
}

/** The Envoy of a processor, which starts another by itself. */
export function envoyOf(program: Program, stateDir: string): Part {
  return {
    name: `${program.name}'s Envoy`,
    whole: program,
    kill: async () => {
      const envoy = envoyIn(join(stateDir, 'envoy'));
      if (envoy !== undefined) process.kill(envoy, 'SIGKILL');
    },
    revive: () => delay(0),
    stumble: () => delay(0),
  };
}
