import type { NeutralChat, NeutralReasoning } from '../../neutral.ts';
import { MIN_THINKING_BUDGET } from '../limits.ts';
import type { Generation } from './generation.ts';
import type { LossLog } from './losses.ts';
import type { Wire } from './write-content.ts';

type Effort = Exclude<NeutralReasoning['effort'], undefined>;

/** Tokens of thinking for an effort, where a model wants a number. Anthropic names none; these begin at the least that it takes. */
const BUDGETS: Readonly<Record<Exclude<Effort, 'none'>, number>> = { minimal: 1_024, low: 2_048, medium: 8_192, high: 16_384, xhigh: 32_768, max: 32_768 };

/** How reasoning is asked for. */
export interface WrittenReasoning {
  readonly thinking?: Wire;
  readonly effort?: string;
  /** Thinking is turned on by this request. */
  readonly thinks: boolean;
  /** Tokens that the budget takes of the cap; 0 where there is none. */
  readonly budgetTokens: number;
}

const OFF: WrittenReasoning = { thinks: false, budgetTokens: 0 };

/** Writes `thinking` and `output_config.effort`, each where the model takes it. An effort alone turns thinking on, as its asker would expect. */
export function reasoningOf({ messages, reasoning, toolChoice, maxOutputTokens }: NeutralChat, generation: Generation, losses: LossLog): WrittenReasoning {
  if (reasoning === undefined || asksForNothing(reasoning)) return OFF;
  if (reasoning.effort === 'none' || reasoning.budgetTokens === 0) return turnedOff(generation, losses);
  if (toolChoice?.kind === 'required' || toolChoice?.kind === 'tool') {
    losses.dropped('reasoning', 'Anthropic does not think where a tool must be called; thinking is left out.');
    return OFF;
  }
  if (generation.thinking === 'budget' && hasLostThoughts(messages)) {
    losses.dropped(
      'reasoning',
      'After a tool Anthropic thinks on only with the thoughts that led to it, which were not sent back; the answer to the tool comes without thinking.',
    );
    return OFF;
  }
  return generation.thinking === 'adaptive' ? adaptive(reasoning, generation, losses) : budgeted(reasoning, generation, maxOutputTokens, losses);
}

/** Whether the tools that are being answered were called without the thoughts before them, as callers of APIs send them that have no place for those. */
function hasLostThoughts(messages: NeutralChat['messages']): boolean {
  const parts = messages.findLast(({ role }) => role === 'assistant')?.parts ?? [];
  const isKept = parts.some((part) => part.kind === 'thinking' && (part.signature ?? part.redacted)?.origin === 'anthropic');
  return parts.some(({ kind }) => kind === 'tool_call') && !isKept;
}

/** To hide what a model may think is no wish that it thinks. */
function asksForNothing({ effort, budgetTokens, adaptive, visible }: NeutralReasoning): boolean {
  return effort === undefined && budgetTokens === undefined && adaptive !== true && visible !== true;
}

/** Models that think only when they are asked to need no word, and those that always think take none. */
function turnedOff(generation: Generation, losses: LossLog): WrittenReasoning {
  if (generation.thinking === 'budget') return OFF;
  if (generation.canDisableThinking) return { ...OFF, thinking: { type: 'disabled' } };
  losses.dropped('reasoning', 'This model always thinks; it is asked for the lowest effort.');
  return { ...OFF, effort: 'low' };
}

function adaptive({ effort, budgetTokens, visible }: NeutralReasoning, generation: Generation, losses: LossLog): WrittenReasoning {
  if (budgetTokens !== undefined) losses.dropped('reasoning', 'This model decides by itself how much it thinks; a budget of tokens becomes an effort.');
  const wanted = effort ?? (budgetTokens === undefined ? undefined : effortOf(budgetTokens));
  const display = visible === undefined ? {} : { display: visible ? 'summarized' : 'omitted' };
  return { thinking: { type: 'adaptive', ...display }, ...writtenEffort(wanted, generation, losses), thinks: true, budgetTokens: 0 };
}

function budgeted({ effort, budgetTokens, visible }: NeutralReasoning, generation: Generation, cap: number | undefined, losses: LossLog): WrittenReasoning {
  if (visible === false) losses.dropped('reasoning', 'Anthropic shows what this model thinks; it cannot be hidden.');
  const wanted = Math.max(MIN_THINKING_BUDGET, budgetTokens ?? BUDGETS[effort === undefined || effort === 'none' ? 'medium' : effort]);
  const budget = cap === undefined || wanted < cap ? wanted : halfOf(cap);
  const written = generation.effort ? writtenEffort(effort, generation, losses) : {};
  if (budget !== undefined) {
    if (budgetTokens !== undefined && budget !== budgetTokens)
      losses.dropped('reasoning', `Anthropic wants a budget of thinking from ${MIN_THINKING_BUDGET} tokens on, and below the cap; it is moved there.`);
    return { thinking: { type: 'enabled', budget_tokens: budget }, ...written, thinks: true, budgetTokens: budget };
  }
  losses.dropped('reasoning', `Anthropic thinks with at least ${MIN_THINKING_BUDGET} tokens of the cap, which is lower; thinking is left out.`);
  return { ...OFF, ...written };
}

/** A budget that leaves room for an answer; `undefined` where the cap has no room for the least. */
function halfOf(cap: number): number | undefined {
  const half = Math.max(MIN_THINKING_BUDGET, Math.floor(cap / 2));
  return half < cap ? half : undefined;
}

function writtenEffort(effort: NeutralReasoning['effort'], generation: Generation, losses: LossLog): { readonly effort?: string } {
  if (effort === undefined || effort === 'none') return {};
  const known = knownEffort(effort, generation);
  if (known !== effort) losses.dropped('reasoning', `This model has no effort ${effort}; it is asked for ${known}.`);
  return { effort: known };
}

/** `max` came with the models that think adaptively, `xhigh` with those that take no sampling parameters. */
function knownEffort(effort: Effort, generation: Generation): Effort {
  if (effort === 'minimal') return 'low';
  const isTooNew = effort === 'max' ? generation.thinking === 'budget' : effort === 'xhigh' && generation.sampling;
  return isTooNew ? 'high' : effort;
}

function effortOf(budgetTokens: number): Effort {
  if (budgetTokens <= BUDGETS.low) return 'low';
  if (budgetTokens <= BUDGETS.medium) return 'medium';
  return budgetTokens <= BUDGETS.high ? 'high' : 'max';
}
