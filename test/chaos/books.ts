import type { CallRecord } from '../../src/core/call/index.ts';
import type { LedgerStore } from '../../src/shell/ledger/index.ts';

const PAGE = 1_000;

interface ProviderBooks {
  readonly models: Readonly<Record<string, { readonly costNanoUsd: string }>>;
}

/** What the provider bills for a model, in nano-dollars. Rejects where it bills nothing: it does for models that it knows no price of. */
export async function billed(providerUrl: string, model: string): Promise<bigint> {
  const { models } = (await (await fetch(`${providerUrl}/simulator/books`)).json()) as ProviderBooks;
  const nanoUsd = BigInt(models[model]?.costNanoUsd ?? 0);
  if (nanoUsd === 0n) throw new Error(`the provider bills nothing for ${model}`);
  return nanoUsd;
}

/** An account, in nano-dollars. */
export interface Account {
  readonly posted: bigint;
  readonly pending: bigint;
  readonly free: bigint;
}

/** What whoever leads says of a budget; `undefined` while nobody does. */
export async function account(admins: readonly string[], budget: string): Promise<Account | undefined> {
  for (const admin of admins) {
    const text = await fetch(`${admin}/metrics`).then(
      (answer) => answer.text(),
      () => '',
    );
    const nanoUsd = (figure: keyof Account): bigint | undefined => {
      const dollars = new RegExp(`^airmesh_budget_${figure}\\{budget="${budget}"[^}]*\\} (\\S+)$`, 'm').exec(text)?.[1];
      return dollars === undefined ? undefined : BigInt(Math.round(Number(dollars) * 1e9));
    };
    const [posted, pending, free] = [nanoUsd('posted'), nanoUsd('pending'), nanoUsd('free')];
    if (posted !== undefined && pending !== undefined && free !== undefined) return { posted, pending, free };
  }
  return undefined;
}

export async function allRecords(store: LedgerStore): Promise<CallRecord[]> {
  const records: CallRecord[] = [];
  for (;;) {
    const last = records.at(-1);
    const page = await store.records({ sinceMs: 0, count: PAGE, ...(last === undefined ? {} : { after: { endedAt: last.endedAt, id: last.id } }) });
    records.push(...page);
    if (page.length < PAGE) return records;
  }
}

/** What records say was posted in a budget. */
export function postedIn(records: readonly CallRecord[], budget: string): bigint {
  return records.flatMap(({ posted }) => posted).reduce((sum, { limit, amount }) => (limit === budget ? sum + amount : sum), 0n);
}

/** What leases were charged with in a budget that no record tells of. */
export async function unaccountedIn(store: LedgerStore, budget: string, by: (processor: string) => boolean = () => true): Promise<bigint> {
  return (await store.unaccounted())
    .filter(({ limit, processor }) => limit.startsWith(`${budget}|`) && by(processor))
    .reduce((sum, { amount }) => sum + amount, 0n);
}
