import { EVERYONE, GATEWAY_LABEL } from '../../core/control/index.ts';
import type { GatewayPlan, SidecarState } from '../../core/control/index.ts';
import { workloadId } from '../../core/policy/index.ts';
import type { KnownWorkload } from '../../core/policy/index.ts';
import type { MonotonicMs } from '../../core/units/index.ts';
import type { Stream } from '../wire/index.ts';
import { encodeToGateway } from './codec/gateway.ts';
import type { GatewayReport } from './codec/gateway.ts';
import { MAX_STATE_BYTES } from './edition.ts';

/** States on their way, at most: what may wait on a stream is the largest that there can be. */
const MAX_UNDER_WAY = 64;
const MAX_UNDER_WAY_BYTES = 1_048_576;
/** A gateway that has not said by then what became of a state gets newer ones all the same. */
const ANSWER_MS = 30_000;

/** Of the state that is all callers'; it goes before theirs. */
const COMMON = workloadId(EVERYONE);

interface Served {
  readonly workload: KnownWorkload;
  /** Of the state that it was sent last, or applies; `denied`: it was told that there is none. */
  last: string | 'denied' | undefined;
}

/** One gateway's stream: whom it serves, and what of theirs it has. */
export class GatewayFollower {
  readonly stream: Stream;
  /** It has said nothing yet. */
  isNew = true;
  readonly #served = new Map<string, Served>([[COMMON, { workload: EVERYONE, last: undefined }]]);
  /** By workload, those that were sent first first: which version, its size, and when it was sent. */
  readonly #underWay = new Map<string, { readonly version: string; readonly bytes: number; readonly at: MonotonicMs }>();
  readonly #now: () => MonotonicMs;
  #plan: GatewayPlan | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(stream: Stream, now: () => MonotonicMs) {
    this.stream = stream;
    this.#now = now;
  }

  /** How many call by it. */
  get size(): number {
    return this.#served.size - 1;
  }

  callers(): readonly KnownWorkload[] {
    return [...this.#served].flatMap(([id, { workload }]) => (id === COMMON ? [] : [workload]));
  }

  heard({ callers, left, outcomes }: GatewayReport): void {
    this.isNew = false;
    // Whoever asks once more asks for an answer, though it be the same.
    for (const workload of callers) if (workloadId(workload) !== COMMON) this.#served.set(workloadId(workload), { workload, last: undefined });
    for (const workload of left) {
      if (workloadId(workload) === COMMON) continue;
      this.#served.delete(workloadId(workload));
      this.#underWay.delete(workloadId(workload));
    }
    for (const { workload, version } of outcomes)
      if (this.#underWay.get(workloadId(workload))?.version === version) this.#underWay.delete(workloadId(workload));
  }

  /** Sends what it has not, as far as there is room; the rest when it has said what became of that. */
  look(plan: GatewayPlan): void {
    this.#plan = plan;
    if (this.isNew) return;
    for (const [id, served] of this.#served) {
      const { namespace } = served.workload;
      if (id !== COMMON && !plan.namespaces.has(namespace)) {
        if (served.last === 'denied') continue;
        served.last = 'denied';
        this.#underWay.delete(id);
        this.stream.send(encodeToGateway({ kind: 'denial', workload: served.workload, reason: denialOf(namespace) }));
        continue;
      }
      // It is in the next plan.
      const state = id === COMMON ? plan.common : plan.states.get(id);
      if (state === undefined || state.version === served.last || this.#underWay.has(id)) continue;
      if (!this.#hasRoom()) return;
      this.#send(id, served, state);
    }
  }

  left(): void {
    clearTimeout(this.#timer);
    this.#served.clear();
  }

  #send(id: string, served: Served, state: SidecarState): void {
    const bytes = encodeToGateway({ kind: 'state', state });
    served.last = state.version;
    if (bytes.length > MAX_STATE_BYTES) {
      const reason = `the policies of ${id} are ${bytes.length} bytes, which is more than a state may have`;
      return this.stream.send(encodeToGateway({ kind: 'denial', workload: served.workload, reason }));
    }
    this.#underWay.set(id, { version: state.version, bytes: bytes.length, at: this.#now() });
    this.stream.send(bytes);
    this.#awaitOldest();
  }

  #awaitOldest(): void {
    const [oldest] = this.#underWay.values();
    if (oldest !== undefined) this.#timer ??= setTimeout(() => this.#forgetLate(), oldest.at + ANSWER_MS - this.#now());
  }

  #forgetLate(): void {
    this.#timer = undefined;
    const since = this.#now() - ANSWER_MS;
    for (const [id, { at }] of this.#underWay) if (at <= since) this.#underWay.delete(id);
    this.#awaitOldest();
    if (this.#plan !== undefined) this.look(this.#plan);
  }

  #hasRoom(): boolean {
    const bytes = [...this.#underWay.values()].reduce((sum, each) => sum + each.bytes, 0);
    return this.#underWay.size < MAX_UNDER_WAY && bytes < MAX_UNDER_WAY_BYTES;
  }
}

const denialOf = (namespace: string): string =>
  `the namespace ${namespace} does not allow its workloads to call by the gateway; who owns it labels it ${GATEWAY_LABEL}: enabled`;
