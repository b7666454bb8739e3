import type { PriceTier, Usage } from '../../catalog/index.ts';
import type { JsonDocument, JsonNode } from '../../json/index.ts';
import { err, ok } from '../../units/index.ts';
import type { Result } from '../../units/index.ts';
import type { Endpoint } from '../types.ts';

type Members = ReadonlyMap<string, JsonNode>;
/** A count that is there and sound, absent (or null), or there and unsound. */
type Count = { readonly kind: 'count'; readonly value: number } | { readonly kind: 'absent' } | { readonly kind: 'unsound'; readonly field: string };

/** What a `usage` member says. `absent`: null, or a count of seconds, which is no count of tokens. */
export type UsageFound = Result<Usage, string> | 'absent';

/**
 * Reads a `usage` object in either of OpenAI's shapes: `prompt_tokens`/`completion_tokens` (chat, completions, embeddings)
 * or `input_tokens`/`output_tokens` (responses, images, audio), with DeepSeek's `prompt_cache_hit_tokens`. A count that is
 * negative, fractional or no number makes the whole reading an error: what cannot be trusted is not priced.
 * Source: `CompletionUsage`, `ResponseUsage`, `ImagesResponse.Usage` and `Transcription.Tokens` of the `openai` package.
 */
export function readUsage(document: JsonDocument, node: JsonNode, endpoint: Endpoint): UsageFound {
  if (document.isNull(node)) return 'absent';
  if (document.kind(node) !== 'object') return err('usage is not an object');
  const members = document.members(node);
  if (!members.ok) return err('usage has a field twice');
  const usage = members.value;
  if (usage.has('seconds') && !usage.has('input_tokens')) return 'absent';
  const reader = new CountReader(document);
  const input = reader.first(usage, ['prompt_tokens', 'input_tokens']);
  const reportedOutput = reader.first(usage, ['completion_tokens', 'output_tokens']);
  const total = reader.first(usage, ['total_tokens']);
  const details = readDetails(document, reader, usage);
  if (reader.problem !== undefined) return err(reader.problem);
  if (input === undefined) return err('usage names no input tokens');
  const output = outputTokens(endpoint, input, reportedOutput, total);
  if (output === undefined) return err('usage names no output tokens');
  const reading: Usage = { inputTokens: input, outputTokens: output, ...details, ...wholeOutput(endpoint, details, output) };
  const tooMany = excess(reading);
  return tooMany === undefined ? ok(reading) : err(`${tooMany} is more than the total that contains it`);
}

/** The tier that a `service_tier` member names; `undefined` for what names none, such as `auto`. */
export function tierOf(value: string): PriceTier | undefined {
  switch (value) {
    case 'default':
    case 'scale':
      return 'standard';
    case 'flex':
      return 'flex';
    case 'priority':
    case 'fast':
      return 'priority';
    default:
      return undefined;
  }
}

function readDetails(document: JsonDocument, reader: CountReader, usage: Members): Partial<Usage> {
  const inputs = reader.object(usage, ['prompt_tokens_details', 'input_tokens_details', 'input_token_details']);
  const outputs = reader.object(usage, ['completion_tokens_details', 'output_tokens_details', 'output_token_details']);
  const writes = reader.object(inputs, ['cache_write_tokens_details']);
  const cached = reader.first(inputs, ['cached_tokens']) ?? reader.first(usage, ['prompt_cache_hit_tokens']);
  const counts: { [Part in keyof Usage]: number | undefined } = {
    inputTokens: undefined,
    outputTokens: undefined,
    cachedInputTokens: cached,
    cacheWriteTokens: reader.first(inputs, ['cache_write_tokens']),
    cacheWriteLongTokens: reader.first(writes, ['ttl_12h_tokens']),
    inputAudioTokens: reader.first(inputs, ['audio_tokens']),
    inputImageTokens: reader.first(inputs, ['image_tokens']),
    reasoningTokens: reader.first(outputs, ['reasoning_tokens']),
    outputAudioTokens: reader.first(outputs, ['audio_tokens']),
    outputImageTokens: reader.first(outputs, ['image_tokens']),
  };
  return Object.fromEntries(Object.entries(counts).filter(([, value]) => value !== undefined)) as Partial<Usage>;
}

/**
 * Some compatible providers leave reasoning out of the completion tokens and count it in the total only; the larger
 * figure is what they bill. Embeddings report no output, and have none.
 */
function outputTokens(endpoint: Endpoint, input: number, reported: number | undefined, total: number | undefined): number | undefined {
  const rest = total !== undefined && total >= input ? total - input : undefined;
  if (reported !== undefined) return Math.max(reported, rest ?? 0);
  return rest ?? (endpoint.operation === 'embeddings' ? 0 : undefined);
}

/** Endpoints whose whole answer is of one priced kind say so only by being themselves. */
function wholeOutput(endpoint: Endpoint, details: Partial<Usage>, output: number): Partial<Usage> {
  if (endpoint.operation === 'images' && details.outputImageTokens === undefined) return { outputImageTokens: output };
  if (endpoint.path === '/audio/speech' && details.outputAudioTokens === undefined) return { outputAudioTokens: output };
  return {};
}

function excess(usage: Usage): string | undefined {
  const parts: readonly (readonly [name: string, part: number | undefined, total: number])[] = [
    ['the cached input', usage.cachedInputTokens, usage.inputTokens],
    ['the input written to a cache', usage.cacheWriteTokens, usage.inputTokens],
    ['the audio input', usage.inputAudioTokens, usage.inputTokens],
    ['the image input', usage.inputImageTokens, usage.inputTokens],
    ['the reasoning', usage.reasoningTokens, usage.outputTokens],
    ['the audio output', usage.outputAudioTokens, usage.outputTokens],
    ['the image output', usage.outputImageTokens, usage.outputTokens],
    ['the input written to a long cache', usage.cacheWriteLongTokens, usage.cacheWriteTokens ?? usage.inputTokens],
  ];
  return parts.find(([, part, total]) => part !== undefined && part > total)?.[0];
}

/** Reads counts and remembers the first that is unsound. */
class CountReader {
  problem: string | undefined;
  readonly #document: JsonDocument;

  constructor(document: JsonDocument) {
    this.#document = document;
  }

  first(members: Members | undefined, names: readonly string[]): number | undefined {
    for (const name of names) {
      const count = this.#count(members, name);
      if (count.kind === 'count') return count.value;
      if (count.kind === 'unsound') this.problem ??= `${count.field} is not a whole number of tokens`;
    }
    return undefined;
  }

  object(members: Members | undefined, names: readonly string[]): Members | undefined {
    for (const name of names) {
      const node = members?.get(name);
      if (node === undefined || this.#document.kind(node) !== 'object') continue;
      const read = this.#document.members(node);
      if (read.ok) return read.value;
      this.problem ??= `${name} has a field twice`;
    }
    return undefined;
  }

  #count(members: Members | undefined, name: string): Count {
    const node = members?.get(name);
    if (node === undefined || this.#document.isNull(node)) return { kind: 'absent' };
    const value = this.#document.kind(node) === 'number' ? this.#document.integer(node) : undefined;
    return value === undefined || value < 0 ? { kind: 'unsound', field: name } : { kind: 'count', value };
  }
}
