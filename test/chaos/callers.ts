import { setTimeout as delay } from 'node:timers/promises';
import { Caller } from '../support/caller.ts';

const EXHAUSTED = 'budget_exhausted';
const PAUSE_MS = 200;

/** Callers at one processor: each makes one call after another, until the budget is said to be exhausted after `mayEnd`. */
export class Callers {
  /** Ids of all calls that were answered in whole, as the callers were told. */
  readonly answered = new Set<string>();
  /** Answers by status and code. */
  readonly outcomes = new Map<string, number>();
  readonly #loops: Promise<void>[];
  #mayEnd = false;

  constructor(baseURL: string, connections: number, body: object, headers: Readonly<Record<string, string>>) {
    const caller = new Caller({ baseURL, connections });
    this.#loops = Array.from({ length: connections }, () => this.#loop(caller, body, headers));
  }

  /** Resolves when each has heard that nothing is left. */
  async end(): Promise<void> {
    this.#mayEnd = true;
    await Promise.all(this.#loops);
  }

  async #loop(caller: Caller, body: object, headers: Readonly<Record<string, string>>): Promise<void> {
    for (;;) {
      const { status, headers: told, text, whole } = await caller.chat(body, headers);
      const code = status === 200 ? '' : (/"code":\s*"(\w+)"/.exec(text)?.[1] ?? '');
      const outcome = `${status} ${code}`.trim();
      this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1);
      const id = told['x-airmesh-request-id'];
      if (status === 200 && whole && typeof id === 'string') this.answered.add(id);
      if (code === EXHAUSTED && this.#mayEnd) return;
      if (status !== 200) await delay(PAUSE_MS);
    }
  }
}
