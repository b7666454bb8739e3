/** Tokens of one attempt, as the provider counts them, in one form for all dialects: parts are included in their totals. */
export interface Counted {
  readonly input: number;
  /** Of `input`, read from the provider's cache. */
  readonly cached: number;
  /** Of `input`, written to it; the long ones are kept for an hour. */
  readonly cacheWrites: number;
  readonly cacheWritesLong: number;
  readonly output: number;
  /** Of `output`. */
  readonly reasoning: number;
}

export const NOTHING: Counted = { input: 0, cached: 0, cacheWrites: 0, cacheWritesLong: 0, output: 0, reasoning: 0 };

/** One attempt to serve, whatever became of it. */
export interface Attempt extends Counted {
  readonly requestId: string;
  /** In which language it was asked: `openai`, `anthropic`, `gemini`, `azure` or `deepseek`. */
  readonly dialect: string;
  readonly model: string;
  readonly status: number;
  /** What the provider will ask money for; a refused or failed attempt costs nothing. */
  readonly billed: boolean;
  /** Decimal digits of nano-dollars. */
  readonly costNanoUsd: string;
}

type Figures = { -readonly [Name in keyof Counted]: number };

interface ModelBook extends Figures {
  requests: number;
  cost: bigint;
}

/** Nano-dollars a token. */
interface Prices {
  readonly input: bigint;
  readonly cached: bigint;
  readonly output: bigint;
  /** As input where absent. */
  readonly cacheWrite?: bigint;
  readonly cacheWriteLong?: bigint;
}

const CLAUDE_SONNET: Prices = { input: 3000n, cached: 300n, cacheWrite: 3750n, cacheWriteLong: 6000n, output: 15_000n };
const DEEPSEEK: Prices = { input: 140n, cached: 140n, output: 420n };

/**
 * The simulated providers' own price list, not the catalogue that it is compared with; by the names of the catalogue and
 * by those of the providers.
 */
const PRICES: ReadonlyMap<string, Prices> = new Map([
  ['gpt-4.1', { input: 2000n, cached: 500n, output: 8000n }],
  ['claude-sonnet-4.5', CLAUDE_SONNET],
  ['claude-sonnet-4-5', CLAUDE_SONNET],
  ['gemini-2.5-flash', { input: 350n, cached: 350n, output: 2500n }],
  ['text-embedding-3-small', { input: 20n, cached: 20n, output: 0n }],
  ['text-embedding-3-large', { input: 130n, cached: 130n, output: 0n }],
  ['gemini-embedding-001', { input: 150n, cached: 150n, output: 0n }],
  ['deepseek-v3.2', DEEPSEEK],
  ['deepseek-chat', DEEPSEEK],
]);

const MAX_ATTEMPTS = 20_000;

/** What the provider bills, for comparison with what was metered. */
export class SimulatorBooks {
  readonly #models = new Map<string, ModelBook>();
  #attempts: Attempt[] = [];

  record(attempt: Omit<Attempt, 'costNanoUsd'>): void {
    const cost = attempt.billed ? costOf(attempt.model, attempt) : 0n;
    this.#attempts.push({ ...attempt, costNanoUsd: String(cost) });
    if (this.#attempts.length > MAX_ATTEMPTS * 2) this.#attempts = this.#attempts.slice(-MAX_ATTEMPTS);
    if (!attempt.billed) return;
    const book = this.#models.get(attempt.model) ?? { requests: 0, ...NOTHING, cost: 0n };
    book.requests++;
    for (const name of Object.keys(NOTHING) as (keyof Counted)[]) book[name] += attempt[name];
    book.cost += cost;
    this.#models.set(attempt.model, book);
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

function costOf(model: string, { input, cached, cacheWrites, cacheWritesLong, output }: Counted): bigint {
  const price = PRICES.get(model);
  if (price === undefined) return 0n;
  const { cacheWrite = price.input, cacheWriteLong = cacheWrite } = price;
  return (
    BigInt(input - cached - cacheWrites) * price.input +
    BigInt(cached) * price.cached +
    BigInt(cacheWrites - cacheWritesLong) * cacheWrite +
    BigInt(cacheWritesLong) * cacheWriteLong +
    BigInt(output) * price.output
  );
}
