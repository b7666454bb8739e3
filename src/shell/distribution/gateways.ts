import type { GatewayPlan } from '../../core/control/index.ts';
import { workloadId } from '../../core/policy/index.ts';
import type { KnownWorkload } from '../../core/policy/index.ts';
import type { MonotonicMs } from '../../core/units/index.ts';
import type { Pod, Service, Stream } from '../wire/index.ts';
import { decodeGatewayReport } from './codec/gateway.ts';
import { GatewayFollower } from './gatewayfollower.ts';
import { POLICY_METHODS } from './methods.ts';
import type { DistributionEvent } from './ports.ts';

export interface GatewaysParts {
  /** Whether a pod is a gateway: by its namespace and service account, which its token proves. */
  readonly isGateway: (pod: Pod) => boolean;
  /** `callers` has changed. */
  readonly onCallers: () => void;
  readonly tell: (event: DistributionEvent) => void;
  readonly now: () => MonotonicMs;
}

/** More than a cluster's workloads that have no sidecar; of one gateway. */
const MAX_CALLERS = 20_000;

/**
 * Gives gateways the states of workloads that call by them, and of namespaces alone that allow it: whoever withdraws that is
 * forgotten at once.
 */
export class Gateways {
  readonly #parts: GatewaysParts;
  readonly #byPod = new Map<string, GatewayFollower>();
  #plan: GatewayPlan | undefined;

  constructor(parts: GatewaysParts) {
    this.#parts = parts;
  }

  /** All that may be given now. */
  publish(plan: GatewayPlan): void {
    this.#plan = plan;
    for (const follower of this.#byPod.values()) follower.look(plan);
  }

  /** Of all gateways that are connected here. */
  callers(): readonly KnownWorkload[] {
    const all = new Map<string, KnownWorkload>();
    for (const follower of this.#byPod.values()) for (const caller of follower.callers()) all.set(workloadId(caller), caller);
    return [...all.values()];
  }

  /** For a controller's port. */
  service(): Service {
    return { methods: [{ method: POLICY_METHODS.Serve, serve: (stream, { pod, processor }) => this.#serve(stream, pod, processor) }] };
  }

  close(): void {
    for (const follower of this.#byPod.values()) follower.left();
  }

  #serve(stream: Stream, pod: Pod | undefined, processor: string): () => void {
    if (pod === undefined || !this.#parts.isGateway(pod)) {
      const why = { code: 'not_permitted', message: `${processor} is no gateway of this mesh, by the service account of its token` } as const;
      this.#parts.tell({ kind: 'violation', processor, ...why });
      stream.end(why);
      return () => undefined;
    }
    this.#byPod.get(pod.uid)?.stream.end({ code: 'replaced', message: `a newer stream of ${processor} has taken the place of this one` });
    const follower = new GatewayFollower(stream, this.#parts.now);
    this.#byPod.set(pod.uid, follower);
    stream.open((bytes, done) => {
      const report = decodeGatewayReport(bytes);
      if (!report.ok) {
        const why = { code: 'invalid', message: report.error } as const;
        this.#parts.tell({ kind: 'violation', processor, ...why });
        return stream.end(why);
      }
      if (this.#byPod.get(pod.uid) === follower) this.#heard(follower, pod, report.value);
      done();
    });
    return () => this.#left(follower, pod);
  }

  #heard(follower: GatewayFollower, pod: Pod, report: Parameters<GatewayFollower['heard']>[0]): void {
    const { tell, onCallers } = this.#parts;
    if (follower.isNew) tell({ kind: 'sidecar_joined', pod, program: report.program });
    for (const { workload, version, refused } of report.outcomes)
      if (refused !== undefined) tell({ kind: 'state_refused', pod: { ...pod, workload: workloadId(workload) }, version, reason: refused });
    follower.heard(report);
    if (follower.size > MAX_CALLERS) return follower.stream.end({ code: 'too_much', message: `a gateway may serve ${MAX_CALLERS} workloads` });
    if (report.callers.length + report.left.length > 0) onCallers();
    // What is known already need not wait for the next plan.
    if (this.#plan !== undefined) follower.look(this.#plan);
  }

  #left(follower: GatewayFollower, pod: Pod): void {
    follower.left();
    if (this.#byPod.get(pod.uid) !== follower) return;
    this.#byPod.delete(pod.uid);
    this.#parts.tell({ kind: 'sidecar_left', pod });
    this.#parts.onCallers();
  }
}
