import type { Account } from './account.ts';
import type { Shortage } from './purse.ts';

/** So many of a line are looked at for the first that is short. */
const LOOKAHEAD = 64;

/** What the line of a shared account lacks beyond what is free here; `undefined` where nobody waits or all is here. */
export function shortageOf(account: Account): Shortage | undefined {
  const { free, line, limit, subject } = account;
  if (line.earmarked <= free) return undefined;
  let needed = 0n;
  let place = line.head;
  for (let seen = 0; place !== undefined && seen < LOOKAHEAD; seen += 1, place = place.next) {
    needed += place.need;
    if (needed > free) return { limit, subject, need: needed - free, least: place.least, more: line.earmarked - needed, earmarked: line.earmarked };
  }
  return { limit, subject, need: line.earmarked - free, least: 0n, more: 0n, earmarked: line.earmarked };
}
