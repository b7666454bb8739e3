import type { PriceTier, Usage } from '../../catalog/index.ts';
import type { JsonDocument, JsonNode } from '../../json/index.ts';
import { err, ok } from '../../units/index.ts';
import type { Result } from '../../units/index.ts';

type Members = ReadonlyMap<string, JsonNode>;

/** What a `usageMetadata` member says. `absent`: null, or nothing that counts tokens. */
export type UsageFound = Result<Usage, string> | 'absent';

/** Longest name of a modality or tier that is looked at. */
const MAX_NAME_BYTES = 64;

/**
 * Reads `usageMetadata`. What tools put into the prompt is input, thoughts are output; zero is left out on the wire. A
 * count that is negative, fractional or no number makes the whole reading an error: what cannot be trusted is not priced.
 * Sound and images are counted whole, cached or not, as cached sound costs more than the cache's price for text.
 * Source: `GenerateContentResponseUsageMetadata` and `UsageMetadata` of `@google/genai`; Gemini API, "Gemini thinking", "Pricing".
 */
export function readUsage(document: JsonDocument, node: JsonNode): UsageFound {
  if (document.isNull(node)) return 'absent';
  if (document.kind(node) !== 'object') return err('usageMetadata is not an object');
  const members = document.members(node);
  if (!members.ok) return err('usageMetadata has a field twice');
  const usage = members.value;
  const reader = new CountReader(document);
  const prompt = reader.count(usage, 'promptTokenCount');
  const total = reader.count(usage, 'totalTokenCount');
  const toolUse = reader.count(usage, 'toolUsePromptTokenCount');
  const thoughts = reader.count(usage, 'thoughtsTokenCount');
  const candidates = reader.count(usage, 'candidatesTokenCount') ?? reader.count(usage, 'responseTokenCount');
  const inputs = [reader.modalities(usage, 'promptTokensDetails'), reader.modalities(usage, 'toolUsePromptTokensDetails')];
  const outputs = [reader.modalities(usage, 'candidatesTokensDetails')];
  const cached = reader.count(usage, 'cachedContentTokenCount');
  if (reader.problem !== undefined) return err(reader.problem);
  if (prompt === undefined && total === undefined) return 'absent';
  if (prompt === undefined) return err('usageMetadata names no prompt tokens');
  const inputTokens = prompt + (toolUse ?? 0);
  const named = (candidates ?? 0) + (thoughts ?? 0);
  const reading: Usage = {
    inputTokens,
    // The larger figure is what is billed, should a count of a kind that is not known here be in the total only.
    outputTokens: Math.max(named, (total ?? 0) - inputTokens),
    ...part('cachedInputTokens', cached),
    ...part('reasoningTokens', thoughts),
    ...part('inputAudioTokens', sumOf(inputs, 'AUDIO')),
    ...part('inputImageTokens', sumOf(inputs, 'IMAGE')),
    ...part('outputAudioTokens', sumOf(outputs, 'AUDIO')),
    ...part('outputImageTokens', sumOf(outputs, 'IMAGE')),
  };
  const tooMany = excess(reading);
  return tooMany === undefined ? ok(reading) : err(`${tooMany} is more than the total that contains it`);
}

/** The tier that a `serviceTier` names, in a request or in usage; `undefined` for one that is not known here. Source: `ServiceTier` of `@google/genai`. */
export function tierOf(name: string): PriceTier | undefined {
  switch (name.toLowerCase()) {
    case 'unspecified':
    case 'standard':
      return 'standard';
    case 'flex':
      return 'flex';
    case 'priority':
      return 'priority';
    default:
      return undefined;
  }
}

/** The tier that a `usageMetadata` object says was billed, when it says one. */
export function tierIn(document: JsonDocument, node: JsonNode): PriceTier | undefined {
  if (document.kind(node) !== 'object') return undefined;
  const members = document.members(node);
  const name = members.ok ? nameOf(document, members.value.get('serviceTier')) : undefined;
  return name === undefined ? undefined : tierOf(name);
}

type Part = Exclude<keyof Usage, 'inputTokens' | 'outputTokens'>;

function part(name: Part, count: number | undefined): Partial<Usage> {
  return count === undefined ? {} : { [name]: count };
}

function sumOf(details: readonly (ReadonlyMap<string, number> | undefined)[], modality: string): number | undefined {
  const counts = details.flatMap((counted) => counted?.get(modality) ?? []);
  return counts.length === 0 ? undefined : counts.reduce((sum, count) => sum + count, 0);
}

function excess(usage: Usage): string | undefined {
  const parts: readonly (readonly [name: string, part: number | undefined, total: number])[] = [
    ['the cached input', usage.cachedInputTokens, usage.inputTokens],
    ['the audio input', usage.inputAudioTokens, usage.inputTokens],
    ['the image input', usage.inputImageTokens, usage.inputTokens],
    ['the audio output', usage.outputAudioTokens, usage.outputTokens],
    ['the image output', usage.outputImageTokens, usage.outputTokens],
  ];
  return parts.find(([, count, total]) => count !== undefined && count > total)?.[0];
}

function nameOf(document: JsonDocument, node: JsonNode | undefined): string | undefined {
  return node !== undefined && document.kind(node) === 'string' && document.rawLength(node) <= MAX_NAME_BYTES ? document.text(node) : undefined;
}

/** Reads counts and remembers the first that is unsound. */
class CountReader {
  problem: string | undefined;
  readonly #document: JsonDocument;

  constructor(document: JsonDocument) {
    this.#document = document;
  }

  /** A count that is there and sound; absent counts are zero or unknown, which the wire does not tell apart. */
  count(members: Members, name: string): number | undefined {
    const node = members.get(name);
    if (node === undefined || this.#document.isNull(node)) return undefined;
    const value = this.#document.kind(node) === 'number' ? this.#document.integer(node) : undefined;
    if (value !== undefined && value >= 0) return value;
    this.problem ??= `${name} is not a whole number of tokens`;
    return undefined;
  }

  /** Tokens by modality: `{modality: "AUDIO", tokenCount: 5}`. */
  modalities(members: Members, name: string): ReadonlyMap<string, number> | undefined {
    const node = members.get(name);
    if (node === undefined || this.#document.kind(node) !== 'array') return undefined;
    const counts = new Map<string, number>();
    for (const item of this.#document.items(node)) {
      const entry = this.#document.kind(item) === 'object' ? this.#document.members(item) : undefined;
      if (entry?.ok !== true) continue;
      const modality = nameOf(this.#document, entry.value.get('modality')) ?? '';
      counts.set(modality, (counts.get(modality) ?? 0) + (this.count(entry.value, 'tokenCount') ?? 0));
    }
    return counts;
  }
}
