import type { EpochMs } from '../../../core/units/index.ts';
import type { Ask } from './session.ts';

/** What is deleted of each kind in one transaction, so that nothing waits long. */
const STEP_ROWS = 1_000;

const RECORDS = `
WITH old AS (SELECT key FROM airmesh_records WHERE ended_at < $1 ORDER BY ended_at LIMIT ${STEP_ROWS} FOR UPDATE SKIP LOCKED),
deleted AS (DELETE FROM airmesh_records USING old WHERE airmesh_records.key = old.key RETURNING 1)
SELECT count(*) AS count FROM deleted`;

/** What was posted from a share goes with it, so that it does not count in others. */
const SHARES = `
WITH old AS (
  SELECT lease, account FROM airmesh_shares WHERE gone_at < $1
  UNION SELECT lease, account FROM airmesh_shares WHERE lease IN (SELECT lease FROM airmesh_leases WHERE gone_at < $1) LIMIT ${STEP_ROWS}),
deleted AS (DELETE FROM airmesh_shares USING old WHERE airmesh_shares.lease = old.lease AND airmesh_shares.account = old.account RETURNING airmesh_shares.lease, window_key),
posted AS (DELETE FROM airmesh_posted USING deleted WHERE airmesh_posted.lease = deleted.lease AND airmesh_posted.window_key = deleted.window_key)
SELECT count(*) AS count FROM deleted`;

const POSTED = 'DELETE FROM airmesh_posted WHERE lease IN (SELECT lease FROM airmesh_leases WHERE gone_at < $1)';
const LEASES = 'DELETE FROM airmesh_leases WHERE gone_at < $1 AND lease < (SELECT max(lease) FROM airmesh_leases)';

/** Within a transaction: deletes a step of what is older. True while there is more. */
export async function forgetStep(ask: Ask, beforeMs: EpochMs): Promise<boolean> {
  const deleted = async (text: string): Promise<number> => Number((await ask({ text, values: [beforeMs] }))[0]?.['count']);
  const [records, shares] = [await deleted(RECORDS), await deleted(SHARES)];
  if (shares < STEP_ROWS) {
    await ask({ text: POSTED, values: [beforeMs] });
    await ask({ text: LEASES, values: [beforeMs] });
  }
  return records === STEP_ROWS || shares === STEP_ROWS;
}
