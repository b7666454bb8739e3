import type { DatabaseSync } from 'node:sqlite';
import type { Entry } from '../../../../core/leases/index.ts';
import { accountIn, leaseIn, shareIn } from '../../rows/index.ts';
import type { Row } from '../../rows/index.ts';

/** All that is stored and not gone, and the lease with the highest number. */
export function entriesIn(database: DatabaseSync): Entry[] {
  const rows = (text: string): Row[] => database.prepare(text).all() as Row[];
  const leases = rows("SELECT * FROM leases WHERE state <> 'gone' OR lease = (SELECT max(lease) FROM leases)");
  const accounts = rows('SELECT * FROM accounts');
  const shares = rows("SELECT shares.* FROM shares JOIN leases USING (lease) WHERE shares.gone_at IS NULL AND leases.state <> 'gone'");
  return [...leases.map(leaseIn), ...accounts.map(accountIn), ...shares.map(shareIn)];
}
