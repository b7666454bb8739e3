import { randomUUID } from 'node:crypto';
import type { Clock } from '../../core/call/index.ts';

export const systemClock: Clock = { epochMs: () => Date.now(), monotonicMs: () => performance.now() };

/** A call's id: unique, and fit for a header. */
export const newCallId = (): string => `air_${randomUUID().replaceAll('-', '')}`;
