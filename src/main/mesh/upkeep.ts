import { readdirSync, statSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import type { OpenedBudgets } from '../../shell/budgets/index.ts';
import type { Logger } from '../../shell/telemetry/index.ts';
import { messageOf } from './message-of.ts';

const RETENTION_MS = 90 * 86_400_000;
const RETENTION_EVERY_MS = 3_600_000;
const LOOK_EVERY_MS = 5_000;
/** Of what the state folder has and could have; a folder that is as full has time for some thousand calls. */
const NEARLY_FULL = 0.8;

/** In bytes. */
export interface StateFolderUse {
  readonly used: number;
  /** Of its disk. */
  readonly free: number;
}

export interface UpkeepParts {
  readonly opened: { readonly budgets: Pick<OpenedBudgets['budgets'], 'forget'> };
  readonly use: () => StateFolderUse;
  /** Whether what makes the folder full are records for a ledger service. */
  readonly delivers: boolean;
  readonly logger: Logger;
}

/** Looks after the state folder: what is over is deleted, and it is said when there is little room left. */
export class Upkeep {
  readonly #parts: UpkeepParts;
  readonly #timers: readonly NodeJS.Timeout[];
  #isNearlyFull = false;

  constructor(parts: UpkeepParts) {
    this.#parts = parts;
    this.#forget();
    this.#timers = [setInterval(() => this.#forget(), RETENTION_EVERY_MS), setInterval(() => this.#look(), LOOK_EVERY_MS)];
  }

  /** What a person should know; `undefined`: there is room. */
  problem(): string | undefined {
    const { used, free } = this.#parts.use();
    if (used < NEARLY_FULL * (used + free)) return undefined;
    const percent = Math.floor((100 * used) / (used + free));
    const advice = this.#parts.delivers ? 'of records that no controller has been told yet: have one answer, before' : 'make room on its disk, before';
    return `the state folder is ${percent} % full, ${advice} calls that budgets count are refused`;
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }

  #forget(): void {
    const { opened, logger } = this.#parts;
    opened.budgets.forget(Date.now() - RETENTION_MS).catch((error: unknown) => logger.warn('records.retention_failed', { error: messageOf(error) }));
  }

  #look(): void {
    const problem = this.problem();
    if (problem !== undefined && !this.#isNearlyFull) this.#parts.logger.warn('state.nearly_full', { problem });
    this.#isNearlyFull = problem !== undefined;
  }
}

/** What its books and its journal take of the disk, and what is free there. */
export function stateFolderUse(stateDir: string): StateFolderUse {
  const { bavail, bsize } = statfsSync(stateDir);
  return { used: sizeOf(stateDir) + sizeOf(join(stateDir, 'journal')), free: bavail * bsize };
}

/** Files come and go meanwhile. */
function sizeOf(folder: string): number {
  let bytes = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isFile()) bytes += statSync(join(folder, entry.name), { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes;
}
