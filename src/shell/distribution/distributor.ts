import type { SidecarState, SidecarView } from '../../core/control/index.ts';
import type { Clock } from '../../core/call/index.ts';
import type { Identity, Pod, Service, Stream } from '../wire/index.ts';
import { decodeReport } from './codec/report.ts';
import type { SidecarReport } from './codec/report.ts';
import { Edition } from './edition.ts';
import { Follower } from './follower.ts';
import { POLICY_METHODS } from './methods.ts';
import { PublishedPermissions } from './permissions.ts';
import type { DistributionEvent } from './ports.ts';
import { Roster } from './roster.ts';

/** Changes of what is known of sidecars are told so often at most: a thousand may acknowledge at once. */
const CHANGE_MS = 250;
/** States are handed out for so long before others have a turn. */
const TURN_MS = 5;

export interface DistributorParts {
  readonly clock: Clock;
  /** `views` has changed. */
  readonly onChange: () => void;
  readonly tell: (event: DistributionEvent) => void;
}

/** Gives each sidecar the newest state of its own workload, and keeps what each says of itself. */
export class Distributor {
  readonly #parts: DistributorParts;
  readonly #editions = new Map<string, Edition>();
  /** By workload. */
  readonly #followers = new Map<string, Set<Follower>>();
  readonly #byPod = new Map<string, Follower>();
  readonly #roster = new Roster();
  /** Those that may be given a state, in the order in which they came free. */
  readonly #due = new Set<Follower>();
  #isHandingOut = false;
  #changeTimer: NodeJS.Timeout | undefined;
  #isPublished = false;
  /** Who may spend and tell what, by what was published: for the ledger service. */
  readonly permissions: PublishedPermissions;

  constructor(parts: DistributorParts) {
    this.#parts = parts;
    this.permissions = new PublishedPermissions(() => parts.clock.monotonicMs());
  }

  /** Why nobody can be served yet; `undefined` once something was published. */
  absence(): string | undefined {
    return this.#isPublished ? undefined : 'this controller has not read the policies yet';
  }

  /** The states of all workloads that are known, each whole. What did not change by its version costs nothing. A workload that is gone keeps what it has. */
  publish(states: ReadonlyMap<string, SidecarState>): void {
    this.#isPublished = true;
    this.permissions.publish(states);
    for (const workload of this.#editions.keys()) if (!states.has(workload)) this.#editions.delete(workload);
    for (const [workload, state] of states) {
      if (this.#editions.get(workload)?.version === state.version) continue;
      const edition = new Edition(state);
      this.#editions.set(workload, edition);
      const followers = this.#followers.get(workload) ?? [];
      for (const follower of followers) this.#offerSoon(follower);
    }
  }

  /** Of each sidecar that is connected here, or was not long ago. */
  views(): SidecarView[] {
    return this.#roster.views();
  }

  /** For a controller's port. */
  service(): Service {
    return { methods: [{ method: POLICY_METHODS.Follow, serve: (stream, identity) => this.#serve(stream, identity) }] };
  }

  close(): void {
    clearTimeout(this.#changeTimer);
    this.#due.clear();
    for (const follower of this.#byPod.values()) follower.left();
  }

  #serve(stream: Stream, { pod, processor }: Identity): () => void {
    if (pod === undefined) {
      stream.end({ code: 'not_permitted', message: 'policies are given to pods, by their service account’s token; this is a certificate' });
      return () => undefined;
    }
    this.#byPod.get(pod.uid)?.stream.end({ code: 'replaced', message: `a newer stream of ${processor} has taken the place of this one` });
    const follower = new Follower(pod, stream, () => this.#offerSoon(follower));
    this.#add(follower);
    stream.open((bytes, done) => {
      const report = decodeReport(bytes);
      if (!report.ok) {
        const why = { code: 'invalid', message: report.error } as const;
        this.#parts.tell({ kind: 'violation', processor, ...why });
        return stream.end(why);
      }
      this.#heard(follower, report.value);
      done();
    });
    return () => this.#left(follower);
  }

  #add(follower: Follower): void {
    const { pod } = follower;
    this.#byPod.set(pod.uid, follower);
    const others = this.#followers.get(pod.workload) ?? new Set();
    this.#followers.set(pod.workload, others.add(follower));
    this.#roster.joined(pod, this.#parts.clock.epochMs());
  }

  #left(follower: Follower): void {
    const { pod } = follower;
    follower.left();
    this.#due.delete(follower);
    const others = this.#followers.get(pod.workload);
    others?.delete(follower);
    if (others?.size === 0) this.#followers.delete(pod.workload);
    // A newer stream of the same pod has come.
    if (this.#byPod.get(pod.uid) !== follower) return;
    this.#byPod.delete(pod.uid);
    this.#roster.left(pod, this.#parts.clock.epochMs());
    this.#parts.tell({ kind: 'sidecar_left', pod });
    this.#changed();
  }

  #heard(follower: Follower, report: SidecarReport): void {
    if (this.#byPod.get(follower.pod.uid) !== follower) return;
    tellOf(follower.pod, follower.report, report, this.#parts.tell);
    this.#roster.heard(follower.pod, report);
    follower.heard(report);
    this.#changed();
  }

  #offerSoon(follower: Follower): void {
    this.#due.add(follower);
    if (this.#isHandingOut) return;
    this.#isHandingOut = true;
    setImmediate(() => this.#handOut());
  }

  /** A turn at a time: to make a thousand states into bytes takes a while, and others have something to say meanwhile. */
  #handOut(): void {
    const until = this.#parts.clock.monotonicMs() + TURN_MS;
    for (const follower of this.#due) {
      if (this.#parts.clock.monotonicMs() > until) return void setImmediate(() => this.#handOut());
      this.#due.delete(follower);
      const edition = this.#editions.get(follower.pod.workload);
      if (edition?.isTooLarge === true) this.#tooLarge(follower, edition);
      follower.offer(edition);
    }
    this.#isHandingOut = false;
  }

  #tooLarge({ pod, report }: Follower, { version, bytes }: Edition): void {
    this.#parts.tell({ kind: 'state_too_large', workload: pod.workload, version, bytes: bytes.length });
    if (report === undefined) return;
    this.#roster.heard(pod, { ...report, refused: { version, reason: `its ${bytes.length} bytes are more than a state may have` } });
    this.#changed();
  }

  #changed(): void {
    this.#changeTimer ??= setTimeout(() => {
      this.#changeTimer = undefined;
      this.#parts.onChange();
    }, CHANGE_MS);
  }
}

function tellOf(pod: Pod, before: SidecarReport | undefined, { program, applied, refused }: SidecarReport, tell: DistributorParts['tell']): void {
  if (before === undefined) tell({ kind: 'sidecar_joined', pod, program });
  if (applied !== undefined && applied !== before?.applied) tell({ kind: 'state_applied', pod, version: applied });
  if (refused !== undefined && refused.version !== before?.refused?.version) tell({ kind: 'state_refused', pod, ...refused });
}
