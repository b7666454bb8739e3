import { parsePlainObject } from '../../../json/index.ts';
import type { NeutralEvent, NeutralPart } from '../../neutral.ts';
import { EventReader } from '../../sse.ts';
import type { EventData, EventListener } from '../../sse.ts';
import type { StreamReader } from '../../translation.ts';
import type { Endpoint } from '../../types.ts';
import { MAX_CANDIDATES } from '../limits.ts';
import { AnswerCalls } from './calls.ts';
import { errorOf } from './errors.ts';
import { readFinish } from './finish.ts';
import { readLogprobs } from './logprobs.ts';
import { isSilent, readAnswerPart } from './parts.ts';
import { usageOf } from './usage.ts';
import { integerAt, objectAt, objectsAt, textAt, withoutAbsent, wordAt } from '../../values.ts';
import type { JsonObject, ParsedObject } from '../../values.ts';

/** Where one candidate of a stream is. */
interface Candidate {
  calls: number;
  isFinished: boolean;
}

/** Reads a stream of events from a Gemini back, which is always asked for `alt=sse`. */
export function readStream(endpoint: Endpoint): StreamReader {
  return new GeminiStreamReader(endpoint);
}

class GeminiStreamReader implements StreamReader, EventListener {
  skipped = 0;
  readonly #endpoint: Endpoint;
  readonly #reader = new EventReader(this, false);
  readonly #calls = new AnswerCalls();
  readonly #candidates = new Map<number, Candidate>();
  #events: NeutralEvent[] = [];
  #answerId = '';
  #hasStarted = false;
  #isBlocked = false;
  #isOver = false;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  push(chunk: Uint8Array, endOfStream: boolean): readonly NeutralEvent[] {
    this.#events = [];
    if (!this.#isOver) {
      this.#reader.push(chunk, endOfStream);
      if (endOfStream) this.#end();
    }
    return this.#events;
  }

  event(_name: string, { bytes, start, end }: EventData): 'keep' {
    if (this.#isOver) return 'keep';
    const parsed = parsePlainObject(bytes.subarray(start, end));
    if (parsed === undefined) this.skipped++;
    else this.#read(parsed);
    return 'keep';
  }

  unreadable(): void {
    this.skipped++;
  }

  #read(parsed: ParsedObject): void {
    const { value } = parsed;
    if (objectAt(value, 'error') !== undefined) {
      this.#events.push({ kind: 'error', error: errorOf(value, 0) });
      this.#isOver = true;
      return;
    }
    const usage = usageOf(parsed);
    if (!this.#hasStarted) {
      this.#hasStarted = true;
      this.#answerId = textAt(value, 'responseId') ?? '';
      this.#events.push({
        kind: 'start',
        id: this.#answerId,
        model: wordAt(value, 'modelVersion') ?? this.#endpoint.model ?? '',
        created: undefined,
        ...withoutAbsent({ usage }),
      });
    }
    for (const candidate of objectsAt(value, 'candidates')) this.#readCandidate(candidate);
    if (wordAt(objectAt(value, 'promptFeedback'), 'blockReason') !== undefined) this.#block();
    if (usage !== undefined) this.#events.push({ kind: 'usage', usage });
  }

  #readCandidate(candidate: JsonObject): void {
    const choice = integerAt(candidate, 'index') ?? 0;
    const state = this.#candidates.get(choice) ?? { calls: 0, isFinished: false };
    if (state.isFinished || (this.#candidates.size === MAX_CANDIDATES && !this.#candidates.has(choice))) {
      this.skipped++;
      return;
    }
    this.#candidates.set(choice, state);
    let logprobs = readLogprobs(candidate);
    for (const part of objectsAt(objectAt(candidate, 'content'), 'parts')) {
      const read = readAnswerPart(part, this.#answerId, this.#calls);
      if (read === undefined) this.skipped++;
      else if (read.kind === 'text' && read.text !== '') {
        this.#events.push({ kind: 'text', choice, delta: read.text, ...withoutAbsent({ logprobs }) });
        logprobs = undefined;
      } else if (!isSilent(read)) this.#tell(read, choice, state);
    }
    const reason = wordAt(candidate, 'finishReason');
    if (reason === undefined) return;
    state.isFinished = true;
    this.#events.push({ kind: 'finish', choice, reason: readFinish(reason, state.calls > 0) });
  }

  #tell(part: NeutralPart, choice: number, state: Candidate): void {
    if (part.kind === 'thinking') {
      if (part.text !== '') this.#events.push({ kind: 'thinking', choice, delta: part.text });
      if (part.signature !== undefined) this.#events.push({ kind: 'thinking_signature', choice, signature: part.signature });
      if (part.redacted !== undefined) this.#events.push({ kind: 'redacted_thinking', choice, redacted: part.redacted });
    } else if (part.kind === 'tool_call') {
      const call = state.calls++;
      this.#events.push({ kind: 'tool_call', choice, call, id: part.id, name: part.name, ...withoutAbsent({ signature: part.signature }) });
      this.#events.push({ kind: 'tool_arguments', choice, call, delta: part.argumentsJson });
    } else {
      // A picture has no place in other streams.
      this.skipped++;
    }
  }

  /** A prompt that was not let through has no candidates. */
  #block(): void {
    if (this.#isBlocked || this.#candidates.size > 0) return;
    this.#isBlocked = true;
    this.#events.push({ kind: 'finish', choice: 0, reason: 'content_filter' });
  }

  /** There is no last event: where every candidate is finished, the body's end is the end. */
  #end(): void {
    this.#isOver = true;
    const candidates = [...this.#candidates.values()];
    const isWhole = candidates.length > 0 ? candidates.every(({ isFinished }) => isFinished) : this.#isBlocked;
    if (isWhole) this.#events.push({ kind: 'end' });
  }
}
