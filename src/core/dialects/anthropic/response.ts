import { ByteMeter } from '../bytemeter.ts';
import type { PriceTier, Usage } from '../../catalog/index.ts';
import { JsonWatcher, parseJson } from '../../json/index.ts';
import type { AnswerShape, BodyEnd, Endpoint, ResponseMeter, UsageReading } from '../types.ts';
import { StreamMeter } from './stream.ts';
import { UsageTally } from './usage.ts';

/** Longest value that is taken out of a JSON answer: a usage object with dozens of iterations. */
const MAX_VALUE_BYTES = 64 * 1024;

/** From this status on an answer is an error, and nothing was generated. */
const FIRST_ERROR_STATUS = 400;

/** Counting tokens costs nothing, and so does what is counted. */
const FREE: Usage = { inputTokens: 0, outputTokens: 0 };

const WATCHED_PATHS: ReadonlySet<string> = new Set(['usage', 'model', 'error']);
const TEXT_KEYS: ReadonlySet<string> = new Set(['text', 'thinking']);

/** A meter for an answer, by its content type. */
export function meter(endpoint: Endpoint, answer: AnswerShape): ResponseMeter {
  const isError = answer.status >= FIRST_ERROR_STATUS;
  switch (answer.kind) {
    case 'sse':
      return new StreamMeter();
    case 'json':
      return new JsonMeter(isError, endpoint.operation === 'count_tokens');
    case 'other':
      return new ByteMeter(isError);
  }
}

/** Meters a JSON answer of any size; keeps the few values that it looks for. */
class JsonMeter implements ResponseMeter {
  readonly #isError: boolean;
  readonly #isFree: boolean;
  readonly #watcher: JsonWatcher;
  readonly #tally = new UsageTally();
  #hasUsage = false;
  #model: string | undefined;
  #hasError = false;

  constructor(isError: boolean, isFree: boolean) {
    this.#isError = isError;
    this.#isFree = isFree;
    this.#watcher = new JsonWatcher({
      paths: WATCHED_PATHS,
      maxPathDepth: 1,
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
    const outputBytes = this.#isError ? 0 : this.#watcher.textBytes;
    const problem = this.#hasUsage ? this.#tally.finalProblem() : this.#watcher.state === 'broken' ? 'the answer is not JSON' : undefined;
    const usage = problem === undefined ? this.#tally.usage() : undefined;
    if (usage !== undefined) return { kind: 'reported', usage };
    return problem === undefined || this.#isError ? { kind: 'missing', outputBytes } : { kind: 'invalid', problem, outputBytes };
  }

  end(): BodyEnd {
    if (this.#watcher.state !== 'complete') return 'truncated';
    return this.#hasError && !this.#isError ? 'error_event' : 'complete';
  }

  servedModel(): string | undefined {
    return this.#model;
  }

  servedTier(): PriceTier | undefined {
    return this.#tally.tier;
  }

  outputTokensSoFar(): number {
    return this.#tally.usage()?.outputTokens ?? 0;
  }

  #found(path: string, value: Uint8Array | undefined): void {
    const parsed = value === undefined ? undefined : parseJson(value);
    const document = parsed?.ok === true ? parsed.value : undefined;
    if (path === 'error') {
      this.#hasError ||= document === undefined || !document.isNull(document.root);
    } else if (path === 'usage') {
      this.#hasUsage = true;
      if (document === undefined) this.#tally.problem ??= 'usage is not valid JSON, or too long';
      else this.#tally.take(document, document.root);
    } else if (document !== undefined && document.kind(document.root) === 'string') {
      this.#model = document.text(document.root);
    }
  }
}
