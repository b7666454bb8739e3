import type { PriceTier, Usage } from '../../catalog/index.ts';
import { parseJson } from '../../json/index.ts';
import type { JsonDocument, JsonNode } from '../../json/index.ts';
import { EventReader } from '../sse.ts';
import type { EventData, EventListener } from '../sse.ts';
import type { BodyEnd, Endpoint, ResponseMeter, UsageReading } from '../types.ts';
import { glance, wordTable } from '../glance.ts';
import type { WordTable } from '../glance.ts';
import { readUsage, tierOf } from './usage.ts';

/** Bytes of text that make a token at the least guess: long words and runs of spaces. */
const MAX_BYTES_PER_TOKEN = 8;

/** Longest name of a served model or tier that is taken over. */
const MAX_NAME_BYTES = 256;

/** Events that end an answer. Source: `ResponseStreamEvent`, `ImageGenStreamEvent`, `ImageEditStreamEvent` and `TranscriptionStreamEvent` of the `openai` package; API reference, "speech.audio.done". */
const LAST_EVENTS: ReadonlySet<string> = new Set([
  'response.completed',
  'response.incomplete',
  'response.failed',
  'image_generation.completed',
  'image_edit.completed',
  'transcript.text.done',
  'speech.audio.done',
]);

/** Events that end a call of a tool that the provider runs and bills by the call. */
const TOOL_EVENTS: ReadonlySet<string> = new Set([
  'response.web_search_call.completed',
  'response.file_search_call.completed',
  'response.code_interpreter_call.completed',
]);

const KNOWN_TYPES: ReadonlySet<string> = new Set([...LAST_EVENTS, ...TOOL_EVENTS]);

/** Keys of generated text. Events of other endpoints repeat finished texts in full, so there only `delta` counts. */
const CHAT_WORDS = wordTable(['content', 'reasoning_content', 'reasoning', 'refusal', 'arguments', 'input', 'transcript', 'text']);
const DELTA_WORDS = wordTable(['delta']);

const DONE = [0x5b, 0x44, 0x4f, 0x4e, 0x45, 0x5d];

/** Meters a stream of server-sent events. Parses only the first event and those that can hold usage or an error. */
export class StreamMeter implements ResponseMeter, EventListener {
  readonly #endpoint: Endpoint;
  readonly #hidesUsage: boolean;
  readonly #reader: EventReader;
  readonly #words: WordTable;
  #usage: Usage | undefined;
  /** The usage came with an answer's part, as some relays send it: it may grow until the answer ends. */
  #usageIsPartial = false;
  #problem: string | undefined;
  #textBytes = 0;
  #textEvents = 0;
  #toolCalls = 0;
  #model: string | undefined;
  #tier: PriceTier | undefined;
  #isFirst = true;
  #isDone = false;
  #isFinished = false;
  #hasError = false;
  #hasEnded = false;

  constructor(endpoint: Endpoint, hidesUsage: boolean) {
    this.#endpoint = endpoint;
    this.#hidesUsage = hidesUsage;
    this.#words = endpoint.operation === 'chat' || endpoint.operation === 'text_completion' ? CHAT_WORDS : DELTA_WORDS;
    this.#reader = new EventReader(this, hidesUsage);
  }

