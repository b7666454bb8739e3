import { randomUUID } from 'node:crypto';
import type { After, Clock } from '../../core/call/index.ts';

export const systemClock: Clock = { epochMs: () => Date.now(), monotonicMs: () => performance.now() };

/** Keeps no process alive that has nothing else to do. */
export const afterMs: After = (delayMs, run) => void setTimeout(run, delayMs).unref();

/** A call's id: unique, and fit for a header. */
export const newCallId = (): string => `air_${randomUUID().replaceAll('-', '')}`;
