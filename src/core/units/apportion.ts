/**
 * Shares of a whole by weight, in whole units, whose sum is the whole: each is first rounded down, then those that lost most
 * get one more, the earlier first among equals. No share is more than a unit above its exact one, and none of weight 0 has
 * any, unless all weights are 0: then they count alike. The whole and the weights must not be negative.
 */
export function apportion(whole: bigint, weights: readonly bigint[]): bigint[] {
  const sum = weights.reduce((total, weight) => total + weight, 0n);
  if (sum === 0n)
    return weights.length === 0
      ? []
      : apportion(
          whole,
          weights.map(() => 1n),
        );
  const shares = weights.map((weight) => (whole * weight) / sum);
  const lost = weights.map((weight, index) => ({ index, rest: (whole * weight) % sum }));
  let left = whole - shares.reduce((total, share) => total + share, 0n);
  for (const { index } of lost.toSorted((one, other) => Number(other.rest > one.rest) - Number(other.rest < one.rest))) {
    if (left === 0n) break;
    shares[index] = (shares[index] ?? 0n) + 1n;
    left -= 1n;
  }
  return shares;
}
