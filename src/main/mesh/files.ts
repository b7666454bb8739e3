import type { KnownWorkload } from '../../core/policy/index.ts';
import { formatFinding, watchResources } from '../../shell/resources/index.ts';
import type { Logger } from '../../shell/telemetry/index.ts';
import type { Address } from '../ports.ts';
import { StartError } from '../start-error.ts';
import type { Policies, PolicyFeed, PolicyListener } from './feed.ts';
import { messageOf } from './message-of.ts';
import { loadPolicies, needsSimulator } from './policies.ts';
import type { LoadedPolicies, PolicySource } from './policies.ts';
import { startSimulatorThread } from './simulator.ts';
import type { SimulatorThread } from './simulator.ts';

export interface FileFeedOptions {
  readonly source: PolicySource;
  /** As they are at each reading. */
  readonly workloads: () => readonly KnownWorkload[];
  /** Where a provider's address would lead back to this process. */
  readonly own: readonly Address[];
  /** `auto`: the simulated provider where a resource asks for it. */
  readonly simulate: 'auto' | 'never';
  readonly environment: NodeJS.ProcessEnv;
  readonly logger: Logger;
}

/** Policies from resources in files and in the environment; with them, the simulated provider that they may name. */
export class FileFeed implements PolicyFeed {
  readonly #options: FileFeedOptions;
  #simulator: SimulatorThread | undefined;
  #reloaded = Promise.resolve();

  constructor(options: FileFeedOptions) {
    this.#options = options;
  }

  /** At the start, an error in a resource is for a person to mend; later, the last good policies go on. */
  async first(): Promise<Policies> {
    if (needsSimulator(this.#load().resources) && this.#options.simulate === 'auto') this.#simulator = await startSimulatorThread();
    const { findings, compiled } = this.#load();
    const errors = findings.filter(({ severity }) => severity === 'error');
    for (const finding of findings) if (finding.severity === 'warning') this.#options.logger.warn('resource.warning', { finding: formatFinding(finding) });
    if (errors.length === 0) return compiled;
    throw new StartError(
      `The resources have ${errors.length} ${errors.length === 1 ? 'error' : 'errors'}:\n${errors.map(formatFinding).join('\n')}`,
      'Mend them; `airmesh validate` checks without starting.',
    );
  }

  follow(listener: PolicyListener): () => void {
    const { source } = this.#options;
    if (source.kind !== 'files') return () => undefined;
    const watching = watchResources(source.paths, () => void this.reload(listener));
    return () => watching.close();
  }

  /** Reads all anew, after what is being read; resolves when it is applied or refused. */
  reload(listener: PolicyListener): Promise<void> {
    this.#reloaded = this.#reloaded.then(() => this.#reload(listener)).catch((error: unknown) => listener.refuse([messageOf(error)]));
    return this.#reloaded;
  }

  async stop(): Promise<void> {
    await this.#simulator?.stop();
  }

  async #reload(listener: PolicyListener): Promise<void> {
    const { findings, compiled, resources } = this.#load();
    const errors = findings.filter(({ severity }) => severity === 'error').map(formatFinding);
    if (errors.length > 0) return listener.refuse(errors);
    if ((await listener.apply(compiled)) === undefined) this.#options.logger.info('snapshot.applied', { resources: resources.length });
  }

  #load(): LoadedPolicies {
    const { source, workloads, own, environment } = this.#options;
    return loadPolicies(source, { workloads: workloads(), own, simulatedUrl: this.#simulator?.url, environment });
  }
}
