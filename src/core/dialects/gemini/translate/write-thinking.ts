import type { NeutralReasoning } from '../../neutral.ts';
import type { Generation } from './generation.ts';
import type { LossLog } from '../../losses.ts';
import { isEmpty, withoutAbsent } from '../../values.ts';
import type { JsonObject } from '../../values.ts';

type Effort = NonNullable<NeutralReasoning['effort']>;

/** Tokens for an effort. Source: Gemini API, "OpenAI compatibility", the table of reasoning efforts and thinking budgets. */
const BUDGETS: Readonly<Record<Effort, number>> = { none: 0, minimal: 1024, low: 1024, medium: 8192, high: 24_576, xhigh: 32_768, max: 32_768 };

const LEVELS: Readonly<Record<Effort, 'lowest' | 'LOW' | 'MEDIUM' | 'HIGH'>> = {
  none: 'lowest',
  minimal: 'lowest',
  low: 'LOW',
  medium: 'MEDIUM',
  high: 'HIGH',
  xhigh: 'HIGH',
  max: 'HIGH',
};

/** Leaves a budget to the model. */
const DYNAMIC_BUDGET = -1;

/** Writes `thinkingConfig`; `undefined` where nothing is asked, or the model does not think. */
export function writeThinkingConfig(reasoning: NeutralReasoning | undefined, generation: Generation, losses: LossLog): JsonObject | undefined {
  if (reasoning === undefined) return undefined;
  if (generation.thinking === 'none') {
    if (reasoning.effort !== 'none' && reasoning.budgetTokens !== 0)
      losses.dropped('reasoning', 'This model does not think before it answers, so the setting was left out.');
    return undefined;
  }
  const amount = generation.thinking === 'level' ? levelOf(reasoning, generation, losses) : budgetOf(reasoning, generation, losses);
  const config = { ...amount, ...withoutAbsent({ includeThoughts: reasoning.visible }) };
  return isEmpty(config) ? undefined : config;
}

/** Newer models know levels and still take budgets, but not both. They cannot stop thinking. */
function levelOf({ effort, budgetTokens }: NeutralReasoning, { lowestLevel }: Generation, losses: LossLog): JsonObject {
  if (effort === undefined && budgetTokens !== undefined && budgetTokens > 0) return { thinkingBudget: budgetTokens };
  const asked = effort ?? (budgetTokens === 0 ? 'none' : undefined);
  if (asked === undefined) return {};
  if (asked === 'none') losses.dropped('reasoning', `This model cannot answer without thinking; it was asked for the least, ${lowestLevel}.`);
  if (asked === 'xhigh' || asked === 'max') losses.dropped('reasoning', 'The highest level of thinking that Gemini has by name is HIGH, which was asked for.');
  const level = LEVELS[asked];
  return { thinkingLevel: level === 'lowest' ? lowestLevel : level };
}

function budgetOf({ effort, budgetTokens, adaptive }: NeutralReasoning, { budget }: Generation, losses: LossLog): JsonObject {
  const asked = budgetTokens ?? (effort === undefined ? undefined : BUDGETS[effort]);
  if (asked === undefined) return adaptive === true ? { thinkingBudget: DYNAMIC_BUDGET } : {};
  if (asked === 0 && budget.canStop) return { thinkingBudget: 0 };
  const within = Math.min(Math.max(asked, budget.min), budget.max);
  if (within !== asked && (budgetTokens !== undefined || asked === 0))
    losses.dropped('reasoning', `This model thinks within ${budget.min} to ${budget.max} tokens, so ${within} were asked for.`);
  return { thinkingBudget: within };
}
