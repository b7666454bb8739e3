import type { Compiled, Finding } from '../policy/index.ts';
import type { SidecarView } from './sidecar.ts';

/** More workloads than a sentence bears. */
const MAX_NAMED = 3;

/** Applications that send a key of their own to a provider: it is removed, so they need none, and it lies about for nothing. */
export function ownKeyFindings(views: readonly SidecarView[], compiled: Compiled): Finding[] {
  const findings: Finding[] = [];
  for (const [id, { policy }] of compiled.providers) {
    const senders = new Set(views.filter(({ ownKeysFor }) => ownKeysFor.includes(policy.baseUrl.host)).map(({ workload }) => workload));
    const users = [...senders].filter((workload) => compiled.snapshots.get(workload)?.providers.has(id) === true).toSorted();
    if (users.length === 0) continue;
    const named = users.slice(0, MAX_NAMED).join(', ');
    const more = users.length > MAX_NAMED ? ` and ${users.length - MAX_NAMED} more` : '';
    findings.push({
      severity: 'warning',
      resource: `AIProvider ${id}`,
      path: '',
      message: `keys of their own are sent to ${policy.baseUrl.host} by ${named}${more}; they are removed on the way, so take them out of those applications`,
    });
  }
  return findings;
}