  push(chunk: Uint8Array, endOfStream: boolean): Uint8Array {
    if (this.#hasEnded) return chunk;
    this.#hasEnded = endOfStream;
    return this.#reader.push(chunk, endOfStream);
  }

  event(name: string, data: EventData): 'keep' | 'drop' {
    if (isDone(data)) {
      this.#isDone = true;
      return 'keep';
    }
    if (name === 'error') this.#hasError = true;
    const seen = glance(data, this.#words, KNOWN_TYPES);
    if (seen.textBytes > 0) {
      this.#textBytes += seen.textBytes;
      this.#textEvents++;
    }
    if (seen.type !== undefined && TOOL_EVENTS.has(seen.type)) this.#toolCalls++;
    const ends = seen.finished || (seen.type !== undefined && LAST_EVENTS.has(seen.type));
    if (!seen.worthReading && !ends && !this.#isFirst) return 'keep';
    this.#isFirst = false;
    const document = parseObject(data);
    if (document === undefined) {
      if (seen.worthReading) this.#problem ??= 'an event that may hold the usage is not a JSON object with distinct keys';
      return 'keep';
    }
    // Only now, for half an event can hold the word that would end the answer.
    if (seen.finished) this.#isFinished = true;
    else if (ends) this.#isDone = true;
    return this.#read(document);
  }

  unreadable(): void {
    this.#problem ??= 'an event was too long to be read';
  }

  reading(): UsageReading {
    const outputBytes = this.#textBytes;
    if (this.#usage !== undefined && !(this.#usageIsPartial && this.end() === 'truncated')) {
      return { kind: 'reported', usage: this.#toolCalls === 0 ? this.#usage : { ...this.#usage, hostedToolCalls: this.#toolCalls } };
    }
    return this.#problem === undefined ? { kind: 'missing', outputBytes } : { kind: 'invalid', problem: this.#problem, outputBytes };
  }

  hasFinalUsage(): boolean {
    return this.#usage !== undefined && !this.#usageIsPartial;
  }

  end(): BodyEnd {
    if (this.#hasError) return 'error_event';
    // Some compatible providers end without [DONE]; then the finished choice and the end of the body say as much.
    return this.#isDone || (this.#isFinished && this.#hasEnded) ? 'complete' : 'truncated';
  }

  servedModel(): string | undefined {
    return this.#model;
  }

  servedTier(): PriceTier | undefined {
    return this.#tier;
  }

  textBytesSoFar(): number {
    return this.#textBytes;
  }

  outputTokensSoFar(): number {
    return Math.max(this.#usage?.outputTokens ?? 0, this.#textEvents, Math.floor(this.#textBytes / MAX_BYTES_PER_TOKEN));
  }

  #read({ document, members: top }: ParsedObject): 'keep' | 'drop' {
    const inner = top.get('response');
    const response = (inner === undefined ? undefined : membersOf(document, inner)) ?? top;
    this.#noteError(document, top);
    this.#model ??= shortText(document, response.get('model'));
    this.#tier = tierOf(shortText(document, response.get('service_tier')) ?? '') ?? this.#tier;
    const usage = top.get('usage') ?? response.get('usage');
    if (usage === undefined || document.isNull(usage)) return 'keep';
    const choices = top.get('choices');
    const isUsageOnly = choices !== undefined && document.kind(choices) === 'array' && document.items(choices).length === 0;
    this.#noteUsage(document, usage, choices !== undefined && !isUsageOnly);
    return isUsageOnly && this.#hidesUsage ? 'drop' : 'keep';
  }

  #noteUsage(document: JsonDocument, node: JsonNode, isPartial: boolean): void {
    const found = readUsage(document, node, this.#endpoint);
    if (found === 'absent') return;
    if (!found.ok) {
      this.#problem ??= found.error;
      return;
    }
    this.#usage = found.value;
    this.#usageIsPartial = isPartial;
  }

  #noteError(document: JsonDocument, top: ReadonlyMap<string, JsonNode>): void {
    const error = top.get('error');
    const type = shortText(document, top.get('type'));
    if ((error !== undefined && !document.isNull(error)) || type === 'error' || type === 'response.failed') this.#hasError = true;
  }
}

interface ParsedObject {
  readonly document: JsonDocument;
  readonly members: ReadonlyMap<string, JsonNode>;
}

function parseObject({ bytes, start, end }: EventData): ParsedObject | undefined {
  const parsed = parseJson(bytes.subarray(start, end));
  const members = parsed.ok ? membersOf(parsed.value, parsed.value.root) : undefined;
  return parsed.ok && members !== undefined ? { document: parsed.value, members } : undefined;
}

function isDone({ bytes, start, end }: EventData): boolean {
  return end - start === DONE.length && DONE.every((byte, index) => bytes[start + index] === byte);
}

function membersOf(document: JsonDocument, node: JsonNode): ReadonlyMap<string, JsonNode> | undefined {
  if (document.kind(node) !== 'object') return undefined;
  const members = document.members(node);
  return members.ok ? members.value : undefined;
}

function shortText(document: JsonDocument, node: JsonNode | undefined): string | undefined {
  return node !== undefined && document.kind(node) === 'string' && document.rawLength(node) <= MAX_NAME_BYTES ? document.text(node) : undefined;
}
