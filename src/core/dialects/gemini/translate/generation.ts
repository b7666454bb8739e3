import { bareModel } from '../endpoints.ts';

/**
 * What a model's name tells of what it takes. Names are open-ended, so one that is not known counts as of the newest
 * generation. Source: Gemini API, "Thinking", "Thought signatures", "Function calling"; `google-model-catalog.ts` of `@ai-sdk/google`.
 */
export interface Generation {
  /** `none`: no thinking to be set. `budget`: in tokens (2.5). `level`: in words (3 and newer). */
  readonly thinking: 'none' | 'budget' | 'level';
  /** The least and the most that a budget may be; zero turns thinking off where `canStop`. */
  readonly budget: { readonly min: number; readonly max: number; readonly canStop: boolean };
  /** The least level. */
  readonly lowestLevel: 'MINIMAL' | 'LOW';
  /** Calls of functions must carry a seal, and results may hold images. */
  readonly isThird: boolean;
  /** Takes a system instruction. */
  readonly hasInstruction: boolean;
}

/** Gemini 1 and 2.0, and the models without a number that were of their time. */
const BEFORE_THINKING = /(?:^|\/)(?:gemini-(?:1(?:[.-]|$)|2\.0|pro(?:-vision)?$)|gemma-|learnlm)/i;
const SECOND = /(?:^|\/)gemini-2(?:[.-]|$)/i;
const EARLY_FLASH = /(?:^|\/)gemini-3(?:\.[0-6])?-flash|flash-lite/i;

export function generationOf(model: string): Generation {
  const name = bareModel(model);
  const isOld = BEFORE_THINKING.test(name);
  const isSecond = SECOND.test(name);
  return {
    thinking: isOld ? 'none' : isSecond ? 'budget' : 'level',
    budget: budgetOf(name),
    lowestLevel: EARLY_FLASH.test(name) ? 'MINIMAL' : 'LOW',
    isThird: !isOld && !isSecond,
    hasInstruction: !/(?:^|\/)gemma-/i.test(name),
  };
}

function budgetOf(name: string): Generation['budget'] {
  if (/-pro(?:-|$)/i.test(name)) return { min: 128, max: 32_768, canStop: false };
  return { min: /lite/i.test(name) ? 512 : 1, max: 24_576, canStop: true };
}
