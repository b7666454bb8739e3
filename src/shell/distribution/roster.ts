import type { SidecarView } from '../../core/control/index.ts';
import type { EpochMs } from '../../core/units/index.ts';
import type { Pod } from '../wire/index.ts';
import type { SidecarReport } from './codec/report.ts';

/** Who left and has not come back is remembered for so long. */
const FORGET_MS = 10 * 60_000;
/** Those that left; connections have a limit of their own. */
const MAX_GONE = 20_000;

interface Entry {
  readonly pod: Pod;
  since: EpochMs;
  isConnected: boolean;
  report: SidecarReport | undefined;
}

/** What is known of each sidecar, here and gone. */
export class Roster {
  readonly #entries = new Map<string, Entry>();

  joined(pod: Pod, at: EpochMs): void {
    this.#enter({ pod, since: at, isConnected: true, report: this.#entries.get(pod.uid)?.report });
  }

  heard({ uid }: Pod, report: SidecarReport): void {
    const entry = this.#entries.get(uid);
    if (entry !== undefined) entry.report = report;
  }

  left({ uid }: Pod, at: EpochMs): void {
    const entry = this.#entries.get(uid);
    if (entry !== undefined) this.#enter({ ...entry, since: at, isConnected: false });
    this.#forget(at);
  }

  /** Those that have said something of themselves. */
  views(): SidecarView[] {
    return [...this.#entries.values()].flatMap(({ pod, since, isConnected, report }) => {
      if (report === undefined) return [];
      const { namespace, name, uid, workload } = pod;
      return [{ pod: { namespace, name, uid }, workload, since, isConnected, ...report }];
    });
  }

  /** Whatever changed last is last. */
  #enter(entry: Entry): void {
    this.#entries.delete(entry.pod.uid);
    this.#entries.set(entry.pod.uid, entry);
  }

  #forget(at: EpochMs): void {
    const gone = [...this.#entries].filter(([, { isConnected }]) => !isConnected);
    const tooMany = gone.length - MAX_GONE;
    for (const [index, [uid, { since }]] of gone.entries()) {
      if (index >= tooMany && at - since < FORGET_MS) return;
      this.#entries.delete(uid);
    }
  }
}
