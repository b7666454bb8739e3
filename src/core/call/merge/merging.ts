import type { MergePolicy } from '../../policy/index.ts';
import type { MonotonicMs } from '../../units/index.ts';
import type { Member } from './member.ts';
import { MergedCall } from './merged.ts';

/** How long calls like those of a merged call that failed are not merged. */
export const MERGE_PAUSE_MS = 30_000;

/** Pauses that are remembered; beyond it, the oldest are forgotten. */
export const MAX_PAUSED = 1_000;

/** Runs something once, that many milliseconds from now. */
export type After = (delayMs: number, run: () => void) => void;

/** Told of calls that became one (`calls` of them), and of those that a failed one has sent on by themselves. */
export interface MergeObserver {
  readonly merged: (calls: number) => void;
  readonly sentAlone: (calls: number) => void;
}

/** Calls that wait for others like them. */
interface Window {
  readonly policy: MergePolicy;
  members: Member[];
  observer: MergeObserver;
}

const inputsOf = (members: readonly Member[]): number => members.reduce((sum, { part }) => sum + part.inputs.length, 0);
const bytesOf = (members: readonly Member[]): number =>
  members.reduce((sum, { part }) => sum + part.inputs.reduce((bytes, { json }) => bytes + json.length, 0), 0);

/**
 * Small calls that wait for each other. A window opens with a call, which does not wait, and is open as long as calls keep
 * coming: every `maxDelay`, and whenever it is full, those that are in it go to the provider as one. So whoever calls now and
 * then never waits, and nobody longer than `maxDelay`.
 */
export class Merging {
  readonly #windows = new Map<string, Window>();
  readonly #pausedUntil = new Map<string, MonotonicMs>();
  /** By the call's id: who waits, for others or for an answer. */
  readonly #members = new Map<string, Member>();
  readonly #nowMs: () => MonotonicMs;
  readonly #after: After;

  constructor(nowMs: () => MonotonicMs, after: After) {
    this.#nowMs = nowMs;
    this.#after = after;
  }

  /** Whether calls of this kind are merged at all, now. */
  isPaused(key: string): boolean {
    const until = this.#pausedUntil.get(key);
    if (until === undefined) return false;
    if (this.#nowMs() < until) return true;
    this.#pausedUntil.delete(key);
    return false;
  }

  /** False: it is the first for a while, and need not wait. Otherwise it is told what becomes of it. Only calls of the same `key` become one. */
  join(key: string, policy: MergePolicy, member: Member, observer: MergeObserver): boolean {
    const window = this.#windows.get(key);
    if (window === undefined) {
      this.#open(key, { policy, members: [], observer });
      return false;
    }
    this.#members.set(member.id, member);
    const all = [...window.members, member];
    if (inputsOf(all) > policy.maxInputs || bytesOf(all) > policy.maxBytes) this.#send(key, window);
    window.members.push(member);
    window.observer = observer;
    if (inputsOf(window.members) >= policy.maxInputs) this.#send(key, window);
    return true;
  }

  /** Its caller has left: others that wait do not ask for it any more. */
  leave(id: string): void {
    const member = this.#members.get(id);
    if (member === undefined) return;
    member.hasLeft = true;
    for (const window of this.#windows.values()) {
      if (!window.members.includes(member)) continue;
      window.members = window.members.filter((waiting) => waiting !== member);
      return member.tell({ kind: 'alone' });
    }
  }

  /** It waits no more. */
  told(id: string): void {
    this.#members.delete(id);
  }

  #open(key: string, window: Window): void {
    this.#windows.set(key, window);
    const tick = (): void => {
      if (window.members.length === 0) {
        this.#windows.delete(key);
        return;
      }
      this.#send(key, window);
      this.#after(window.policy.maxDelayMs, tick);
    };
    this.#after(window.policy.maxDelayMs, tick);
  }

  #send(key: string, window: Window): void {
    const [leader, ...followers] = window.members;
    window.members = [];
    if (leader === undefined) return;
    if (followers.length === 0) return leader.tell({ kind: 'alone' });
    const { observer } = window;
    observer.merged(1 + followers.length);
    const failed = (sentAlone: number): void => {
      this.#pause(key);
      if (sentAlone > 0) observer.sentAlone(sentAlone);
    };
    leader.tell({ kind: 'leads', merged: new MergedCall(leader, followers, failed) });
  }

  #pause(key: string): void {
    this.#pausedUntil.delete(key);
    this.#pausedUntil.set(key, this.#nowMs() + MERGE_PAUSE_MS);
    for (const oldest of this.#pausedUntil.keys()) {
      if (this.#pausedUntil.size <= MAX_PAUSED) break;
      this.#pausedUntil.delete(oldest);
    }
  }
}
