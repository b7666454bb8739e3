/**
 * `node test/support/full-ledger.ts FOLDER` commits to a ledger in SQLite while the disk under FOLDER fills up and has room
 * again, ends without closing anything, opens it anew, and prints what became of it. The disk must be a small one of its own.
 */
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { StoreUnavailable } from '../../src/shell/ledger/index.ts';
import { SqliteStore } from '../../src/shell/stores/sqlite/index.ts';
import { account, lease, record, share } from '../contracts/ledger-store/material.ts';

const [folder = ''] = process.argv.slice(2);
const filler = join(folder, 'filler');
const path = join(folder, 'ledger.db');
/** Large, so that the write-ahead log grows. */
const SHARES = 200;

function fillDisk(): void {
  for (let size = 1024 * 1024; size >= 4096; size /= 2) {
    try {
      for (;;) writeFileSync(filler, Buffer.alloc(size, 1), { flag: 'a' });
    } catch {
      // Smaller pieces may still fit.
    }
  }
}

const store = await SqliteStore.open(path);
const { term } = await store.lead();
let stored = 0;

/** All of its entries say the same number. */
async function commit(): Promise<StoreUnavailable | undefined> {
  const number = BigInt(stored + 1);
  const shares = Array.from({ length: SHARES }, (_, index) => share(1, { subject: `s${index}`, spent: number }));
  try {
    await store.commit(term, [lease(1), account({ carried: number }), ...shares]);
    stored += 1;
    return undefined;
  } catch (error) {
    if (error instanceof StoreUnavailable) return error;
    throw error;
  }
}

async function commitUntilRefused(): Promise<StoreUnavailable | undefined> {
  for (let tries = 0; tries < 2_000; tries += 1) {
    const refusal = await commit();
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

for (let commits = 0; commits < 5; commits += 1) await commit();
fillDisk();
const refusal = await commitUntilRefused();
const records = await store.addRecords('p', [record('r', { rule: 'r'.repeat(100_000) })]).catch((error: unknown) => error);
const readable = (await store.pulse()).term;
rmSync(filler);
const again = await commit();
const after = await commit();
const { entries } = await (await SqliteStore.open(path)).lead();
const found = new Set(entries.flatMap((entry) => (entry.kind === 'share' ? [entry.spent] : entry.kind === 'account' ? [entry.carried] : [])));
process.stdout.write(
  JSON.stringify({
    refusal: [refusal?.fault, refusal?.message],
    records: records instanceof StoreUnavailable ? records.fault : String(records),
    readable,
    goesOn: again === undefined && after === undefined,
    stored,
    found: [...found].map(Number),
    entries: entries.length - SHARES,
  }),
);
process.exit(0);
