import type { NeutralLogprob, NeutralThinking, NeutralToolCall } from '../../../neutral.ts';
import { writeLogprobs } from '../logprobs.ts';
import type { JsonObject } from '../../../values.ts';
import { callItem, messageItem, reasoningItem, refusalPart, summaryPart, textPart } from './items.ts';
import type { ItemStatus } from './items.ts';

/*
 * Items of a streamed response that are not finished: each tells of its beginning, its growth and its end, and is then
 * the same item as in a response that is not streamed.
 */

/** Sends one event of a response; its number is added by who sends it. */
export type Emit = (type: string, members: JsonObject) => void;

/** The events of one item. */
export class ItemEvents {
  readonly id: string;
  readonly #emit: Emit;
  readonly #index: number;

  constructor(emit: Emit, id: string, index: number) {
    this.#emit = emit;
    this.id = id;
    this.#index = index;
  }

  added(item: JsonObject): void {
    this.#emit('response.output_item.added', { output_index: this.#index, item });
  }

  /** Something about a part of the item. */
  part(type: string, members: JsonObject): void {
    this.#emit(type, { item_id: this.id, output_index: this.#index, ...members });
  }

  done(item: JsonObject): JsonObject {
    this.#emit('response.output_item.done', { output_index: this.#index, item });
    return item;
  }
}

export interface OpenItem {
  /** Ends whatever is open within the item, and the item; returns it whole. */
  close(status: ItemStatus): JsonObject;
}

/** A part of a message, of text or of refusal. */
interface SaidPart {
  readonly kind: 'text' | 'refusal';
  text: string;
  readonly logprobs: NeutralLogprob[];
}

export class OpenMessage implements OpenItem {
  readonly #events: ItemEvents;
  readonly #parts: SaidPart[] = [];

  constructor(events: ItemEvents) {
    this.#events = events;
    events.added(this.#item('in_progress'));
  }

  add(kind: SaidPart['kind'], delta: string, logprobs: readonly NeutralLogprob[] = []): void {
    const part = this.#partOf(kind);
    part.text += delta;
    part.logprobs.push(...logprobs);
    const members = { content_index: this.#parts.length - 1, delta };
    if (kind === 'text') this.#events.part('response.output_text.delta', { ...members, logprobs: writeLogprobs(logprobs) });
    else this.#events.part('response.refusal.delta', members);
  }

  close(status: ItemStatus): JsonObject {
    this.#closePart();
    return this.#events.done(this.#item(status));
  }

  #partOf(kind: SaidPart['kind']): SaidPart {
    const open = this.#parts.at(-1);
    if (open?.kind === kind) return open;
    this.#closePart();
    const part: SaidPart = { kind, text: '', logprobs: [] };
    this.#parts.push(part);
    this.#events.part('response.content_part.added', { content_index: this.#parts.length - 1, part: writePart(part) });
    return part;
  }

  #closePart(): void {
    const part = this.#parts.at(-1);
    if (part === undefined) return;
    const place = { content_index: this.#parts.length - 1 };
    if (part.kind === 'text') this.#events.part('response.output_text.done', { ...place, text: part.text, logprobs: writeLogprobs(part.logprobs) });
    else this.#events.part('response.refusal.done', { ...place, refusal: part.text });
    this.#events.part('response.content_part.done', { ...place, part: writePart(part) });
  }

  #item(status: ItemStatus): JsonObject {
    return messageItem(this.#events.id, status, this.#parts.map(writePart));
  }
}

function writePart({ kind, text, logprobs }: SaidPart): JsonObject {
  return kind === 'text' ? textPart(text, logprobs) : refusalPart(text);
}

export class OpenReasoning implements OpenItem {
  readonly #events: ItemEvents;
  #text = '';
  #seal: Pick<NeutralThinking, 'signature' | 'redacted'> | undefined;

  constructor(events: ItemEvents) {
    this.#events = events;
    events.added(this.#item());
  }

  /** Nothing more belongs to thinking that was sealed. */
  get isSealed(): boolean {
    return this.#seal !== undefined;
  }

  think(delta: string): void {
    if (delta === '') return;
    if (this.#text === '') this.#events.part('response.reasoning_summary_part.added', { summary_index: 0, part: summaryPart('') });
    this.#text += delta;
    this.#events.part('response.reasoning_summary_text.delta', { summary_index: 0, delta });
  }

  seal(seal: Pick<NeutralThinking, 'signature' | 'redacted'>): void {
    this.#seal = seal;
  }

  close(): JsonObject {
    if (this.#text !== '') {
      this.#events.part('response.reasoning_summary_text.done', { summary_index: 0, text: this.#text });
      this.#events.part('response.reasoning_summary_part.done', { summary_index: 0, part: summaryPart(this.#text) });
    }
    return this.#events.done(this.#item());
  }

  #item(): JsonObject {
    return reasoningItem(this.#events.id, { text: this.#text, ...this.#seal });
  }
}

export class OpenCall implements OpenItem {
  readonly #events: ItemEvents;
  readonly #call: Omit<NeutralToolCall, 'kind' | 'argumentsJson'>;
  #arguments = '';

  constructor(events: ItemEvents, call: Omit<NeutralToolCall, 'kind' | 'argumentsJson'>) {
    this.#events = events;
    this.#call = call;
    events.added(this.#item('in_progress'));
  }

  add(delta: string): void {
    this.#arguments += delta;
    this.#events.part('response.function_call_arguments.delta', { delta });
  }

  close(status: ItemStatus): JsonObject {
    // A call without arguments has those of an empty object, as clients parse them; one that was cut has what came of them.
    if (this.#arguments === '' && status === 'completed') this.add('{}');
    this.#events.part('response.function_call_arguments.done', { name: this.#call.name, arguments: this.#arguments });
    return this.#events.done(this.#item(status));
  }

  #item(status: ItemStatus): JsonObject {
    return callItem(this.#events.id, status, { ...this.#call, argumentsJson: this.#arguments });
  }
}
