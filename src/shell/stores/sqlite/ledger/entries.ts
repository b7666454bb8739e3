import type { DatabaseSync } from 'node:sqlite';
import type { AccountEntry, Entry, LeaseEntry, ShareEntry } from '../../../../core/leases/index.ts';
import { fromText } from '../../rows/index.ts';

type Row = Readonly<Record<string, string | number | null>>;

/** All that is stored and not gone, and the lease with the highest number. */
export function entriesIn(database: DatabaseSync): Entry[] {
  const rows = (text: string): Row[] => database.prepare(text).all() as Row[];
  const leases = rows("SELECT * FROM leases WHERE state <> 'gone' OR lease = (SELECT max(lease) FROM leases)");
  const accounts = rows('SELECT * FROM accounts');
  const shares = rows("SELECT shares.* FROM shares JOIN leases USING (lease) WHERE shares.gone_at IS NULL AND leases.state <> 'gone'");
  return [...leases.map(leaseOf), ...accounts.map(accountOf), ...shares.map(shareOf)];
}

function leaseOf(row: Row): LeaseEntry {
  return {
    kind: 'lease',
    lease: Number(row['lease']),
    processor: String(row['processor']),
    nonce: String(row['nonce']),
    state: row['state'] as LeaseEntry['state'],
    ...(row['expired_at'] === null ? {} : { expiredAt: Number(row['expired_at']) }),
  };
}

function accountOf(row: Row): AccountEntry {
  return {
    kind: 'account',
    ...refOf(row),
    carried: amountOf(row, 'carried'),
    buckets: bucketsOf(row),
    ...(row['until'] === null ? {} : { until: Number(row['until']) }),
    rollingMs: Number(row['rolling_ms']),
    alerted: Number(row['alerted']),
    isGone: false,
  };
}

export function shareOf(row: Row): ShareEntry {
  return {
    kind: 'share',
    lease: Number(row['lease']),
    ...refOf(row),
    granted: amountOf(row, 'granted'),
    returned: amountOf(row, 'returned'),
    spent: amountOf(row, 'spent'),
    buckets: bucketsOf(row),
    allowance: amountOf(row, 'allowance'),
    forgiven: amountOf(row, 'forgiven'),
  };
}

function refOf(row: Row): Pick<ShareEntry, 'limit' | 'subject' | 'period'> {
  return { limit: String(row['identity']), subject: String(row['subject']), period: Number(row['period']) };
}

const amountOf = (row: Row, column: string): bigint => BigInt(String(row[column]));

const bucketsOf = (row: Row): ShareEntry['buckets'] => fromText(String(row['buckets'])) as ShareEntry['buckets'];
