import type { LeasedFrom, Outbox } from '../../shell/budgets/index.ts';

/** A ledger service, as a processor uses it. */
export interface LedgerAccess {
  readonly leasedFrom: LeasedFrom;
  /** Hands records over as they end. What it returns hands over the last of them, and ends. */
  deliver(outbox: Outbox): () => Promise<void>;
}
