import type { PriceTier } from '../../catalog/index.ts';
import { parseJson } from '../../json/index.ts';
import type { JsonDocument, JsonNode } from '../../json/index.ts';
import { EventReader } from '../sse.ts';
import type { EventData, EventListener } from '../sse.ts';
import type { BodyEnd, ResponseMeter, UsageReading } from '../types.ts';
import { MAX_CANDIDATES } from './limits.ts';
import { AnswerTally, MAX_BYTES_PER_TOKEN } from './tally.ts';

type Members = ReadonlyMap<string, JsonNode>;

/** Meters a stream of server-sent events, each of which is a response of its own with usage from the beginning on. */
export class StreamMeter implements ResponseMeter, EventListener {
  readonly #reader = new EventReader(this, false);
  readonly #tally = new AnswerTally();
  /** Candidates that have begun and not ended. */
  readonly #open = new Set<number>();
  #textBytes = 0;
  #isFinished = false;
  #hasError = false;
  #hasEnded = false;

  push(chunk: Uint8Array, endOfStream: boolean): Uint8Array {
    if (this.#hasEnded) return chunk;
    this.#hasEnded = endOfStream;
    return this.#reader.push(chunk, endOfStream);
  }

  event(_name: string, { bytes, start, end }: EventData): 'keep' {
    const parsed = parseJson(bytes.subarray(start, end));
    const top = parsed.ok ? membersOf(parsed.value, parsed.value.root) : undefined;
    if (parsed.ok && top !== undefined) this.#read(parsed.value, top);
    else this.#tally.note('an event is not a JSON object with distinct keys');
    return 'keep';
  }

  unreadable(): void {
    this.#tally.note('an event was too long to be read');
  }

  reading(): UsageReading {
    return this.#tally.reading(this.#textBytes, false);
  }

  /** There is no last event: the body's end after all candidates' ends is the end. */
  end(): BodyEnd {
    if (this.#hasError) return 'error_event';
    return this.#hasEnded && this.#isFinished && this.#open.size === 0 ? 'complete' : 'truncated';
  }

  servedModel(): string | undefined {
    return this.#tally.model;
  }

  servedTier(): PriceTier | undefined {
    return this.#tally.tier;
  }

  textBytesSoFar(): number {
    return this.#textBytes;
  }

  outputTokensSoFar(): number {
    return Math.max(this.#tally.outputTokens, Math.floor(this.#textBytes / MAX_BYTES_PER_TOKEN));
  }

  #read(document: JsonDocument, top: Members): void {
    if (isThere(document, top.get('error'))) this.#hasError = true;
    for (const path of ['usageMetadata', 'modelVersion']) {
      const node = top.get(path);
      if (node !== undefined) this.#tally.take(path, document, node);
    }
    const feedback = top.get('promptFeedback');
    if (feedback !== undefined && isThere(document, membersOf(document, feedback)?.get('blockReason'))) this.#isFinished = true;
    for (const candidate of itemsOf(document, top.get('candidates'))) this.#readCandidate(document, candidate);
  }

  #readCandidate(document: JsonDocument, members: Members): void {
    const place = members.get('index');
    const index = (place !== undefined && document.kind(place) === 'number' ? document.integer(place) : undefined) ?? 0;
    if (isThere(document, members.get('finishReason'))) {
      this.#isFinished = true;
      this.#open.delete(index);
    } else if (this.#open.size < MAX_CANDIDATES) {
      this.#open.add(index);
    }
    const searches = childOf(document, members, 'groundingMetadata')?.get('webSearchQueries');
    if (searches !== undefined) this.#tally.take('webSearchQueries', document, searches);
    for (const part of itemsOf(document, childOf(document, members, 'content')?.get('parts'))) {
      const text = part.get('text');
      if (text !== undefined && document.kind(text) === 'string') this.#textBytes += document.rawLength(text);
    }
  }
}

function isThere(document: JsonDocument, node: JsonNode | undefined): boolean {
  return node !== undefined && !document.isNull(node);
}

function childOf(document: JsonDocument, members: Members, name: string): Members | undefined {
  const node = members.get(name);
  return node === undefined ? undefined : membersOf(document, node);
}

function itemsOf(document: JsonDocument, node: JsonNode | undefined): readonly Members[] {
  return node === undefined || document.kind(node) !== 'array' ? [] : document.items(node).flatMap((item) => membersOf(document, item) ?? []);
}

function membersOf(document: JsonDocument, node: JsonNode): Members | undefined {
  if (document.kind(node) !== 'object') return undefined;
  const members = document.members(node);
  return members.ok ? members.value : undefined;
}
