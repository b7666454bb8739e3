import { limitIdOf } from '../../../core/units/index.ts';
import type { AccountEntry, Entry, LeaseEntry, PeriodRef, ShareEntry } from '../../../core/leases/index.ts';
import type { EpochMs } from '../../../core/units/index.ts';
import type { Lead } from '../../ledger/index.ts';
import { accountIn, leaseIn, shareIn, toText } from '../rows/index.ts';
import { rowFrom } from './rows.ts';
import type { Ask, Statement } from './session.ts';
import { digest, toColumn } from './text.ts';

/**
 * One statement, so that no lock outlives a round trip: a controller that is cut off in the middle cannot hold up its
 * successor. Whoever takes a later term waits for its row, and then nothing here finds its term any more.
 */
const COMMIT = `
WITH beat AS (UPDATE airmesh_ledger SET beat = beat + 1 WHERE term = $1 RETURNING term),
leases AS (
  INSERT INTO airmesh_leases (lease, processor, nonce, state, expired_at, gone_at)
  SELECT row.* FROM beat, json_to_recordset($2::json) AS row (lease bigint, processor text, nonce text, state text, expired_at bigint, gone_at bigint)
  ON CONFLICT (lease) DO UPDATE SET state = excluded.state, expired_at = excluded.expired_at, gone_at = excluded.gone_at),
accounts AS (
  INSERT INTO airmesh_accounts (account, identity, subject, period, carried, buckets, until, rolling_ms, alerted)
  SELECT row.* FROM beat, json_to_recordset($3::json)
    AS row (account uuid, identity text, subject text, period bigint, carried numeric, buckets text, until bigint, rolling_ms bigint, alerted int)
  ON CONFLICT (account) DO UPDATE SET carried = excluded.carried, buckets = excluded.buckets, until = excluded.until, rolling_ms = excluded.rolling_ms, alerted = excluded.alerted),
shares AS (
  INSERT INTO airmesh_shares (lease, account, window_key, identity, subject, period, granted, returned, spent, buckets, allowance, forgiven, gone_at)
  SELECT row.* FROM beat, json_to_recordset($4::json) AS row (lease bigint, account uuid, window_key uuid, identity text, subject text, period bigint,
    granted numeric, returned numeric, spent numeric, buckets text, allowance numeric, forgiven numeric, gone_at bigint)
  ON CONFLICT (lease, account) DO UPDATE SET granted = excluded.granted, returned = excluded.returned, spent = excluded.spent, buckets = excluded.buckets,
    allowance = excluded.allowance, forgiven = excluded.forgiven, gone_at = coalesce(airmesh_shares.gone_at, excluded.gone_at)),
gone_accounts AS (DELETE FROM airmesh_accounts USING beat WHERE account = ANY ($5::uuid[])),
gone_shares AS (
  UPDATE airmesh_shares SET gone_at = $6 FROM beat WHERE account = ANY ($5::uuid[]) AND gone_at IS NULL
    AND NOT EXISTS (SELECT FROM json_to_recordset($4::json) AS row (lease bigint, account uuid) WHERE row.lease = airmesh_shares.lease AND row.account = airmesh_shares.account))
SELECT term FROM beat`;

/** It finds a row where it was stored, and none where a later term was taken. */
export function commitStatement(term: number, entries: readonly Entry[], now: EpochMs): Statement {
  const gone = new Set(entries.flatMap((entry) => (entry.kind === 'account' && entry.isGone ? [accountKey(entry)] : [])));
  const rows = { leases: [] as object[], accounts: [] as object[], shares: [] as object[] };
  for (const entry of entries) {
    if (entry.kind === 'lease') rows.leases.push(leaseRow(entry, now));
    else if (entry.kind === 'share') rows.shares.push(shareRow(entry, gone, now));
    else if (!entry.isGone) rows.accounts.push(accountRow(entry));
  }
  const [leases, accounts, shares] = [JSON.stringify(rows.leases), JSON.stringify(rows.accounts), JSON.stringify(rows.shares)];
  return { name: 'commit', text: COMMIT, values: [term, leases, accounts, shares, [...gone], now] };
}

/** All that is stored and not gone, and the lease with the highest number. Asked in one transaction that sees one state. */
export async function allEntries(ask: Ask): Promise<Lead['entries']> {
  const rows = async (text: string) => (await ask({ text, values: [] })).map(rowFrom);
  const leases = await rows("SELECT * FROM airmesh_leases WHERE state <> 'gone' OR lease = (SELECT max(lease) FROM airmesh_leases)");
  const accounts = await rows('SELECT * FROM airmesh_accounts');
  const shares = await rows(
    "SELECT airmesh_shares.* FROM airmesh_shares JOIN airmesh_leases USING (lease) WHERE airmesh_shares.gone_at IS NULL AND state <> 'gone'",
  );
  return [...leases.map(leaseIn), ...accounts.map(accountIn), ...shares.map(shareIn)];
}

function leaseRow({ lease, processor, nonce, state, expiredAt }: LeaseEntry, now: EpochMs): object {
  return { lease, processor: toColumn(processor), nonce: toColumn(nonce), state, expired_at: expiredAt ?? null, gone_at: state === 'gone' ? now : null };
}

function accountRow(entry: AccountEntry): object {
  const { carried, buckets, until = null, rollingMs, alerted } = entry;
  return { account: accountKey(entry), ...refRow(entry), carried: String(carried), buckets: toText(buckets), until, rolling_ms: rollingMs, alerted };
}

function shareRow(entry: ShareEntry, goneAccounts: ReadonlySet<string>, now: EpochMs): object {
  const { lease, limit, subject, period, granted, returned, spent, buckets, allowance, forgiven } = entry;
  const account = accountKey(entry);
  return {
    lease,
    account,
    window_key: digest(limitIdOf(limit), subject, period),
    ...refRow(entry),
    granted: String(granted),
    returned: String(returned),
    spent: String(spent),
    buckets: toText(buckets),
    allowance: String(allowance),
    forgiven: String(forgiven),
    gone_at: goneAccounts.has(account) ? now : null,
  };
}

const accountKey = ({ limit, subject, period }: PeriodRef): string => digest(limit, subject, period);

const refRow = ({ limit, subject, period }: PeriodRef): object => ({ identity: toColumn(limit), subject: toColumn(subject), period });
