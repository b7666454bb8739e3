import { costOf, sumOfUsages } from '../../catalog/index.ts';
import type { Usage } from '../../catalog/index.ts';
import type { BatchAnswer } from '../../dialects/index.ts';
import type { ModelInfo } from '../../catalog/index.ts';
import type { NanoUsd } from '../../units/index.ts';
import type { Ended } from '../ended.ts';
import type { CallHold } from '../record.ts';

type Circumstances = Pick<Ended, 'at' | 'isUsd'>;

interface Sum {
  readonly hold: CallHold;
  readonly model: ModelInfo | undefined;
  usage: Usage;
  costNanoUsd: NanoUsd;
  /** Answers whose usage is not known. */
  unread: number;
  servedModel: string | undefined;
}

/** Sums up what a batch has used, for each of its holds. */
export class BatchTally {
  readonly #sums: readonly Sum[];

  /** `modelOf`: a hold's model as it is priced now; `undefined` where it is not known any more. */
  constructor(holds: readonly CallHold[], modelOf: (hold: CallHold) => ModelInfo | undefined) {
    this.#sums = holds.map((hold) => ({
      hold,
      model: modelOf(hold),
      usage: { inputTokens: 0, outputTokens: 0 },
      costNanoUsd: 0n,
      unread: 0,
      servedModel: undefined,
    }));
  }

  add({ model, usage }: BatchAnswer): void {
    const sum = this.#sumOf(model);
    if (sum === undefined) return;
    sum.servedModel = model ?? sum.servedModel;
    if (usage === undefined) {
      sum.unread++;
      return;
    }
    sum.usage = sumOfUsages([sum.usage, usage]);
    if (sum.model?.price !== undefined) sum.costNanoUsd += costOf(usage, sum.model.price, 'batch');
  }

  /** How each hold ended. An answer that cannot be read may have cost anything up to its hold. */
  ends(circumstances: Circumstances): readonly { readonly hold: CallHold; readonly ended: Ended }[] {
    return this.#sums.map(({ hold, model, usage, costNanoUsd, unread, servedModel }) => {
      const known = { ...circumstances, status: 200, servedModel, shrunkToTokens: undefined };
      if (unread === 0)
        return { hold, ended: { ...known, ending: 'finished', usage, basis: 'actual', costNanoUsd: model?.price === undefined ? undefined : costNanoUsd } };
      const isMore = costNanoUsd > hold.estimate.nanoUsd;
      return {
        hold,
        ended: {
          ...known,
          ending: 'finished',
          usage: isMore ? usage : usageExpected(hold),
          basis: 'estimated',
          costNanoUsd: isMore ? costNanoUsd : expectedCost(hold),
        },
      };
    });
  }

  /**
   * The hold that an answer's model belongs to. Providers answer with a dated name (`gpt-4.1-2025-04-14`), so the longest
   * beginning counts; what fits nothing goes to the dearest.
   */
  #sumOf(served: string | undefined): Sum | undefined {
    if (this.#sums.length <= 1) return this.#sums[0];
    const name = served?.toLowerCase() ?? '';
    const fitting = this.#sums.filter((sum) => name.startsWith(nameOf(sum)));
    return (
      fitting.toSorted((one, other) => nameOf(other).length - nameOf(one).length)[0] ?? this.#sums.toSorted((one, other) => priceOf(other) - priceOf(one))[0]
    );
  }
}

/** How a hold ends whose batch's result cannot be had any more. */
export function lostEnd(hold: CallHold, circumstances: Circumstances): Ended {
  return {
    ...circumstances,
    ending: 'lost',
    status: 0,
    servedModel: undefined,
    usage: usageExpected(hold),
    basis: 'estimated',
    costNanoUsd: expectedCost(hold),
    shrunkToTokens: undefined,
  };
}

const nameOf = ({ model, hold }: Sum): string => (model?.providerModel ?? hold.model).toLowerCase();
const priceOf = ({ model }: Sum): number => Number(model?.price?.output ?? 0n);
const usageExpected = ({ estimate: { inputTokens, outputTokens } }: CallHold): Usage => ({ inputTokens, outputTokens });
const expectedCost = (hold: CallHold): NanoUsd | undefined => (hold.priceSource === undefined ? undefined : hold.estimate.nanoUsd);
