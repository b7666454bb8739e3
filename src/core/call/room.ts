import type { After } from './merge/merging.ts';

/**
 * How much of memory a large body takes in Envoy and the processor together, as a multiple of its own length: until its verdict is on its
 * way, and from then until its call has ended. Measured: docs/operations.md, "Large bodies".
 */
export const WEIGHTS = { judged: 9, sent: 2 } as const;

export interface RoomLimits {
  /** Of memory, for all large bodies together. A single one is always let in. */
  readonly memoryBytes: number;
  /** Of smaller bodies, which nobody asks about before: their own length, until they are judged. */
  readonly smallerBytes: number;
  /** Those that wait; the next is turned away. */
  readonly waiting: number;
  readonly waitMs: number;
}

interface Waiting {
  readonly bytes: number;
  readonly tell: (isLetIn: boolean) => void;
}

/** Memory for request bodies: who brings a large one waits outside until there is room for it, in the order in which they came. */
export class Room {
  readonly limits: RoomLimits;
  readonly #after: After;
  readonly #inside = new Map<string, { readonly bytes: number; readonly weight: number }>();
  readonly #waiting = new Map<string, Waiting>();
  #taken = 0;
  #smaller = 0;

  constructor(limits: RoomLimits, after: After) {
    this.limits = limits;
    this.#after = after;
  }

  /** Told once, at once where it is known: whether it may come in. Not told where it leaves before. */
  enter(id: string, bytes: number, tell: (isLetIn: boolean) => void): void {
    const entry: Waiting = { bytes, tell };
    this.#waiting.set(id, entry);
    this.#letIn();
    if (this.#waiting.get(id) !== entry) return;
    if (this.#waiting.size > this.limits.waiting) return this.#refuse(id);
    this.#after(this.limits.waitMs, () => {
      if (this.#waiting.get(id) === entry) this.#refuse(id);
    });
  }

  /** Its verdict is on its way: of its body, what goes to the provider is left. */
  sent(id: string): void {
    const body = this.#inside.get(id);
    if (body === undefined) return;
    this.#takes(id, body.bytes, WEIGHTS.sent);
    this.#letIn();
  }

  /** Its call has ended, or its caller is gone. */
  leave(id: string): void {
    this.#waiting.delete(id);
    this.#takes(id, 0, 0);
    this.#letIn();
  }

  /** Whether one more smaller body can be judged now; if so, `judged` follows. */
  judge(bytes: number): boolean {
    if (this.#smaller > 0 && this.#smaller + bytes > this.limits.smallerBytes) return false;
    this.#smaller += bytes;
    return true;
  }

  judged(bytes: number): void {
    this.#smaller -= bytes;
  }

  #refuse(id: string): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    waiting?.tell(false);
    this.#letIn();
  }

  #takes(id: string, bytes: number, weight: number): void {
    const before = this.#inside.get(id);
    this.#taken += bytes * weight - (before === undefined ? 0 : before.bytes * before.weight);
    if (weight === 0) this.#inside.delete(id);
    else this.#inside.set(id, { bytes, weight });
  }

  #letIn(): void {
    for (const [id, { bytes, tell }] of this.#waiting) {
      if (this.#inside.size > 0 && this.#taken + bytes * WEIGHTS.judged > this.limits.memoryBytes) return;
      this.#waiting.delete(id);
      this.#takes(id, bytes, WEIGHTS.judged);
      tell(true);
    }
  }
}
