/** Tokens of one attempt, as the provider counts them. */
export interface Counted {
  readonly input: number;
  readonly cached: number;
  readonly output: number;
  readonly reasoning: number;
}

/** One attempt to serve, whatever became of it. */
export interface Attempt extends Counted {
  readonly requestId: string;
  readonly model: string;
  readonly status: number;
  /** What the provider will ask money for; a refused or failed attempt costs nothing. */
  readonly billed: boolean;
  /** Decimal digits of nano-dollars. */
  readonly costNanoUsd: string;
}

interface ModelBook {
  requests: number;
  input: number;
  cached: number;
  output: number;
  reasoning: number;
  cost: bigint;
}

/** Nano-dollars a token: the simulated provider's own price list, not the catalogue that it is compared with. */
const NANO_A_TOKEN: Readonly<Record<string, { readonly input: bigint; readonly cached: bigint; readonly output: bigint }>> = {
  'gpt-4.1': { input: 2000n, cached: 500n, output: 8000n },
  'claude-sonnet-4.5': { input: 3000n, cached: 300n, output: 15_000n },
  'gemini-2.5-flash': { input: 350n, cached: 350n, output: 2500n },
  'deepseek-v3.2': { input: 140n, cached: 140n, output: 420n },
};

const MAX_ATTEMPTS = 20_000;

/** What the provider bills, for comparison with what was metered. */
export class SimulatorBooks {
  readonly #models = new Map<string, ModelBook>();
  #attempts: Attempt[] = [];

  record(requestId: string, model: string, status: number, billed: boolean, counted: Counted): void {
    const cost = billed ? costOf(model, counted) : 0n;
    this.#attempts.push({ requestId, model, status, billed, ...counted, costNanoUsd: String(cost) });
    if (this.#attempts.length > MAX_ATTEMPTS * 2) this.#attempts = this.#attempts.slice(-MAX_ATTEMPTS);
    if (!billed) return;
    const book = this.#models.get(model) ?? { requests: 0, input: 0, cached: 0, output: 0, reasoning: 0, cost: 0n };
    book.requests++;
    book.input += counted.input;
    book.cached += counted.cached;
    book.output += counted.output;
    book.reasoning += counted.reasoning;
    book.cost += cost;
    this.#models.set(model, book);
  }

  reset(): void {
    this.#models.clear();
    this.#attempts = [];
  }

  toJSON(): object {
    const total = [...this.#models.values()].reduce((sum, { cost }) => sum + cost, 0n);
    return {
      costNanoUsd: String(total),
      models: Object.fromEntries([...this.#models].map(([model, { cost, ...figures }]) => [model, { ...figures, costNanoUsd: String(cost) }])),
      attempts: this.#attempts.slice(-MAX_ATTEMPTS),
    };
  }
}

function costOf(model: string, { input, cached, output }: Counted): bigint {
  const price = NANO_A_TOKEN[model];
  return price === undefined ? 0n : BigInt(input - cached) * price.input + BigInt(cached) * price.cached + BigInt(output) * price.output;
}
