import { decodeUtf8, encodeJson, encodeUtf8 } from '../json/index.ts';
import type { JsonDocument, JsonNode } from '../json/index.ts';
import { apportion } from '../units/index.ts';
import type { Endpoint } from './types.ts';
import { isObject } from './values.ts';

/** A call for embeddings as a part of one that asks for several calls' texts. */
export interface EmbeddingPart {
  /** Calls whose `like` is the same may become one: they differ in their inputs only. */
  readonly like: string;
  readonly endpoint: Endpoint;
  /** As it would go to the provider by itself. */
  readonly body: Uint8Array;
  /** In order; at least one. */
  readonly inputs: readonly EmbeddingInput[];
}

export interface EmbeddingInput {
  /** As it stands in the list of inputs. */
  readonly json: Uint8Array;
  /** Never below its tokens: bytes of text, or token ids. At least 1. */
  readonly tokenBound: number;
}

/** How calls for embeddings become one in a dialect, and its answer several. The bodies have passed the dialect's `readRequest`. */
export interface EmbeddingLanguage {
  /** `model`: the provider's own name. `undefined`: a call that goes by itself, as one of its inputs could spoil the others, or has no known size. */
  read(endpoint: Endpoint, body: Uint8Array, model: string): EmbeddingPart | undefined;
  /** All have the same `like`. What is not input is the first one's, byte for byte. */
  join(parts: readonly EmbeddingPart[]): { readonly endpoint: Endpoint; readonly body: Uint8Array };
  /**
   * The answer to what was joined → what each part would have been answered by itself: its own vectors, byte for byte, its
   * own share of the usage (`shareCounts`). `undefined`: it is not an answer to that.
   */
  split(parts: readonly EmbeddingPart[], answer: Uint8Array): readonly Uint8Array[] | undefined;
}

/** What cannot be told apart is told to nobody. */
const NULL = encodeJson(null);

/**
 * A usage object → one for each part, alike in form, whose counts sum up to the original's. Tokens go by what each part's
 * inputs may have at most: an input has at least one token, its first byte; the rest is shared by the rest of the bytes. So
 * no part has more tokens than bytes, as long as the whole has not. Where the main count is unknown, each gets `null`: the
 * same usage said to several would be billed several times.
 */
export function shareCounts(document: JsonDocument, usage: JsonNode, mains: readonly string[], parts: readonly EmbeddingPart[]): readonly Uint8Array[] {
  const value: unknown = JSON.parse(decodeUtf8(bytesOf(document, usage)));
  const main = mains.map((name) => (isObject(value) ? value[name] : undefined)).find((count) => count !== undefined && count !== null);
  if (!isCount(main)) return parts.map(() => NULL);
  const shares = shareTokens(main, parts);
  const split = (counts: unknown): readonly unknown[] => {
    if (isCount(counts)) return apportion(BigInt(counts), shares).map(Number);
    if (Array.isArray(counts)) return transposed(counts.map(split), parts.length);
    if (!isObject(counts)) return parts.map(() => counts);
    const columns = Object.entries(counts).map(([name, count]) => [name, split(count)] as const);
    return parts.map((_, index) => Object.fromEntries(columns.map(([name, column]) => [name, column[index]])));
  };
  return split(value).map(encodeJson);
}

/** Tokens of all, to each part its own. */
function shareTokens(tokens: number, parts: readonly EmbeddingPart[]): readonly bigint[] {
  const counts = parts.map(({ inputs }) => BigInt(inputs.length));
  const bounds = parts.map(({ inputs }) => BigInt(inputs.reduce((sum, { tokenBound }) => sum + tokenBound, 0)));
  const least = counts.reduce((sum, count) => sum + count, 0n);
  if (BigInt(tokens) < least) return apportion(BigInt(tokens), bounds);
  const rest = apportion(
    BigInt(tokens) - least,
    bounds.map((bound, index) => bound - (counts[index] ?? 0n)),
  );
  return rest.map((share, index) => share + (counts[index] ?? 0n));
}

/** Columns of an array's items → each part's array. */
function transposed(columns: readonly (readonly unknown[])[], parts: number): readonly unknown[] {
  return Array.from({ length: parts }, (_, part) => columns.map((column) => column[part]));
}

/** A value's bytes as they stand in the document. */
export function bytesOf(document: JsonDocument, node: JsonNode): Uint8Array {
  return document.bytes.subarray(document.start(node), document.end(node));
}

/** The text of an input, as bytes; `undefined` where a provider would refuse it: an empty one, or half of a character. */
export function textBytes(text: string): number | undefined {
  return text === '' || !text.isWellFormed() ? undefined : encodeUtf8(text).length;
}

const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
