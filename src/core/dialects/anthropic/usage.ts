import type { PriceTier, Usage } from '../../catalog/index.ts';
import type { JsonDocument, JsonNode } from '../../json/index.ts';

type Members = ReadonlyMap<string, JsonNode>;

/** The counts of a `usage` object, in its own words. Each is exclusive: `input_tokens` has neither what was read from a cache nor what was written to one. */
interface Counts {
  input?: number;
  output?: number;
  cacheRead?: number;
  cacheWrite?: number;
  cacheWriteLong?: number;
  thinking?: number;
  webSearches?: number;
}

/** Iterations that the totals leave out. Source: `BetaIterationsUsage` of `@anthropic-ai/sdk`. */
const EXTRA_ITERATIONS: ReadonlySet<string> = new Set(['compaction', 'advisor_message']);

/** Longest name of a tier or kind that is looked at. */
const MAX_NAME_BYTES = 64;

/**
 * Sums up the `usage` objects of one answer. A stream has one at its start and one or more at its end, whose figures are
 * cumulative, so that the later one of each counts; null and absent say nothing. A count that is negative, fractional or no
 * number makes the whole reading unsound: what cannot be trusted is not priced.
 * Source: `Usage`, `MessageDeltaUsage` and `CacheCreation` of `@anthropic-ai/sdk`.
 */
export class UsageTally {
  /** Why the figures are no use, in a few words. */
  problem: string | undefined;
  /** The tier that was served, when it was said. */
  tier: PriceTier | undefined;
  readonly #counts: Counts = {};
  /** What the totals leave out. */
  #extra = { input: 0, output: 0 };

  take(document: JsonDocument, node: JsonNode | undefined): void {
    if (node === undefined || document.isNull(node)) return;
    const usage = this.#members(document, node, 'usage');
    if (usage === undefined) return;
    const counts = this.#counts;
    this.#set(counts, 'input', document, usage, 'input_tokens');
    this.#set(counts, 'output', document, usage, 'output_tokens');
    this.#set(counts, 'cacheRead', document, usage, 'cache_read_input_tokens');
    this.#takeCacheWrites(document, usage);
    this.#set(counts, 'thinking', document, this.#member(document, usage, 'output_tokens_details'), 'thinking_tokens');
    this.#set(counts, 'webSearches', document, this.#member(document, usage, 'server_tool_use'), 'web_search_requests');
    this.#takeIterations(document, usage.get('iterations'));
    this.tier = tierOf(shortText(document, usage.get('service_tier')) ?? '') ?? this.tier;
  }

  /** The reading so far; `undefined` where there is none, or `problem` says what is wrong with it. */
  usage(): Usage | undefined {
    const { input, output, cacheRead, cacheWrite, cacheWriteLong, thinking, webSearches } = this.#counts;
    if (this.problem !== undefined || input === undefined || output === undefined) return undefined;
    return {
      inputTokens: input + (cacheRead ?? 0) + (cacheWrite ?? 0) + this.#extra.input,
      outputTokens: output + this.#extra.output,
      ...(cacheRead === undefined ? {} : { cachedInputTokens: cacheRead }),
      ...(cacheWrite === undefined ? {} : { cacheWriteTokens: cacheWrite }),
      ...(cacheWriteLong === undefined ? {} : { cacheWriteLongTokens: cacheWriteLong }),
      ...(thinking === undefined ? {} : { reasoningTokens: thinking }),
      ...(webSearches === undefined ? {} : { hostedToolCalls: webSearches }),
    };
  }

  /** To be asked once the answer is over: what is missing then, or does not add up, is a problem as well. */
  finalProblem(): string | undefined {
    const { input, output, cacheWrite, cacheWriteLong, thinking } = this.#counts;
    if (this.problem !== undefined) return this.problem;
    if (input === undefined) return 'usage names no input tokens';
    if (output === undefined) return 'usage names no output tokens';
    if ((thinking ?? 0) > output) return 'thinking_tokens is more than output_tokens';
    return (cacheWriteLong ?? 0) > (cacheWrite ?? 0) ? 'ephemeral_1h_input_tokens is more than cache_creation_input_tokens' : undefined;
  }

  /** The end of a stream repeats the total without its parts, so the parts of its start stand. */
  #takeCacheWrites(document: JsonDocument, usage: Members): void {
    const counts = this.#counts;
    const creation = this.#member(document, usage, 'cache_creation');
    this.#set(counts, 'cacheWrite', document, usage, 'cache_creation_input_tokens');
    this.#set(counts, 'cacheWriteLong', document, creation, 'ephemeral_1h_input_tokens');
    if (counts.cacheWrite !== undefined) return;
    const short = this.#count(document, creation, 'ephemeral_5m_input_tokens');
    if (short !== undefined || counts.cacheWriteLong !== undefined) counts.cacheWrite = (short ?? 0) + (counts.cacheWriteLong ?? 0);
  }

  #takeIterations(document: JsonDocument, node: JsonNode | undefined): void {
    if (node === undefined || document.kind(node) !== 'array') return;
    const extra = { input: 0, output: 0 };
    for (const item of document.items(node)) {
      const iteration = this.#members(document, item, 'iterations');
      if (iteration === undefined || !EXTRA_ITERATIONS.has(shortText(document, iteration.get('type')) ?? '')) continue;
      const part = (name: string): number => this.#count(document, iteration, name) ?? 0;
      extra.input += part('input_tokens') + part('cache_creation_input_tokens') + part('cache_read_input_tokens');
      extra.output += part('output_tokens');
    }
    this.#extra = extra;
  }

  #set(counts: Counts, part: keyof Counts, document: JsonDocument, members: Members | undefined, name: string): void {
    const value = this.#count(document, members, name);
    if (value !== undefined) counts[part] = value;
  }

  #count(document: JsonDocument, members: Members | undefined, name: string): number | undefined {
    const node = members?.get(name);
    if (node === undefined || document.isNull(node)) return undefined;
    const value = document.kind(node) === 'number' ? document.integer(node) : undefined;
    if (value !== undefined && value >= 0) return value;
    this.problem ??= `${name} is not a whole number of tokens`;
    return undefined;
  }

  #member(document: JsonDocument, members: Members, name: string): Members | undefined {
    const node = members.get(name);
    return node === undefined || document.isNull(node) ? undefined : this.#members(document, node, name);
  }

  #members(document: JsonDocument, node: JsonNode, name: string): Members | undefined {
    const members = document.kind(node) === 'object' ? document.members(node) : undefined;
    if (members?.ok === true) return members.value;
    this.problem ??= members === undefined ? `${name} is not an object` : `${name} has a field twice`;
    return undefined;
  }
}

/**
 * The tier that a `service_tier` member names; `undefined` for what names none. Anthropic's priority is capacity that was
 * bought before, and costs nothing more by the token. Source: Claude API docs, "Service tiers".
 */
function tierOf(value: string): PriceTier | undefined {
  return value === 'priority' ? 'standard' : value === 'standard' || value === 'batch' ? value : undefined;
}

function shortText(document: JsonDocument, node: JsonNode | undefined): string | undefined {
  return node !== undefined && document.kind(node) === 'string' && document.rawLength(node) <= MAX_NAME_BYTES ? document.text(node) : undefined;
}
