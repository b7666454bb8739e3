import { endpointAddresses, serviceAddresses } from '../../core/control/index.ts';
import type { EndpointSliceObject, ServiceObject } from '../../core/control/index.ts';
import { Informer } from './informer.ts';
import type { InformerFault } from './informer.ts';
import type { Cluster } from './open.ts';
import { paths } from './paths.ts';

/** More model servers than any cluster has; each costs two watches. */
const MAX_SERVICES = 500;

type Addresses = Informer<readonly string[]>;

/** The services that are asked for, and what stands behind them, each watched by its name alone. */
export class Services {
  readonly #cluster: Pick<Cluster, 'api' | 'config'>;
  readonly #onChange: () => void;
  readonly #random: () => number;
  readonly #informers = new Map<string, readonly Addresses[]>();

  constructor(cluster: Pick<Cluster, 'api' | 'config'>, onChange: () => void, random: () => number) {
    this.#cluster = cluster;
    this.#onChange = onChange;
    this.#random = random;
  }

  /** Follows these, by `namespace/name`, and no others. */
  follow(services: ReadonlySet<string>): void {
    for (const [service, informers] of this.#informers) {
      if (services.has(service)) continue;
      for (const informer of informers) informer.close();
      this.#informers.delete(service);
    }
    for (const service of services) {
      if (this.#informers.has(service) || this.#informers.size >= MAX_SERVICES) continue;
      const [namespace = '', name = ''] = service.split('/');
      const common = { cluster: this.#cluster, onChange: this.#onChange, random: this.#random, signature: (value: readonly string[]) => value.join() };
      this.#informers.set(service, [
        new Informer({
          ...common,
          path: paths.core('services', namespace),
          fieldSelector: `metadata.name=${name}`,
          read: (object) => serviceAddresses(object as ServiceObject),
        }),
        new Informer({
          ...common,
          path: paths.endpointSlices(namespace),
          labelSelector: `kubernetes.io/service-name=${name}`,
          read: (object) => endpointAddresses(object as EndpointSliceObject),
        }),
      ]);
    }
  }

  /** By `service.namespace`, as far as they are known. Sorted, each once. */
  addresses(): ReadonlyMap<string, readonly string[]> {
    return new Map(
      [...this.#informers].map(([service, informers]) => [
        service.split('/').toReversed().join('.'),
        [...new Set(informers.flatMap((informer) => informer.items().flat()))].toSorted(),
      ]),
    );
  }

  /** Those that cannot be read, by `namespace/name`. */
  faults(): ReadonlyMap<string, InformerFault> {
    const faults = new Map<string, InformerFault>();
    for (const [service, informers] of this.#informers) for (const { fault } of informers) if (fault !== undefined) faults.set(service, fault);
    return faults;
  }

  /** Resolves when each has been told, or refused. */
  async settled(): Promise<void> {
    await Promise.all([...this.#informers.values()].flat().map((informer) => informer.settled()));
  }

  close(): void {
    for (const informer of [...this.#informers.values()].flat()) informer.close();
    this.#informers.clear();
  }
}
