import { setTimeout as delay } from 'node:timers/promises';
import type { EpochMs, MonotonicMs } from '../../core/units/index.ts';
import { messageOf, refusalOf } from './apiserver.ts';
import type { ApiServer } from './apiserver.ts';
import { paths } from './paths.ts';

/** How long a lead lasts that is not renewed; the same as Kubernetes' own controllers. */
const LEASE_MS: MonotonicMs = 15_000;
/** Who could not renew for so long stops to write, well before another may begin. */
const RENEW_WITHIN_MS: MonotonicMs = 10_000;
const RETRY_MS: MonotonicMs = 2_000;

export interface LeadershipParts {
  readonly api: Pick<ApiServer, 'send'>;
  readonly namespace: string;
  /** Of the Lease. */
  readonly name: string;
  /** Of this process, and of no other at the same time. */
  readonly identity: string;
  readonly clock: { epochMs(): EpochMs; monotonicMs(): MonotonicMs };
  readonly random: () => number;
  /** Waits; ends early when it is stopped. */
  readonly wait?: (ms: MonotonicMs, signal: AbortSignal) => Promise<void>;
  /** Whether it would do any good now that this process leads. */
  readonly isFit: () => boolean;
  readonly onChange: (leads: boolean) => void;
  readonly onFault: (message: string) => void;
}

/** coordination.k8s.io/v1 Lease, as far as it is used. */
interface Lease {
  readonly metadata: { readonly resourceVersion: string };
  readonly spec?: {
    readonly holderIdentity?: string | null;
    readonly leaseDurationSeconds?: number | null;
    readonly acquireTime?: string | null;
    readonly renewTime?: string | null;
    readonly leaseTransitions?: number | null;
  };
}

const waitFor = (ms: MonotonicMs, signal: AbortSignal): Promise<void> => delay(ms, undefined, { signal }).catch(() => undefined);

/**
 * Who of several controllers writes, by a Lease, as client-go elects: nobody's clock is compared with another's. Whoever
 * sees a lease unchanged for its duration, by its own monotonic clock, may take it; a write of the Lease names the version
 * that it replaces, so one wins. `leads` ends by itself when the lease is not renewed in time.
 */
export class Leadership {
  readonly #parts: LeadershipParts;
  readonly #closing = new AbortController();
  /** What was seen last, and since when it has not changed. */
  #seen: { readonly version: string; readonly at: MonotonicMs } | undefined;
  #renewedAt: MonotonicMs | undefined;
  #didLead = false;
  #running: Promise<void> = Promise.resolve();

  constructor(parts: LeadershipParts) {
    this.#parts = parts;
  }

  /** Whether this process may write, now. To be asked before each write. */
  get leads(): boolean {
    return this.#renewedAt !== undefined && this.#parts.clock.monotonicMs() - this.#renewedAt < RENEW_WITHIN_MS;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** Gives the lead back, so that the next one need not wait. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#running;
    if (!this.leads) return;
    this.#renewedAt = undefined;
    this.#tell();
    await this.#attempt(true).catch(() => undefined);
  }

  async #run(): Promise<void> {
    const { random, wait = waitFor, onFault } = this.#parts;
    while (!this.#closing.signal.aborted) {
      try {
        await this.#attempt(false);
      } catch (error) {
        onFault(messageOf(error));
      }
      this.#tell();
      await wait(RETRY_MS * (0.8 + 0.4 * random()), this.#closing.signal);
    }
  }

  #tell(): void {
    const { leads } = this;
    if (leads === this.#didLead) return;
    this.#didLead = leads;
    this.#parts.onChange(leads);
  }

  async #attempt(isRelease: boolean): Promise<void> {
    const { api, namespace, name, identity, clock, isFit } = this.#parts;
    const began = clock.monotonicMs();
    const answer = await api.send('GET', paths.leases(namespace, name));
    if (answer.status === 404) {
      if (isRelease || !isFit()) return;
      return this.#written(await api.send('POST', paths.leases(namespace), { body: this.#lease(undefined, isRelease) }), began);
    }
    if (answer.status !== 200) throw new Error(`the Lease ${namespace}/${name} cannot be read: ${refusalOf(answer)}`);
    const lease = answer.body as Lease;
    const isOwn = lease.spec?.holderIdentity === identity;
    if (!isOwn && (isRelease || !this.#isFree(lease, began) || !isFit())) {
      this.#renewedAt = undefined;
      return;
    }
    // Who is no use as a leader lets its lease run out.
    if (isOwn && !isRelease && !isFit()) return;
    this.#written(await api.send('PUT', paths.leases(namespace, name), { body: this.#lease(lease, isRelease) }), began);
  }

  /** Counted from when it was asked for, not from when the answer came. */
  #written(answer: { readonly status: number; readonly body: unknown }, began: MonotonicMs): void {
    if (answer.status === 200 || answer.status === 201) {
      if (!this.#closing.signal.aborted) this.#renewedAt = began;
      return;
    }
    // Another was first.
    if (answer.status === 409) return void (this.#renewedAt = undefined);
    throw new Error(`the Lease cannot be written: ${refusalOf(answer)}`);
  }

  #isFree({ metadata, spec }: Lease, now: MonotonicMs): boolean {
    if (spec?.holderIdentity === undefined || spec.holderIdentity === null || spec.holderIdentity === '') return true;
    if (this.#seen?.version !== metadata.resourceVersion) this.#seen = { version: metadata.resourceVersion, at: now };
    return now - this.#seen.at > (spec.leaseDurationSeconds ?? LEASE_MS / 1000) * 1000;
  }

  #lease(before: Lease | undefined, isRelease: boolean): unknown {
    const { namespace, name, identity, clock } = this.#parts;
    const now = new Date(clock.epochMs()).toISOString().replace(/Z$/, '000Z');
    const isOwn = before?.spec?.holderIdentity === identity;
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name, namespace, ...(before === undefined ? {} : { resourceVersion: before.metadata.resourceVersion }) },
      spec: {
        holderIdentity: isRelease ? '' : identity,
        leaseDurationSeconds: isRelease ? 1 : LEASE_MS / 1000,
        renewTime: now,
        acquireTime: isOwn ? (before?.spec?.acquireTime ?? now) : now,
        leaseTransitions: (before?.spec?.leaseTransitions ?? 0) + (isOwn || before === undefined ? 0 : 1),
      },
    };
  }
}
