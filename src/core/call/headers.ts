import { FRONT_HEADERS } from '../dialects/index.ts';
import type { WorkloadSnapshot } from '../policy/index.ts';
import { cutsStream } from './growth.ts';

/** What is read of a request besides its path and body, and of an answer besides its status and body. */
const DIALECT_HEADERS = ['content-type', 'content-encoding', 'retry-after', 'traceparent', ...FRONT_HEADERS];

/** Whether answers to this workload may have to be ended before their providers end them. `undefined`: a workload without policies. */
export const cutsStreams = (snapshot: Pick<WorkloadSnapshot, 'budgets'> | undefined): boolean => snapshot !== undefined && cutsStream(snapshot.budgets);

/** Lower-case names of the request headers that these policies and the dialects read; no other header need reach the processor. */
export function headersReadBy(snapshots: Iterable<WorkloadSnapshot>): string[] {
  const names = new Set<string>(DIALECT_HEADERS);
  for (const { rules, budgets } of snapshots) {
    for (const rule of rules) {
      for (const { name } of rule.match.headers) names.add(name.toLowerCase());
      if (rule.sticky !== undefined) names.add(rule.sticky.header.toLowerCase());
    }
    for (const budget of budgets) {
      for (const { name } of budget.headers) names.add(name.toLowerCase());
      for (const part of budget.per) if (part.kind === 'header') names.add(part.name.toLowerCase());
    }
  }
  return [...names].toSorted();
}
