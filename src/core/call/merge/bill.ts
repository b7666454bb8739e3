import { sumOfUsages } from '../../catalog/index.ts';
import type { Usage } from '../../catalog/index.ts';
import { apportion } from '../../units/index.ts';
import type { Exchange } from '../exchange.ts';

/**
 * What the provider asks for one call is paid by the calls that it was made for, each by its input tokens, to the
 * nano-dollar: rounding each by itself would sum up to more, and a price by the request is asked for once. Where the usage
 * of one is not known, each is settled by itself.
 */
export function shareCost(exchanges: readonly Exchange[]): void {
  const usages = exchanges.flatMap((exchange): readonly Usage[] => {
    const reading = exchange.reading();
    return reading.kind === 'reported' ? [reading.usage] : [];
  });
  const [first] = exchanges;
  if (first === undefined || usages.length < exchanges.length) return;
  const cost = first.costOf(sumOfUsages(usages));
  if (cost === undefined) return;
  const shares = apportion(
    cost,
    usages.map(({ inputTokens }) => BigInt(inputTokens)),
  );
  for (const [index, exchange] of exchanges.entries()) exchange.owe(shares[index] ?? 0n);
}
