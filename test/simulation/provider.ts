import { keyOf, limitIdentity } from '../../src/core/leases/index.ts';
import type { Hold, LimitSpec } from '../../src/core/ledger/index.ts';
import { overdraftOf } from './auditor.ts';
import type { Auditor } from './auditor.ts';
import { Violation } from './violation.ts';

interface Bill {
  readonly at: number;
  amount: bigint;
}

export function keyOfHold(spec: LimitSpec, { subject, windowStart }: Hold): string {
  return keyOf({ limit: limitIdentity(spec), subject, period: spec.window.kind === 'calendar' ? windowStart : 0 });
}

/** The provider's books: what it may still bill for what it was sent, and what it has billed. It knows of no crash but its own. */
export class Provider {
  readonly #auditor: Auditor;
  /** True time tells how old a bill is, so rolling windows are held to it only where clocks are right. */
  readonly #checksRolling: boolean;
  readonly billed = new Map<string, bigint>();
  readonly #owed = new Map<string, bigint>();
  readonly #rolling = new Map<string, Bill[]>();

  constructor(auditor: Auditor, checksRolling: boolean) {
    this.#auditor = auditor;
    this.#checksRolling = checksRolling;
  }

  /** A call arrives: it may cost what is held for it. Returns what is to be done when it has been served, at what cost. */
  serve(parts: readonly { readonly spec: LimitSpec; readonly hold: Hold }[], at: number): (costOf: (spec: LimitSpec, hold: Hold) => bigint) => void {
    const open = parts.map(({ spec, hold }) => ({ spec, hold, key: keyOfHold(spec, hold), bill: { at, amount: hold.amount } }));
    for (const { spec, hold, key, bill } of open) {
      const owed = (this.#owed.get(key) ?? 0n) + hold.amount;
      this.#owed.set(key, owed);
      if (spec.mode === 'Observe') continue;
      const ceiling = this.#ceilingOf(spec);
      if (spec.window.kind === 'rolling') this.#checkRolling(key, bill, at, spec.window.durationMs, ceiling);
      else if (owed > ceiling) throw new Violation('limit', `the provider may bill ${owed} of ${ceiling} in ${key}`);
    }
    return (costOf) => {
      for (const { spec, hold, key, bill } of open) {
        const cost = costOf(spec, hold);
        bill.amount = cost;
        this.billed.set(key, (this.billed.get(key) ?? 0n) + cost);
        this.#owed.set(key, (this.#owed.get(key) ?? 0n) - hold.amount + cost);
      }
    };
  }

  #ceilingOf(spec: LimitSpec): bigint {
    const ceiling = this.#auditor.limits.get(limitIdentity(spec))?.ceiling ?? 0n;
    return ceiling + overdraftOf(spec, ceiling);
  }

  #checkRolling(key: string, bill: Bill, at: number, durationMs: number, ceiling: bigint): void {
    const bills = (this.#rolling.get(key) ?? []).filter((one) => one.at > at - durationMs);
    bills.push(bill);
    this.#rolling.set(key, bills);
    if (!this.#checksRolling) return;
    let sum = 0n;
    for (const { amount } of bills) sum += amount;
    if (sum > ceiling) throw new Violation('limit', `the provider may bill ${sum} of ${ceiling} within ${durationMs} ms in ${key}`);
  }
}
