import { ByteMeter } from '../bytemeter.ts';
import type { PriceTier, Usage } from '../../catalog/index.ts';
import { JsonWatcher, parseJson } from '../../json/index.ts';
import type { AnswerShape, BodyEnd, Endpoint, ResponseMeter, UsageReading } from '../types.ts';
import { StreamMeter } from './stream.ts';
import { readUsage, tierOf } from './usage.ts';

/** Longest value that is taken out of a JSON answer: a usage object with all its details is a tenth of it. */
const MAX_VALUE_BYTES = 16 * 1024;

/** From this status on an answer is an error, and nothing was generated. */
const FIRST_ERROR_STATUS = 400;

/** Bytes of compressed speech that are taken for one of text, so that an estimate is not off by orders of magnitude. */
const SPEECH_BYTES_PER_TEXT_BYTE = 200;

const WATCHED_PATHS: ReadonlySet<string> = new Set(['usage', 'model', 'service_tier', 'error', 'output[].type']);
const TEXT_KEYS: ReadonlySet<string> = new Set(['content', 'reasoning_content', 'reasoning', 'refusal', 'arguments', 'input', 'transcript', 'text']);

/** Output items of tools that the provider runs and bills by the call. Source: `ResponseOutputItem` of the `openai` package. */
export const TOOL_ITEMS: ReadonlySet<string> = new Set(['web_search_call', 'file_search_call', 'code_interpreter_call']);

/** A meter for an answer, by its content type. */
export function meter(endpoint: Endpoint, answer: AnswerShape): ResponseMeter {
  switch (answer.kind) {
    case 'sse':
      return new StreamMeter(endpoint, answer.hideStreamUsage);
    case 'json':
      return new JsonMeter(endpoint, answer.status >= FIRST_ERROR_STATUS);
    case 'other':
      return new ByteMeter(answer.status >= FIRST_ERROR_STATUS, endpoint.path === '/audio/speech' ? SPEECH_BYTES_PER_TEXT_BYTE : 1);
  }
}

/** Meters a JSON answer of any size; keeps the few values that it looks for. */
class JsonMeter implements ResponseMeter {
  readonly #endpoint: Endpoint;
  readonly #isError: boolean;
  readonly #watcher: JsonWatcher;
  #usage: Usage | undefined;
  #problem: string | undefined;
  #model: string | undefined;
  #tier: PriceTier | undefined;
  #toolCalls = 0;
  #hasError = false;

  constructor(endpoint: Endpoint, isError: boolean) {
    this.#endpoint = endpoint;
    this.#isError = isError;
    this.#watcher = new JsonWatcher({
      paths: WATCHED_PATHS,
      maxPathDepth: 3,
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
    const outputBytes = this.#isError ? 0 : this.#watcher.textBytes;
    if (this.#usage !== undefined)
      return { kind: 'reported', usage: this.#toolCalls === 0 ? this.#usage : { ...this.#usage, hostedToolCalls: this.#toolCalls } };
    const problem = this.#problem ?? (this.#watcher.state === 'broken' ? 'the answer is not JSON' : undefined);
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
    return this.#tier;
  }

  outputTokensSoFar(): number {
    return this.#usage?.outputTokens ?? 0;
  }

  #found(path: string, value: Uint8Array | undefined): void {
    const parsed = value === undefined ? undefined : parseJson(value);
    if (path === 'error') {
      this.#hasError ||= parsed === undefined || !parsed.ok || !parsed.value.isNull(parsed.value.root);
    } else if (parsed === undefined || !parsed.ok) {
      if (path === 'usage') this.#problem ??= 'usage is not valid JSON, or too long';
    } else if (path === 'usage') {
      const usage = readUsage(parsed.value, parsed.value.root, this.#endpoint);
      if (usage !== 'absent' && usage.ok) this.#usage = usage.value;
      else if (usage !== 'absent') this.#problem ??= usage.error;
    } else if (parsed.value.kind(parsed.value.root) === 'string') {
      this.#foundText(path, parsed.value.text(parsed.value.root));
    }
  }

  #foundText(path: string, text: string): void {
    if (path === 'model') this.#model = text;
    else if (path === 'service_tier') this.#tier = tierOf(text);
    else if (TOOL_ITEMS.has(text)) this.#toolCalls++;
  }
}
