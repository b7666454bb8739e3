import type { PriceTier } from '../../catalog/index.ts';
import type { JsonDocument, JsonNode } from '../../json/index.ts';
import type { UsageReading } from '../types.ts';
import { readUsage, tierIn } from './usage.ts';
import type { UsageFound } from './usage.ts';

/** Bytes of text that make a token at the least guess: long words and runs of spaces. */
export const MAX_BYTES_PER_TOKEN = 8;

/** Longest name of a served model that is taken over. */
const MAX_NAME_BYTES = 256;

/** What one answer says of itself, in one piece or in many. Of usage the last word counts, as each counts from the beginning. */
export class AnswerTally {
  model: string | undefined;
  tier: PriceTier | undefined;
  #usage: Exclude<UsageFound, 'absent'> | undefined;
  #problem: string | undefined;
  #searches = 0;

  /** Takes a value that was found at a path of a response. */
  take(path: string, document: JsonDocument, node: JsonNode): void {
    if (path === 'usageMetadata') this.#takeUsage(document, node);
    else if (path === 'modelVersion') this.#takeModel(document, node);
    else if (document.kind(node) === 'array') this.#searches = Math.max(this.#searches, document.items(node).length);
  }

  /** A reason for which usage may have been missed. */
  note(problem: string): void {
    this.#problem ??= problem;
  }

  get outputTokens(): number {
    return this.#usage?.ok === true ? this.#usage.value.outputTokens : 0;
  }

  reading(outputBytes: number, isError: boolean): UsageReading {
    if (this.#usage?.ok === true)
      return { kind: 'reported', usage: this.#searches === 0 ? this.#usage.value : { ...this.#usage.value, hostedToolCalls: this.#searches } };
    const problem = this.#usage?.error ?? this.#problem;
    return problem === undefined || isError ? { kind: 'missing', outputBytes } : { kind: 'invalid', problem, outputBytes };
  }

  #takeUsage(document: JsonDocument, node: JsonNode): void {
    const found = readUsage(document, node);
    if (found !== 'absent') this.#usage = found;
    this.tier = tierIn(document, node) ?? this.tier;
  }

  #takeModel(document: JsonDocument, node: JsonNode): void {
    if (document.kind(node) === 'string' && document.rawLength(node) <= MAX_NAME_BYTES) this.model = document.text(node);
  }
}
