import type { ObjectReader } from './reading.ts';
import { isObjectText } from '../../values.ts';
import type { NeutralToolCall } from '../../neutral.ts';

/** Tool calls of a conversation whose results have not been read yet, by id. */
export class OpenCalls {
  readonly #names = new Map<string, string>();

  open({ id, name }: NeutralToolCall): void {
    this.#names.set(id, name);
  }

  /** Takes the call that a result answers and gives its tool's name; `undefined` where none is open by that id. */
  answer(id: string): string | undefined {
    const name = this.#names.get(id);
    this.#names.delete(id);
    return name;
  }

  /** The open call of a name that was made first, for results that name the tool only. */
  idOf(name: string): string | undefined {
    return [...this.#names].find(([, candidate]) => candidate === name)?.[0];
  }

  get size(): number {
    return this.#names.size;
  }
}

/**
 * The text of a call's arguments. OpenAI takes any string for them, as its models can write broken JSON; other providers
 * take an object, so nothing else can be carried over. An empty text is what models write for a tool without parameters.
 */
export function readArguments(holder: ObjectReader, field: 'arguments'): string {
  const text = holder.string(field) ?? '';
  if (text.trim() === '') return '{}';
  if (!isObjectText(text)) {
    holder.log.losses.refused(
      holder.at(field),
      `${holder.at(field)} is not the text of a JSON object. Send the arguments of an earlier tool call as valid JSON.`,
    );
  }
  return text;
}
