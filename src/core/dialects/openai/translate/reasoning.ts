import type { NeutralReasoning } from '../../neutral.ts';

type Effort = NonNullable<NeutralReasoning['effort']>;

/**
 * Largest budgets of thinking tokens that count as `low` and as `medium`; more is `high`. They are the budgets that
 * Gemini's OpenAI-compatible API makes of these efforts. `minimal` and `xhigh` are never guessed at, as few models take them.
 */
const MAX_LOW_BUDGET = 1024;
const MAX_MEDIUM_BUDGET = 8192;

/**
 * The effort that comes nearest to what was asked. `undefined`: the model decides, as it does where it is told to. What
 * turns thinking off is said as it is, though older models refuse it; a model that thought all the same would cost more
 * than was asked for.
 */
export function writeEffort(reasoning: NeutralReasoning | undefined): Effort | undefined {
  if (reasoning?.effort !== undefined) return reasoning.effort;
  const budget = reasoning?.budgetTokens;
  if (budget === undefined) return undefined;
  if (budget <= 0) return 'none';
  return budget <= MAX_LOW_BUDGET ? 'low' : budget <= MAX_MEDIUM_BUDGET ? 'medium' : 'high';
}
