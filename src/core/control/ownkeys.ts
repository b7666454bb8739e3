import type { Compiled, Finding } from '../policy/index.ts';
import type { SidecarView } from './sidecar.ts';

/** More workloads than a sentence bears. */
const MAX_NAMED = 3;

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
    for (const [route, senders] of routesTo(id, users, compiled)) findings.push(finding(`AIRoute ${route}`, host, senders));
  }
  return findings;
}

/** By `namespace/route`, which of these workloads may call the provider by it. */
function routesTo(provider: string, workloads: readonly string[], { snapshots }: Compiled): ReadonlyMap<string, readonly string[]> {
  const routes = new Map<string, string[]>();
  for (const workload of workloads) {
    const rules = snapshots.get(workload)?.rules ?? [];
    const leading = rules.filter(({ backends }) => backends.some((backend) => backend.provider === provider));
    for (const route of new Set(leading.map(({ id }) => id.slice(0, id.indexOf('#'))))) routes.set(route, [...(routes.get(route) ?? []), workload]);
  }
  return routes;
}

function finding(resource: string, host: string, workloads: readonly string[]): Finding {
  const named = workloads.slice(0, MAX_NAMED).join(', ');
  const more = workloads.length > MAX_NAMED ? ` and ${workloads.length - MAX_NAMED} more` : '';
  const message =
    workloads.length === 1
      ? `${named} sends a key of its own to ${host}; it is removed on the way, so take it out of that application`
      : `${named}${more} send keys of their own to ${host}; they are removed on the way, so take them out of those applications`;
  return { severity: 'warning', resource, path: '', message };
}
