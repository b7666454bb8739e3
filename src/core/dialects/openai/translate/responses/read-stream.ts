import type { NeutralEvent } from '../../../neutral.ts';
import type { Endpoint } from '../../../types.ts';
import { readErrorObject } from '../error.ts';
import type { StreamLanguage } from '../event-stream.ts';
import { readLogprobs } from '../logprobs.ts';
import { readCallSignature, readSeal } from '../signature.ts';
import { usageOf } from '../usage.ts';
import { integerAt, objectAt, textAt, wordAt } from '../../../values.ts';
import type { JsonObject, ParsedObject } from '../../../values.ts';
import { responseFinish } from './read-answer.ts';

/** A response has one answer. */
const CHOICE = 0;

/** Most items of one response that are told apart. */
const MAX_ITEMS = 4096;

/** Between the parts of a summary. */
const PARAGRAPH = '\n\n';

/** What is known of an item of the output so far, by its place there. */
interface ItemState {
  readonly call: number | undefined;
  length: number;
}

/** Reads the events of a streamed response. Source: `ResponseStreamEvent` of the `openai` package. */
export class ResponseEvents implements StreamLanguage {
  readonly #endpoint: Endpoint;
  readonly #items = new Map<number, ItemState>();
  #hasStarted = false;
  #calls = 0;
  #hasRefused = false;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  read(event: ParsedObject): readonly NeutralEvent[] | undefined {
    const { value } = event;
    const type = textAt(value, 'type');
    switch (type) {
      case 'response.created':
      case 'response.queued':
      case 'response.in_progress':
        return this.#start(objectAt(value, 'response') ?? {});
      case 'response.completed':
      case 'response.incomplete':
        return this.#end(event);
      case 'response.failed':
        return [{ kind: 'error', error: readErrorObject(objectAt(value, 'response') ?? {}, undefined) }];
      case 'response.output_item.added':
      case 'response.output_item.done':
        return this.#readItem(value, type === 'response.output_item.done');
      default:
        return type?.startsWith('response.') === true ? this.#readDelta(value, type) : undefined;
    }
  }

  /** The last event is never left out: without it the usage is unknown. */
  isWhole(): boolean {
    return false;
  }

  #start(response: JsonObject): readonly NeutralEvent[] {
    if (this.#hasStarted) return [];
    this.#hasStarted = true;
    return [{ kind: 'start', id: textAt(response, 'id') ?? '', model: textAt(response, 'model') ?? '', created: integerAt(response, 'created_at') }];
  }

  #readDelta(value: JsonObject, type: string): readonly NeutralEvent[] {
    const item = this.#items.get(integerAt(value, 'output_index') ?? -1);
    const delta = textAt(value, 'delta') ?? '';
    if (item !== undefined) item.length += delta.length;
    switch (type) {
      case 'response.output_text.delta': {
        const logprobs = readLogprobs(value, 'logprobs');
        return [{ kind: 'text', choice: CHOICE, delta, ...(logprobs.length === 0 ? {} : { logprobs }) }];
      }
      case 'response.refusal.delta':
        this.#hasRefused = true;
        return [{ kind: 'refusal', choice: CHOICE, delta }];
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_text.delta':
        return [{ kind: 'thinking', choice: CHOICE, delta }];
      case 'response.reasoning_summary_part.added':
        return (integerAt(value, 'summary_index') ?? 0) > 0 ? [{ kind: 'thinking', choice: CHOICE, delta: PARAGRAPH }] : [];
      case 'response.function_call_arguments.delta':
        return item?.call === undefined ? [] : [{ kind: 'tool_arguments', choice: CHOICE, call: item.call, delta }];
      default:
        // What repeats finished parts, and what tools of the provider's own do.
        return [];
    }
  }

  #readItem(value: JsonObject, isDone: boolean): readonly NeutralEvent[] {
    const place = integerAt(value, 'output_index') ?? -1;
    const item = objectAt(value, 'item') ?? {};
    const known = this.#items.get(place);
    if (known !== undefined) return isDone ? this.#finishItem(item, known) : [];
    if (this.#items.size >= MAX_ITEMS) return [];
    if (item['type'] !== 'function_call') {
      const state = { call: undefined, length: 0 };
      this.#items.set(place, state);
      return isDone ? this.#finishItem(item, state) : [];
    }
    const call = this.#calls++;
    const state = { call, length: 0 };
    this.#items.set(place, state);
    const begun: NeutralEvent = {
      kind: 'tool_call',
      choice: CHOICE,
      call,
      id: textAt(item, 'call_id') ?? '',
      name: textAt(item, 'name') ?? '',
      ...readCallSignature(item['extra_content']),
    };
    return isDone ? [begun, ...this.#finishItem(item, state)] : [begun];
  }

  /** The seal of thinking comes with the finished item; so may arguments that were not streamed. */
  #finishItem(item: JsonObject, state: ItemState): readonly NeutralEvent[] {
    const { call, length } = state;
    const encrypted = wordAt(item, 'encrypted_content');
    if (item['type'] === 'reasoning' && encrypted !== undefined) {
      const { signature, redacted } = readSeal(encrypted, length === 0 ? '' : PARAGRAPH);
      return [
        ...(signature === undefined ? [] : [{ kind: 'thinking_signature', choice: CHOICE, signature } as const]),
        ...(redacted === undefined ? [] : [{ kind: 'redacted_thinking', choice: CHOICE, redacted } as const]),
      ];
    }
    const whole = wordAt(item, 'arguments');
    return call === undefined || whole === undefined || length > 0 ? [] : [{ kind: 'tool_arguments', choice: CHOICE, call, delta: whole }];
  }

  #end(event: ParsedObject): readonly NeutralEvent[] {
    const response = objectAt(event.value, 'response') ?? {};
    const usage = usageOf(event, this.#endpoint, 'response');
    return [
      ...this.#start(response),
      { kind: 'finish', choice: CHOICE, reason: responseFinish(response, { calls: this.#calls > 0, refused: this.#hasRefused }) },
      ...(usage === undefined ? [] : [{ kind: 'usage', usage } as const]),
      { kind: 'end' },
    ];
  }
}
