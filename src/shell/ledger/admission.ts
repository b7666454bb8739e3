import type { Authority, Join, Report, SliceReport, ToAuthority } from '../../core/leases/index.ts';
import { err, ok } from '../../core/units/index.ts';
import type { Result } from '../../core/units/index.ts';
import { quote } from '../wire/index.ts';
import type { Dismissal, Identity } from '../wire/index.ts';
import type { Leaseholders } from './leaseholders.ts';
import type { Permissions } from './ports.ts';

/** Leases of one processor that are neither lost nor done: a process has one, and each that came before it until it is settled. */
const MAX_LIVE_LEASES = 64;
/** All that something is known of: one for each time that it was lost with its disk, in the past 30 days. */
const MAX_LEASES = 1_000;

const NOTHING_WANTED = { need: 0n, least: 0n, more: 0n, spare: 0n };

/** What of a message the authority may hear; it trusts what it hears. */
export function admitted(
  identity: Identity,
  message: ToAuthority,
  permissions: Permissions,
  leaseholders: Leaseholders,
  authority: Authority,
): Result<ToAuthority, Dismissal> {
  if (message.kind === 'join') return admittedJoin(identity, message, leaseholders);
  const owner = leaseholders.processorOf(message.lease);
  if (owner !== undefined && owner !== identity.processor)
    return err({ code: 'not_permitted', message: `lease ${message.lease} is not a lease of ${quote(identity.processor)}` });
  return admittedReport(identity, message, permissions, authority);
}

/** A lease costs memory and a row until it is settled. */
function admittedJoin({ processor }: Identity, join: Join, leaseholders: Leaseholders): Result<Join, Dismissal> {
  let [live, all] = [0, 0];
  for (const { nonce, state } of leaseholders.of(processor)) {
    if (nonce === join.nonce) return ok(join);
    all += 1;
    if (state !== 'expired') live += 1;
  }
  if (live < MAX_LIVE_LEASES && all < MAX_LEASES) return ok(join);
  return err({
    code: 'too_much',
    message: `${quote(processor)} has ${live} leases that run and ${all - live} that are lost; at most ${MAX_LIVE_LEASES} and ${MAX_LEASES} in all were expected`,
  });
}

function admittedReport(identity: Identity, report: Report, permissions: Permissions, authority: Authority): Result<Report, Dismissal> {
  if (report.slices.every(({ limit, subject }) => permissions.mayUse(identity, limit, subject))) return ok(report);
  const slices: SliceReport[] = [];
  for (const slice of report.slices) {
    const { limit, subject } = slice;
    const settling = permissions.mayUse(identity, limit, subject) ? slice : settled(report, slice, authority);
    if (settling === undefined)
      return err({ code: 'not_permitted', message: `${quote(identity.processor)} may not use limit ${quote(limit)} of subject ${quote(subject)}` });
    slices.push(settling);
  }
  return ok({ ...report, slices });
}

/** Of an account that it may no longer use: that it spent or gives back what it was granted. What it says beyond that is not booked. */
function settled({ lease }: Report, slice: SliceReport, authority: Authority): SliceReport | undefined {
  const share = authority.shareOf(lease, slice);
  if (share === undefined) return undefined;
  const most = share.granted - share.returned + share.allowance;
  return { ...slice, ...NOTHING_WANTED, spent: slice.spent < most ? slice.spent : most };
}
