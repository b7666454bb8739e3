import type { RunOptions, Running } from '../ports.ts';
import { FileFeed } from './files.ts';
import { InterceptingFeed } from './intercepting-feed.ts';
import { startMesh } from './mesh.ts';
import type { WorkloadListener } from './mesh.ts';
import { ownAddresses } from './own.ts';
import { policySource } from './policies.ts';
import { summaryOf } from './summary.ts';

/** The namespace of all workloads on one machine. */
const NAMESPACE = 'default';

/** Whose calls they are that come by `--listen`, or are taken in. */
export const DEFAULT_WORKLOAD = `${NAMESPACE}/default`;

/** Starts all of Airmesh in this process, by resources from files, and a real Envoy beside it. Throws a StartError for what a person can mend. */
export async function startRun(options: RunOptions): Promise<Running> {
  const { listen, admin, workloads, environment, simulate, logger } = options;
  const named = [{ name: 'default', ...listen, option: '--listen' }, ...workloads.map((workload) => ({ ...workload, option: `--workload ${workload.name}` }))];
  const source = policySource(options.paths, environment);
  const files = new FileFeed({
    source,
    workloads: () => named.map(({ name }) => ({ namespace: NAMESPACE, name })),
    own: ownAddresses([listen, admin, ...workloads]),
    simulate,
    environment,
    logger,
  });
  const listeners = named.map(({ name, ...address }): WorkloadListener => ({ ...address, workload: `${NAMESPACE}/${name}` }));
  const { intercepted } = options;
  const mesh = await startMesh({
    ...options,
    feed: intercepted === undefined ? files : new InterceptingFeed(files, intercepted.redirected.workload, logger),
    listeners,
    ...(intercepted === undefined ? {} : { redirected: intercepted.redirected, trust: intercepted.trust }),
  });
  return { summary: summaryOf({ ...mesh, options, source }), stop: () => mesh.stop() };
}
