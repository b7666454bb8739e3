import type { Compiled, Finding, RulePolicy } from '../policy/index.ts';
import type { SidecarView } from './sidecar.ts';
import { named, usersByRoute } from './users.ts';

/**
 * Applications that send a key of their own to a provider: it is removed, so they need none, and it lies about for nothing.
 * Said to whoever owns the provider, and to whoever owns the routes by which those applications reach it.
 */
export function ownKeyFindings(views: readonly SidecarView[], compiled: Compiled): Finding[] {
  const sendersByHost = new Map<string, Set<string>>();
  for (const { workload, ownKeysFor } of views)
    for (const host of ownKeysFor) sendersByHost.set(host, (sendersByHost.get(host) ?? new Set<string>()).add(workload));
  const findings: Finding[] = [];
  for (const [id, { policy }] of compiled.providers) {
    const { host } = policy.baseUrl;
    const users = [...(sendersByHost.get(host) ?? [])].filter((workload) => compiled.snapshots.get(workload)?.providers.has(id) === true).toSorted();
    if (users.length === 0) continue;
    findings.push(finding(`AIProvider ${id}`, host, users));
    const leads = ({ backends }: RulePolicy): boolean => backends.some(({ provider }) => provider === id);
    for (const [route, senders] of usersByRoute(users, compiled, leads)) findings.push(finding(`AIRoute ${route}`, host, senders));
  }
  return findings;
}

function finding(resource: string, host: string, workloads: readonly string[]): Finding {
  const message =
    workloads.length === 1
      ? `${named(workloads)} sends a key of its own to ${host}; it is removed on the way, so take it out of that application`
      : `${named(workloads)} send keys of their own to ${host}; they are removed on the way, so take them out of those applications`;
  return { severity: 'warning', resource, path: '', message };
}
