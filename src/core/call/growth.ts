import { ceilDiv } from '../units/index.ts';
import type { Granted, Quote, Refused } from '../ledger/index.ts';
import type { BudgetPolicy } from '../policy/index.ts';
import type { BudgetGate, Clock, Unavailable } from './ports.ts';

const MILLION = 1_000_000n;

/** The least that is held more, in tokens. */
const LEAST_STEP_TOKENS = 64;

/** How long more may be waited for, while others end or the ledger service asks them to give back. */
const WAIT_MS = 500;

interface GrowthParts {
  readonly granted: Granted;
  readonly quote: Quote;
  /** Those that count the call. */
  readonly budgets: readonly BudgetPolicy[];
  readonly profile: string;
  readonly gate: Pick<BudgetGate, 'extend'>;
  readonly clock: Clock;
}

/**
 * What a streamed call may use, in tokens of all its answers. Bounded budgets hold what such a call is expected to use, and
 * more in steps, each before the last is used. A strict budget holds all that the cap allows from the beginning.
 */
export class Growth {
  readonly #parts: GrowthParts;
  /** What all answers together may have at most. */
  readonly #bound: number;
  /** Those that can be asked for more. */
  #growing: readonly BudgetPolicy[];
  /** So much is held for everywhere; once a budget that ends streams gives no more, the stream's last token. */
  #covered: number;
  #state: 'open' | 'asking' | 'final' = 'open';
  /** Whether nothing goes on beyond what is covered. */
  readonly #cuts: boolean;
  #steps = 0;

  constructor(parts: GrowthParts) {
    this.#parts = parts;
    const { granted, quote, budgets } = parts;
    this.#bound = granted.outputCap * quote.choices;
    this.#growing = budgets.filter(({ mode, unit }) => mode === 'Bounded' && unit !== 'requests');
    this.#covered = Math.min(this.#bound, ...this.#growing.map((budget) => this.#tokensHeld(budget)));
    this.#cuts = cutsStream(budgets);
  }

  /**
   * Asks for more in time. False: that is more than may be used, and the stream is to be ended before it. `least`: tokens
   * that it has at least; `likely`: what it would be charged if it ended here.
   */
  reached(least: number, likely: number): boolean {
    // No answer is longer than its cap, however many bytes it takes.
    const tokens = Math.max(least, Math.min(likely, this.#bound));
    // An ample margin, as it takes a round trip where the budget is shared.
    while (this.#state === 'open' && this.#growing.length > 0 && this.#covered < this.#bound && tokens + this.#step() / 2 > this.#covered) this.#ask();
    if (tokens <= this.#covered || !this.#cuts) return true;
    // Meanwhile it goes on, as far as what was asked for would let it.
    return this.#state === 'asking' && tokens <= this.#covered + this.#step();
  }

  #step(): number {
    return Math.min(this.#bound - this.#covered, Math.max(LEAST_STEP_TOKENS, Math.ceil(this.#covered / 2)));
  }

  #ask(): void {
    const { granted, quote, profile, gate, clock } = this.#parts;
    this.#state = 'asking';
    const step = this.#step();
    const nanoUsd = ceilDiv(quote.outputNanoUsdPerMillion * BigInt(step), MILLION);
    const subjects = new Map(granted.holds.map(({ limit, subject }) => [limit, subject]));
    const more = {
      id: `${granted.id}+${++this.#steps}`,
      at: clock.epochMs(),
      now: clock.monotonicMs(),
      accounts: this.#growing.map(({ id }) => ({ limit: id, subject: subjects.get(id) ?? '' })),
      quote: { ...quote, fixedNanoUsd: 0n, inputTokens: 0, choices: 1, outputCap: step, capIsDefault: false, estimate: { nanoUsd, tokens: step } },
      profile,
      grows: granted.id,
      canBeEnded: true,
      waitMs: WAIT_MS,
    };
    gate.extend(granted.id, more, (decision) => this.#decided(decision, step));
  }

  #decided(decision: Granted | Refused | Unavailable, step: number): void {
    this.#state = 'open';
    if (decision.kind === 'granted') {
      const got = Math.min(step, ...this.#growing.map((budget) => tokensWorth(budget, amountIn(decision, budget), this.#parts.quote)));
      this.#covered += got;
      if (got <= 0) this.#state = 'final';
      return;
    }
    const refusing = decision.kind === 'refused' ? this.#growing.find(({ id }) => id === decision.account.limit) : undefined;
    if (refusing === undefined || refusing.nearLimit === 'CutStream') this.#state = 'final';
    // It goes on, into what is an overdraft there; the others hold for it all the same.
    else this.#growing = this.#growing.filter((budget) => budget !== refusing);
  }

  /** How long an answer the hold of a bounded budget pays for, by what the input is expected to be. */
  #tokensHeld(budget: BudgetPolicy): number {
    const { granted, quote } = this.#parts;
    const { nanoUsd, tokens, outputTokens = 0 } = quote.estimate;
    const input = budget.unit === 'usd' ? nanoUsd - ceilDiv(quote.outputNanoUsdPerMillion * BigInt(outputTokens), MILLION) : BigInt(tokens - outputTokens);
    return tokensWorth(budget, amountIn(granted, budget) - (input > 0n ? input : 0n), quote);
  }
}

/** Whether any of these budgets ends streams when it is used up. */
export function cutsStream(budgets: readonly Pick<BudgetPolicy, 'nearLimit' | 'mode'>[]): boolean {
  return budgets.some(({ nearLimit, mode }) => nearLimit === 'CutStream' && mode !== 'Observe');
}

const amountIn = ({ holds }: Granted, { id }: BudgetPolicy): bigint => holds.find(({ limit }) => limit === id)?.amount ?? 0n;

/** Tokens of output that an amount pays for. What is free has no bound. */
function tokensWorth({ unit }: BudgetPolicy, amount: bigint, { outputNanoUsdPerMillion }: Quote): number {
  if (amount <= 0n) return 0;
  if (unit === 'tokens') return Number(amount);
  return outputNanoUsdPerMillion === 0n ? Number.MAX_SAFE_INTEGER : Number((amount * MILLION) / outputNanoUsdPerMillion);
}
