/** What an answer does wrong, or slowly, on demand. */
export interface Faults {
  readonly delayMs: number;
  readonly status: number | undefined;
  readonly retryAfterS: number | undefined;
  /** Answer tokens to generate; the request's own cap still holds. */
  readonly tokens: number | undefined;
  readonly chunkDelayMs: number;
  readonly reset: 'before' | 'stream' | undefined;
  /** Chunks to send before a reset. */
  readonly after: number;
  readonly usage: 'missing' | 'null' | 'string' | 'negative' | 'double' | 'fractional' | undefined;
  readonly malformed: 'json' | 'line' | 'html' | undefined;
  readonly chunks: 'odd' | 'bytes' | 'crlf' | 'comments' | 'merged' | undefined;
  readonly encoding: 'gzip' | 'br' | undefined;
  readonly noDone: boolean;
  readonly empty: boolean;
  readonly halfLine: boolean;
  /** An error in the middle of a stream, in the dialect's own shape, after so many events. */
  readonly streamError: boolean;
  /** How many tools are called, whatever the prompt says; 0: none, unless a choice forces it. */
  readonly calls: number | undefined;
  /** A safety filter stops what was asked, or the answer half way; or the model itself refuses. */
  readonly block: 'prompt' | 'answer' | 'refusal' | undefined;
  /** Thinking is shown encrypted, where the dialect has that. */
  readonly isThinkingRedacted: boolean;
}

export const NO_FAULTS: Faults = {
  delayMs: 0,
  status: undefined,
  retryAfterS: undefined,
  tokens: undefined,
  chunkDelayMs: 0,
  reset: undefined,
  after: 3,
  usage: undefined,
  malformed: undefined,
  chunks: undefined,
  encoding: undefined,
  noDone: false,
  empty: false,
  halfLine: false,
  streamError: false,
  calls: undefined,
  block: undefined,
  isThinkingRedacted: false,
};

const MAX_MS = 600_000;
/** OpenAI's own limit of tools in a request. */
const MAX_CALLS = 128;

/** Reads `delay=500ms, status=503, reset=stream`. Throws with what is wrong, as a test that means a fault wants to know. */
export function parseFaults(text: string, base: Faults = NO_FAULTS): Faults {
  const faults: Record<string, unknown> = { ...base };
  for (const part of text.split(',').map((item) => item.trim())) {
    if (part === '') continue;
    const [name = '', value = ''] = part.split('=', 2).map((item) => item.trim());
    Object.assign(faults, oneFault(name, value));
  }
  return faults as unknown as Faults;
}

function oneFault(name: string, value: string): Partial<Faults> {
  switch (name) {
    case 'delay':
    case 'slow-start':
      return { delayMs: milliseconds(name, value) };
    case 'status':
      return { status: whole(name, value, 200, 599) };
    case 'retry-after':
      return { retryAfterS: whole(name, value, 0, 86_400) };
    case 'tokens':
      return { tokens: whole(name, value, 0, 1_000_000) };
    case 'chunk-delay':
      return { chunkDelayMs: milliseconds(name, value) };
    case 'after':
      return { after: whole(name, value, 0, 1_000_000) };
    case 'reset':
      return { reset: oneOf(name, value, ['before', 'stream']) };
    case 'usage':
      return { usage: oneOf(name, value, ['missing', 'null', 'string', 'negative', 'double', 'fractional']) };
    case 'malformed':
      return { malformed: oneOf(name, value, ['json', 'line', 'html']) };
    case 'chunks':
      return { chunks: oneOf(name, value, ['odd', 'bytes', 'crlf', 'comments', 'merged']) };
    case 'encoding':
      return { encoding: oneOf(name, value, ['gzip', 'br']) };
    case 'no-done':
      return { noDone: true };
    case 'empty':
      return { empty: true };
    case 'half-line':
      return { halfLine: true };
    case 'stream-error':
      return { streamError: true };
    case 'calls':
      return { calls: whole(name, value, 0, MAX_CALLS) };
    case 'block':
      return { block: oneOf(name, value, ['prompt', 'answer', 'refusal']) };
    case 'thinking':
      return { isThinkingRedacted: oneOf(name, value, ['redacted']) === 'redacted' };
    default:
      throw new Error(`x-simulate: there is no fault ${JSON.stringify(name.slice(0, 40))}`);
  }
}

function oneOf<const T extends string>(name: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((item) => item === value);
  if (found === undefined) throw new Error(`x-simulate: ${name} must be one of ${allowed.join(', ')}`);
  return found;
}

function whole(name: string, value: string, least: number, most: number): number {
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < least || number > most) throw new Error(`x-simulate: ${name} must be a whole number from ${least} to ${most}`);
  return number;
}

function milliseconds(name: string, value: string): number {
  const [, amount, unit] = /^(\d+)(ms|s)?$/.exec(value) ?? [];
  if (amount === undefined) throw new Error(`x-simulate: ${name} must be a time such as 500ms or 2s`);
  return Math.min(MAX_MS, Number(amount) * (unit === 's' ? 1000 : 1));
}

/** Faults that some calls have by chance: the same ones for the same seed. */
export class RandomFaults {
  #faults: Faults = NO_FAULTS;
  #probability = 0;
  #state = 1;

  set(faults: Faults, probability: number, seed: number): void {
    this.#faults = faults;
    this.#probability = probability;
    this.#state = seed >>> 0 || 1;
  }

  next(): Faults {
    if (this.#probability === 0) return NO_FAULTS;
    // xorshift32
    this.#state ^= this.#state << 13;
    this.#state ^= this.#state >>> 17;
    this.#state ^= this.#state << 5;
    return (this.#state >>> 0) / 2 ** 32 < this.#probability ? this.#faults : NO_FAULTS;
  }
}
