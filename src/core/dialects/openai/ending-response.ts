import type { Usage } from '../../catalog/index.ts';
import type { EnderContext } from '../ender.ts';
import { integerAt, objectAt, textAt } from '../values.ts';
import type { JsonObject } from '../values.ts';
import { writeResponseUsage } from './translate/usage.ts';

/** A part of a message that is still coming. */
interface OpenPart {
  readonly part: JsonObject;
  text: string;
}

/** An item of the output, as it was added, or as it was told to be done. */
interface Item {
  readonly item: JsonObject;
  readonly isDone: boolean;
  /** By their place in the item's content. */
  readonly parts: Map<number, OpenPart | JsonObject>;
}

const DELTAS: ReadonlyMap<unknown, 'text' | 'refusal'> = new Map([
  ['response.output_text.delta', 'text'],
  ['response.refusal.delta', 'refusal'],
]);

/**
 * The end of a response that is streamed: the parts and items that are open are done, and the response is incomplete, with
 * all that came of it, as its last event repeats it. A call's arguments are not told to be done, for clients would make it.
 * Source: `ResponseStreamEvent` of the `openai` package; API reference, "response.incomplete".
 */
export class ResponseEnding {
  #response: JsonObject;
  #number = 0;
  readonly #items = new Map<number, Item>();

  constructor({ requestId, model, created }: EnderContext) {
    this.#response = { id: `resp_${requestId}`, object: 'response', created_at: created, model };
  }

  read(event: JsonObject): void {
    this.#number = Math.max(this.#number, (integerAt(event, 'sequence_number') ?? -1) + 1);
    this.#response = objectAt(event, 'response') ?? this.#response;
    const place = integerAt(event, 'output_index');
    if (place === undefined) return;
    const item = objectAt(event, 'item');
    if (item !== undefined) this.#items.set(place, { item, isDone: event['type'] === 'response.output_item.done', parts: new Map() });
    else this.#readPart(event, this.#items.get(place)?.parts);
  }

  #readPart(event: JsonObject, parts: Item['parts'] | undefined): void {
    const index = integerAt(event, 'content_index');
    if (parts === undefined || index === undefined) return;
    const part = objectAt(event, 'part');
    if (event['type'] === 'response.content_part.added' && part !== undefined) parts.set(index, { part, text: '' });
    if (event['type'] === 'response.content_part.done' && part !== undefined) parts.set(index, part);
    const open = parts.get(index);
    if (DELTAS.has(event['type']) && isOpen(open)) open.text += textAt(event, 'delta') ?? '';
  }

  ending(usage: Usage): readonly string[] {
    const events: string[] = [];
    const emit = (type: string, members: JsonObject): void =>
      void events.push(`event: ${type}\ndata: ${JSON.stringify({ type, sequence_number: this.#number++, ...members })}\n\n`);
    const output = [...this.#items].toSorted(([one], [other]) => one - other).map(([place, item]) => (item.isDone ? item.item : finish(place, item, emit)));
    const incomplete = { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' }, output, usage: writeResponseUsage(usage) };
    emit('response.incomplete', { response: { ...this.#response, ...incomplete } });
    return events;
  }
}

function finish(place: number, { item, parts }: Item, emit: (type: string, members: JsonObject) => void): JsonObject {
  const where = { item_id: item['id'], output_index: place };
  const content = [...parts]
    .toSorted(([one], [other]) => one - other)
    .map(([index, part]) => (isOpen(part) ? finishPart({ ...where, content_index: index }, part, emit) : part));
  const done = { ...item, status: 'incomplete', ...(content.length === 0 ? {} : { content }) };
  emit('response.output_item.done', { output_index: place, item: done });
  return done;
}

function finishPart(where: JsonObject, { part, text }: OpenPart, emit: (type: string, members: JsonObject) => void): JsonObject {
  const isRefusal = part['type'] === 'refusal';
  const done = isRefusal ? { ...part, refusal: text } : { ...part, text };
  if (isRefusal) emit('response.refusal.done', { ...where, refusal: text });
  else if (part['type'] === 'output_text') emit('response.output_text.done', { ...where, text, logprobs: [] });
  emit('response.content_part.done', { ...where, part: done });
  return done;
}

const isOpen = (part: OpenPart | JsonObject | undefined): part is OpenPart => part !== undefined && 'part' in part && 'text' in part;
