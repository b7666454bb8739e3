import type { SecureContext } from 'node:tls';
import { lostEnd, recordOf, settlementOf } from '../../core/call/index.ts';
import type { CallHold, CallRecord, Clock, Ended, KeptObject, KeySource } from '../../core/call/index.ts';
import type { ProviderPolicy } from '../../core/policy/index.ts';
import type { BatchListener, DurableBudgets, ObjectBook } from '../budgets/index.ts';
import { look } from './look.ts';
import type { Look } from './look.ts';

/** Times between two looks at a batch: they grow from the first to the last, each a little earlier or later. */
const FIRST_LOOK_MS = 2_000;
const LAST_LOOK_MS = 300_000;
const GROWTH = 1.6;
const JITTER = 0.25;

/** Batches that are asked for at once. */
const MAX_LOOKS = 4;

/** Batches end within a day, and their results stay for weeks. What could not be asked for as long as this is given up. */
const GIVE_UP_MS = 14 * 86_400_000;

export interface BatchEvents {
  settled(record: CallRecord): void;
  /** Nothing is lost yet: it is asked again. */
  failed(batch: KeptObject, reason: string): void;
  /** Its result cannot be had any more, so that it is settled by what was expected, in strict budgets by what was held. */
  lost(batch: KeptObject, reason: string): void;
}

export interface BatchWatchPorts {
  readonly budgets: Pick<DurableBudgets, 'batchHold' | 'settle'>;
  readonly objects: Pick<ObjectBook, 'keep'>;
  /** `undefined`: there is no such provider now. */
  readonly provider: (id: string) => ProviderPolicy | undefined;
  /** Whether a limit counts a workload's dollars, and refuses by them. */
  readonly isUsd: (workload: string, limit: string) => boolean;
  readonly keys: Pick<KeySource, 'get'>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly events: BatchEvents;
  /** Whose certificates are believed; by default those of the runtime. */
  readonly trust?: (caCertificates: string | undefined) => SecureContext | undefined;
  /** Time until the first look; by default as is fit for providers. */
  readonly firstLookMs?: number;
}

interface Watched {
  readonly batch: KeptObject;
  looks: number;
  timer: NodeJS.Timeout | undefined;
}

/** Looks after open batches until each is over, and settles it once: also when nobody comes to fetch its result. */
export class BatchWatch implements BatchListener {
  readonly #ports: BatchWatchPorts;
  readonly #watched = new Map<string, Watched>();
  readonly #due: Watched[] = [];
  #looking = 0;
  #isStopped = false;

  constructor(ports: BatchWatchPorts) {
    this.#ports = ports;
  }

