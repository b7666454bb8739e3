import type { NeutralEvent } from '../../../neutral.ts';
import type { Endpoint } from '../../../types.ts';
import { MAX_CHOICES } from '../../limits.ts';
import type { StreamLanguage } from '../event-stream.ts';
import { readLogprobs } from '../logprobs.ts';
import { readCallSignature } from '../signature.ts';
import { usageOf } from '../usage.ts';
import { integerAt, isObject, objectAt, objectsAt, textAt, wordAt } from '../../../values.ts';
import type { JsonObject, ParsedObject } from '../../../values.ts';
import { readFinish } from './finish.ts';
import { readContentPart, thoughtOf, unnamedCall } from './read-answer.ts';

/** Most tool calls of one answer that are told apart. */
const MAX_CALLS = 1024;

/** What is known of one choice so far. */
interface ChoiceState {
  /** Calls by the index that the provider gives them. */
  readonly calls: Map<number, { readonly id: string; readonly call: number }>;
  made: number;
  refused: boolean;
  finished: boolean;
}

/** Reads `chat.completion.chunk`s of OpenAI and of compatible servers. */
export class ChatChunks implements StreamLanguage {
  readonly #endpoint: Endpoint;
  readonly #choices = new Map<number, ChoiceState>();
  #hasStarted = false;

  constructor(endpoint: Endpoint) {
    this.#endpoint = endpoint;
  }

  read(event: ParsedObject): readonly NeutralEvent[] | undefined {
    const { value } = event;
    if (!Array.isArray(value['choices']) && !isObject(value['usage'])) return undefined;
    const steps: NeutralEvent[] = [];
    const choices = objectsAt(value, 'choices');
    // Azure begins with a chunk about the prompt, which has neither an id nor choices.
    if (!this.#hasStarted && (choices.length > 0 || wordAt(value, 'id') !== undefined)) steps.push(this.#start(value));
    for (const choice of choices) this.#readChoice(choice, steps);
    const usage = usageOf(event, this.#endpoint);
    if (usage !== undefined) steps.push({ kind: 'usage', usage });
    return steps;
  }

  isWhole(): boolean {
    return this.#choices.size > 0 && [...this.#choices.values()].every(({ finished }) => finished);
  }

  #start(value: JsonObject): NeutralEvent {
    this.#hasStarted = true;
    return { kind: 'start', id: textAt(value, 'id') ?? '', model: textAt(value, 'model') ?? '', created: integerAt(value, 'created') };
  }

  #readChoice(value: JsonObject, steps: NeutralEvent[]): void {
    const choice = integerAt(value, 'index') ?? 0;
    if (choice < 0 || choice >= MAX_CHOICES) return;
    const state = this.#choices.get(choice) ?? { calls: new Map(), made: 0, refused: false, finished: false };
    this.#choices.set(choice, state);
    if (state.finished) return;
    const delta = objectAt(value, 'delta') ?? objectAt(value, 'message') ?? {};
    this.#readDelta(delta, choice, state, readLogprobs(objectAt(value, 'logprobs'), 'content'), steps);
    const reason = wordAt(value, 'finish_reason');
    if (reason === undefined) return;
    state.finished = true;
    steps.push({ kind: 'finish', choice, reason: readFinish(reason, { calls: state.made > 0, refused: state.refused }) });
  }

  #readDelta(delta: JsonObject, choice: number, state: ChoiceState, logprobs: ReturnType<typeof readLogprobs>, steps: NeutralEvent[]): void {
    const thought = thoughtOf(delta);
    if (thought !== undefined) steps.push({ kind: 'thinking', choice, delta: thought });
    const content = delta['content'];
    if (typeof content === 'string' && (content !== '' || logprobs.length > 0))
      steps.push({ kind: 'text', choice, delta: content, ...(logprobs.length === 0 ? {} : { logprobs }) });
    for (const part of Array.isArray(content) ? content.filter(isObject).flatMap(readContentPart) : []) {
      if (part.kind === 'text' || part.kind === 'thinking') steps.push({ kind: part.kind, choice, delta: part.text });
    }
    const refusal = wordAt(delta, 'refusal');
    if (refusal !== undefined) {
      state.refused = true;
      steps.push({ kind: 'refusal', choice, delta: refusal });
    }
    for (const [place, fragment] of objectsAt(delta, 'tool_calls').entries()) this.#readFragment(fragment, place, choice, state, steps);
  }

  /** A call begins with its name. Some servers repeat id and name in each fragment, others give several calls one index. */
  #readFragment(fragment: JsonObject, place: number, choice: number, state: ChoiceState, steps: NeutralEvent[]): void {
    const made = objectAt(fragment, 'function') ?? {};
    const index = integerAt(fragment, 'index') ?? place;
    const id = wordAt(fragment, 'id');
    const name = wordAt(made, 'name');
    let open = state.calls.get(index);
    if (name !== undefined && state.made < MAX_CALLS && (open === undefined || (id !== undefined && id !== open.id))) {
      const call = state.made++;
      open = { id: id ?? unnamedCall(call), call };
      state.calls.set(index, open);
      steps.push({ kind: 'tool_call', choice, call, id: open.id, name, ...readCallSignature(fragment['extra_content']) });
    }
    const value = made['arguments'];
    const text = isObject(value) ? JSON.stringify(value) : typeof value === 'string' ? value : '';
    if (open !== undefined && text !== '') steps.push({ kind: 'tool_arguments', choice, call: open.call, delta: text });
  }
}
