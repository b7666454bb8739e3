import type { Line } from './line.ts';
import type { Shortage } from './purse.ts';

/** So many of a line are looked at for the first that is short. */
const LOOKAHEAD = 64;

/** What those in a line lack beyond what is free; `undefined` where there is enough for all. */
export function shortageIn(line: Line, free: bigint): Shortage | undefined {
  if (line.earmarked <= free) return undefined;
  let needed = 0n;
  let place = line.head;
  for (let seen = 0; place !== undefined && seen < LOOKAHEAD; seen += 1, place = place.next) {
    needed += place.need;
    if (needed > free) return { need: needed - free, least: place.least, more: line.earmarked - needed };
  }
  return { need: line.earmarked - free, least: 0n, more: 0n };
}
