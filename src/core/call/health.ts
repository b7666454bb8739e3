import type { FailoverPolicy } from '../policy/index.ts';
import type { MonotonicMs } from '../units/index.ts';

/** What a call has told of its provider. `retryAfterMs`: how long it asks to be left alone. */
export type CallNews = { readonly kind: 'served' } | { readonly kind: 'failed'; readonly retryAfterMs?: number };

/** Told when a model of a provider goes out of use, and when it is back. */
export interface HealthEvent {
  readonly provider: string;
  readonly model: string;
  readonly isOut: boolean;
  /** How long, where it is out. */
  readonly forMs: number;
}

/** A provider that asks for more is not believed: its clock may be wrong. */
const MAX_RETRY_AFTER_MS = 300_000;

/** A trial that nobody has heard of by then has failed to tell. */
const TRIAL_MS = 60_000;

interface State {
  failures: number;
  /** How often it was out since it last served. */
  times: number;
  outUntil: MonotonicMs | undefined;
  trialUntil: MonotonicMs | undefined;
}

const unknown = (): State => ({ failures: 0, times: 0, outUntil: undefined, trialUntil: undefined });

/**
 * Whether a model at a provider serves, as far as the calls from here have told. After failures in a row, or where the
 * provider asks for a pause, it is out of use for a while, each time twice as long; then one call tries it, and the
 * others follow if that one is served.
 */
export class ProviderHealth {
  readonly #states = new Map<string, State>();
  readonly #nowMs: () => MonotonicMs;
  readonly #tell: (event: HealthEvent) => void;

  constructor(nowMs: () => MonotonicMs, tell: (event: HealthEvent) => void) {
    this.#nowMs = nowMs;
    this.#tell = tell;
  }

  isOut(provider: string, model: string): boolean {
    const { outUntil, trialUntil } = this.#states.get(keyOf(provider, model)) ?? unknown();
    const now = this.#nowMs();
    return outUntil !== undefined && (now < outUntil || (trialUntil !== undefined && now < trialUntil));
  }

  /** A call goes there. Where it was out until now, this one is the trial. */
  chosen(provider: string, model: string): void {
    const state = this.#states.get(keyOf(provider, model));
    if (state?.outUntil !== undefined && this.#nowMs() >= state.outUntil) state.trialUntil = this.#nowMs() + TRIAL_MS;
  }

  /** The trial was not sent after all: another one may be. */
  spared(provider: string, model: string): void {
    const state = this.#states.get(keyOf(provider, model));
    if (state !== undefined) state.trialUntil = undefined;
  }

  note(provider: string, model: string, news: CallNews, policy: FailoverPolicy): void {
    const key = keyOf(provider, model);
    if (news.kind === 'served') {
      const wasOut = this.#states.get(key)?.outUntil !== undefined;
      this.#states.delete(key);
      if (wasOut) this.#tell({ provider, model, isOut: false, forMs: 0 });
      return;
    }
    const state = this.#states.get(key) ?? unknown();
    this.#states.set(key, state);
    state.failures += 1;
    const isTrial = state.trialUntil !== undefined;
    const pauseMs = Math.min(news.retryAfterMs ?? 0, MAX_RETRY_AFTER_MS);
    // What was sent before it went out says nothing new.
    if (!isTrial && state.outUntil !== undefined && this.#nowMs() < state.outUntil) return;
    if (!isTrial && pauseMs === 0 && state.failures < policy.consecutiveFailures) return;
    const forMs = Math.max(pauseMs, Math.min(policy.ejectionTimeMs * 2 ** state.times, policy.maxEjectionTimeMs));
    state.times += 1;
    state.trialUntil = undefined;
    state.outUntil = this.#nowMs() + forMs;
    this.#tell({ provider, model, isOut: true, forMs });
  }
}

const keyOf = (provider: string, model: string): string => `${provider}\n${model}`;

/** `retry-after` in seconds or as a date → milliseconds. Source: RFC 9110, 10.2.3. `undefined`: none that makes sense. */
export function retryAfterMs(value: string | undefined, nowEpochMs: number): number | undefined {
  if (value === undefined || value.trim() === '') return undefined;
  const ms = /^\s*\d+\s*$/.test(value) ? Number(value) * 1000 : /[a-z]/i.test(value) ? Date.parse(value) - nowEpochMs : Number.NaN;
  return Number.isNaN(ms) || ms <= 0 ? undefined : ms;
}
