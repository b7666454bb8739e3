import type { PriceTier } from '../../catalog/index.ts';
import { parseJson } from '../../json/index.ts';
import type { JsonDocument, JsonNode } from '../../json/index.ts';
import { glance, wordTable } from '../glance.ts';
import { EventReader } from '../sse.ts';
import type { EventData, EventListener } from '../sse.ts';
import type { BodyEnd, ResponseMeter, UsageReading } from '../types.ts';
import { UsageTally } from './usage.ts';

/** Bytes of text that make a token at the least guess: long words and runs of spaces. */
const MAX_BYTES_PER_TOKEN = 8;

/** Longest name of a served model or type that is taken over. */
const MAX_NAME_BYTES = 256;

const LAST_EVENT: ReadonlySet<string> = new Set(['message_stop']);

/** Keys of generated text in a `content_block_delta`; seals and citations are not generated. Source: `RawContentBlockDelta` of `@anthropic-ai/sdk`. */
const TEXT_WORDS = wordTable(['text', 'thinking', 'partial_json']);

/**
 * Meters a stream of server-sent events, all of which go on as they are. Parses only those that can hold usage or an error,
 * or end the stream. Source: Claude API docs, "Streaming messages"; `RawMessageStreamEvent` of `@anthropic-ai/sdk`.
 */
export class StreamMeter implements ResponseMeter, EventListener {
  readonly #reader = new EventReader(this, false);
  readonly #tally = new UsageTally();
  #textBytes = 0;
  #textEvents = 0;
  #model: string | undefined;
  /** The reason for the end came, and with it the last figures. */
  #isFinal = false;
  #isDone = false;
  #hasError = false;
  #hasEnded = false;

  push(chunk: Uint8Array, endOfStream: boolean): Uint8Array {
    if (this.#hasEnded) return chunk;
    this.#hasEnded = endOfStream;
    return this.#reader.push(chunk, endOfStream);
  }

  event(name: string, data: EventData): 'keep' {
    if (name === 'error') this.#hasError = true;
    const seen = glance(data, TEXT_WORDS, LAST_EVENT);
    if (seen.textBytes > 0) {
      this.#textBytes += seen.textBytes;
      this.#textEvents++;
    }
    if (!seen.worthReading && seen.type === undefined) return 'keep';
    const parsed = parseJson(data.bytes.subarray(data.start, data.end));
    const members = parsed.ok ? membersOf(parsed.value, parsed.value.root) : undefined;
    if (!parsed.ok || members === undefined) this.#tally.problem ??= 'an event that may hold the usage is not a JSON object with distinct keys';
    else this.#read(parsed.value, members);
    return 'keep';
  }

  unreadable(): void {
    this.#tally.problem ??= 'an event was too long to be read';
  }

  reading(): UsageReading {
    const outputBytes = this.#textBytes;
    const problem = this.#isFinal ? this.#tally.finalProblem() : this.#tally.problem;
    if (problem !== undefined) return { kind: 'invalid', problem, outputBytes };
    const usage = this.#isFinal ? this.#tally.usage() : undefined;
    return usage === undefined ? { kind: 'missing', outputBytes } : { kind: 'reported', usage };
  }

  hasFinalUsage(): boolean {
    return this.#isFinal;
  }

  end(): BodyEnd {
    if (this.#hasError) return 'error_event';
    return this.#isDone ? 'complete' : 'truncated';
  }

  servedModel(): string | undefined {
    return this.#model;
  }

  servedTier(): PriceTier | undefined {
    return this.#tally.tier;
  }

  textBytesSoFar(): number {
    return this.#textBytes;
  }

  outputTokensSoFar(): number {
    return Math.max(this.#tally.usage()?.outputTokens ?? 0, this.#textEvents, Math.floor(this.#textBytes / MAX_BYTES_PER_TOKEN));
  }

  #read(document: JsonDocument, event: ReadonlyMap<string, JsonNode>): void {
    switch (shortText(document, event.get('type'))) {
      case 'message_start': {
        const message = membersOf(document, event.get('message'));
        this.#model ??= shortText(document, message?.get('model'));
        this.#tally.take(document, message?.get('usage'));
        return;
      }
      case 'message_delta': {
        const usage = event.get('usage');
        const reason = membersOf(document, event.get('delta'))?.get('stop_reason');
        this.#tally.take(document, usage);
        // Without a figure of its own, the one of the start would pass for the whole.
        this.#isFinal ||= shortText(document, reason) !== undefined && membersOf(document, usage)?.has('output_tokens') === true;
        return;
      }
      case 'message_stop':
        this.#isDone = true;
        return;
      case 'error':
        this.#hasError = true;
    }
  }
}

function membersOf(document: JsonDocument, node: JsonNode | undefined): ReadonlyMap<string, JsonNode> | undefined {
  if (node === undefined || document.kind(node) !== 'object') return undefined;
  const members = document.members(node);
  return members.ok ? members.value : undefined;
}

function shortText(document: JsonDocument, node: JsonNode | undefined): string | undefined {
  return node !== undefined && document.kind(node) === 'string' && document.rawLength(node) <= MAX_NAME_BYTES ? document.text(node) : undefined;
}
