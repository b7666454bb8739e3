import type { Compiled, RulePolicy } from '../policy/index.ts';

/** More workloads than a sentence bears. */
const MAX_NAMED = 3;

/** By `namespace/route`, which of these workloads it leads somewhere by a rule that counts; both in their order. */
export function usersByRoute(
  workloads: readonly string[],
  { snapshots }: Compiled,
  counts: (rule: RulePolicy) => boolean = () => true,
): ReadonlyMap<string, readonly string[]> {
  const users = new Map<string, string[]>();
  for (const workload of workloads) {
    const rules = (snapshots.get(workload)?.rules ?? []).filter(counts);
    for (const route of new Set(rules.map(({ id }) => id.slice(0, id.indexOf('#'))))) users.set(route, [...(users.get(route) ?? []), workload]);
  }
  return users;
}

/** For a sentence: the first few, and how many more. */
export function named(workloads: readonly string[]): string {
  const more = workloads.length > MAX_NAMED ? ` and ${workloads.length - MAX_NAMED} more` : '';
  return `${workloads.slice(0, MAX_NAMED).join(', ')}${more}`;
}
