import { ByteMeter } from '../bytemeter.ts';
import type { PriceTier, Usage } from '../../catalog/index.ts';
import { JsonWatcher, parseJson } from '../../json/index.ts';
import type { AnswerShape, BodyEnd, Endpoint, ResponseMeter, UsageReading } from '../types.ts';
import { StreamMeter } from './stream.ts';
import { AnswerTally, MAX_BYTES_PER_TOKEN } from './tally.ts';

/** Longest value that is taken out of a JSON answer: usage with all its details is a tenth of it. */
const MAX_VALUE_BYTES = 16 * 1024;

/** From this status on an answer is an error, and nothing was generated. */
const FIRST_ERROR_STATUS = 400;

/** Counting tokens costs nothing, and so does what is counted. */
const FREE: Usage = { inputTokens: 0, outputTokens: 0 };

/** Paths in one response; a stream that is an array has each of them below `[]`. */
const PATHS: readonly string[] = [
  'usageMetadata',
  'modelVersion',
  'error',
  'candidates[].finishReason',
  'candidates[].groundingMetadata.webSearchQueries',
  'promptFeedback.blockReason',
];
const WATCHED_PATHS: ReadonlySet<string> = new Set(PATHS.flatMap((path) => [path, `[].${path}`]));
const MAX_PATH_DEPTH = 5;

const TEXT_KEYS: ReadonlySet<string> = new Set(['text']);

/** A meter for an answer, by its content type. */
export function meter(endpoint: Endpoint, answer: AnswerShape): ResponseMeter {
  const isError = answer.status >= FIRST_ERROR_STATUS;
  switch (answer.kind) {
    case 'sse':
      return new StreamMeter();
    case 'json':
      return new JsonMeter(endpoint, isError);
    case 'other':
      return new ByteMeter(isError);
  }
}

/** Meters a JSON answer of any size, or a stream that is an array of answers; keeps the few values that it looks for. */
class JsonMeter implements ResponseMeter {
  readonly #isFree: boolean;
  readonly #isStream: boolean;
  readonly #isError: boolean;
  readonly #watcher: JsonWatcher;
  readonly #tally = new AnswerTally();
  #isFinished = false;
  #hasError = false;

  constructor(endpoint: Endpoint, isError: boolean) {
    this.#isFree = endpoint.operation === 'count_tokens';
    this.#isStream = endpoint.stream === true;
    this.#isError = isError;
    this.#watcher = new JsonWatcher({
      paths: WATCHED_PATHS,
      maxPathDepth: MAX_PATH_DEPTH,
      maxValueBytes: MAX_VALUE_BYTES,
      textKeys: TEXT_KEYS,
      found: (path, value) => this.#found(path, value),
    });
  }

  push(chunk: Uint8Array, _endOfStream: boolean): Uint8Array {
    this.#watcher.push(chunk);
    return chunk;
  }

  reading(): UsageReading {
    if (this.#isFree) return { kind: 'reported', usage: FREE };
    if (this.#watcher.state === 'broken' && !this.#isError) this.#tally.note('the answer is not JSON');
    return this.#tally.reading(this.#isError ? 0 : this.#watcher.textBytes, this.#isError);
  }

  end(): BodyEnd {
    if (this.#watcher.state !== 'complete') return 'truncated';
    if (this.#hasError && !this.#isError) return 'error_event';
    return this.#isStream && !this.#isFinished && !this.#isError ? 'truncated' : 'complete';
  }

  servedModel(): string | undefined {
    return this.#tally.model;
  }

  servedTier(): PriceTier | undefined {
    return this.#tally.tier;
  }

  outputTokensSoFar(): number {
    return Math.max(this.#tally.outputTokens, Math.floor(this.#watcher.textBytes / MAX_BYTES_PER_TOKEN));
  }

  #found(watched: string, value: Uint8Array | undefined): void {
    const path = watched.startsWith('[].') ? watched.slice('[].'.length) : watched;
    const parsed = value === undefined ? undefined : parseJson(value);
    const document = parsed?.ok === true ? parsed.value : undefined;
    const isNull = document?.isNull(document.root) === true;
    if (path === 'error') this.#hasError ||= !isNull;
    else if (path === 'candidates[].finishReason' || path === 'promptFeedback.blockReason') this.#isFinished ||= !isNull;
    else if (document !== undefined) this.#tally.take(path, document, document.root);
    else if (path === 'usageMetadata') this.#tally.note('usageMetadata is not valid JSON, or too long');
  }
}