  opened(batch: KeptObject): void {
    const key = keyOf(batch);
    if (this.#watched.has(key) || this.#isStopped) return;
    const watched: Watched = { batch, looks: 0, timer: undefined };
    this.#watched.set(key, watched);
    this.#schedule(watched);
  }

  deleted(batch: KeptObject): void {
    this.#giveUp(batch, 'it was deleted before its result was read', false);
  }

  async settleNow(batch: KeptObject): Promise<void> {
    const watched = this.#watched.get(keyOf(batch));
    if (watched === undefined) return;
    clearTimeout(watched.timer);
    await this.#look(watched);
  }

  /** No more looks; what is open is taken up again by the next process. */
  stop(): void {
    this.#isStopped = true;
    for (const { timer } of this.#watched.values()) clearTimeout(timer);
    this.#watched.clear();
  }

  #schedule(watched: Watched): void {
    const interval = Math.min(LAST_LOOK_MS, (this.#ports.firstLookMs ?? FIRST_LOOK_MS) * GROWTH ** watched.looks);
    const wait = interval * (1 - JITTER + 2 * JITTER * this.#ports.random());
    watched.looks++;
    watched.timer = setTimeout(() => {
      this.#due.push(watched);
      this.#next();
    }, wait).unref();
  }

  #next(): void {
    while (this.#looking < MAX_LOOKS) {
      const watched = this.#due.shift();
      if (watched === undefined) return;
      this.#looking++;
      void this.#look(watched)
        .catch((error: unknown) => this.#failed(watched, error instanceof Error ? error.message : String(error)))
        .finally(() => {
          this.#looking--;
          this.#next();
        });
    }
  }

  async #look(watched: Watched): Promise<void> {
    const { batch } = watched;
    if (this.#watched.get(keyOf(batch)) !== watched) return;
    const holds = this.#holdsOf(batch);
    if (holds.length === 0) return this.#close(batch);
    const seen = await this.#seen(batch, holds);
    if (this.#isStopped || this.#watched.get(keyOf(batch)) !== watched) return;
    switch (seen.kind) {
      case 'open':
        return this.#schedule(watched);
      case 'failed':
        return this.#failed(watched, seen.reason);
      case 'gone':
        return this.#giveUp(batch, 'it is not at the provider any more', true);
      case 'ended':
        return this.#settleAll(batch, seen);
    }
  }

  #failed(watched: Watched, reason: string): void {
    const { batch } = watched;
    this.#ports.events.failed(batch, reason);
    if (this.#ports.clock.epochMs() - batch.at > GIVE_UP_MS) this.#giveUp(batch, reason, true);
    else this.#schedule(watched);
  }

  async #seen(batch: KeptObject, holds: readonly CallHold[]): Promise<Look> {
    const provider = this.#ports.provider(batch.provider);
    if (provider === undefined) return { kind: 'failed', reason: `there is no provider ${batch.provider} now` };
    const key = provider.key === undefined ? undefined : this.#ports.keys.get(provider.key);
    if (provider.key !== undefined && key === undefined) return { kind: 'failed', reason: `there is no usable key for ${provider.id}` };
    return look({ batch, holds, provider, key, trust: this.#ports.trust?.(provider.caCertificates) });
  }

  #settleAll(batch: KeptObject, { tally, outputs }: Extract<Look, { kind: 'ended' }>): void {
    const { objects, clock } = this.#ports;
    // Whose the results are is known before anybody is told that there are any.
    for (const { kind, id } of outputs) objects.keep({ provider: batch.provider, kind, id, workload: batch.workload, at: clock.epochMs() });
    for (const { hold, ended } of tally.ends(this.#circumstances(batch))) this.#settle(hold, ended);
    this.#close(batch);
  }

  #giveUp(batch: KeptObject, reason: string, isKept: boolean): void {
    const holds = this.#holdsOf(batch);
    if (holds.length > 0) this.#ports.events.lost(batch, reason);
    for (const hold of holds) this.#settle(hold, lostEnd(hold, this.#circumstances(batch)));
    if (isKept) this.#close(batch);
    else this.#drop(batch);
  }

  #settle(hold: CallHold, ended: Ended): void {
    this.#ports.budgets.settle(hold.id, settlementOf(ended), (settled) => {
      const record = recordOf(hold, ended, settled);
      this.#ports.events.settled(record);
      return record;
    });
  }

  /** It stays its owner's, and costs nothing more. */
  #close(batch: KeptObject): void {
    this.#drop(batch);
    const { open: _open, ...closed } = batch;
    this.#ports.objects.keep(closed);
  }

  #drop(batch: KeptObject): void {
    clearTimeout(this.#watched.get(keyOf(batch))?.timer);
    this.#watched.delete(keyOf(batch));
  }

  #holdsOf({ open }: KeptObject): CallHold[] {
    return (open?.holds ?? []).flatMap((id) => this.#ports.budgets.batchHold(id) ?? []);
  }

  #circumstances({ workload }: KeptObject): Pick<Ended, 'at' | 'isUsd'> {
    return { at: this.#ports.clock.epochMs(), isUsd: (limit) => this.#ports.isUsd(workload, limit) };
  }
}

const keyOf = ({ provider, id }: KeptObject): string => `${provider} ${id}`;
