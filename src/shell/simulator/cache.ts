import type { CacheTtl, Span } from './prompt.ts';

/** Beginnings of prompts that are remembered, over all models. */
const MAX_REMEMBERED = 50_000;

/** Pieces before a breakpoint in which Anthropic looks for an earlier one. Source: Claude docs, "Prompt caching". */
const LOOK_BACK = 20;

/** What a provider's cache did for one prompt. `written` is by how long it is kept. */
export interface CacheUse {
  readonly read: number;
  readonly written: Readonly<Record<CacheTtl, number>>;
}

/** The beginnings of prompts that a provider has seen. Nothing expires, so that a test is the same at any speed. */
export class PromptCache {
  readonly #seen = new Set<string>();

  /**
   * Caching without being asked, as at OpenAI, Gemini and DeepSeek: tokens of the longest beginning that was seen before,
   * in whole steps; none below `least`.
   */
  automatic(model: string, spans: readonly Span[], { least, step }: { readonly least: number; readonly step: number }): number {
    let tokens = 0;
    let read = 0;
    const keys: string[] = [];
    for (const span of spans) {
      tokens += span.tokens;
      if (tokens < least) continue;
      const key = `${model}\n${span.digest}`;
      if (this.#seen.has(key)) read = tokens;
      keys.push(key);
    }
    this.#remember(keys);
    return Math.floor(read / step) * step;
  }

  /**
   * Caching up to breakpoints, as at Anthropic: what was kept at an earlier breakpoint is read, what follows up to the
   * last one is written. Beginnings of fewer than `least` tokens are not kept.
   */
  explicit(model: string, spans: readonly Span[], least: number): CacheUse {
    const ends = cumulative(spans);
    const breakpoints = spans.flatMap((span, index) => (span.cache !== undefined && (ends[index] ?? 0) >= least ? [index] : []));
    const keyOf = (index: number): string => `${model}\n${spans[index]?.digest}`;
    const kept = breakpoints
      .flatMap((end) => Array.from({ length: LOOK_BACK + 1 }, (_, back) => end - back))
      .filter((index) => index >= 0 && this.#seen.has(keyOf(index)));
    const read = kept.reduce((most, index) => Math.max(most, ends[index] ?? 0), 0);
    const written: Record<CacheTtl, number> = { '5m': 0, '1h': 0 };
    let from = read;
    for (const index of breakpoints) {
      const end = ends[index] ?? 0;
      if (end <= from) continue;
      written[spans[index]?.cache ?? '5m'] += end - from;
      from = end;
    }
    this.#remember(breakpoints.map(keyOf));
    return { read, written };
  }

  #remember(keys: readonly string[]): void {
    if (this.#seen.size + keys.length > MAX_REMEMBERED) this.#seen.clear();
    for (const key of keys) this.#seen.add(key);
  }
}

function cumulative(spans: readonly Span[]): readonly number[] {
  let tokens = 0;
  return spans.map((span) => (tokens += span.tokens));
}
