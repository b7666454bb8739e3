import type { Fields } from '../../fields.ts';
import type { Loss } from '../../neutral.ts';

/** Most losses that are told of; they travel in a header. */
const MAX_DROPPED = 32;

/** Collects what cannot be carried over. The same loss in many places is told of once; of refusals the first is enough. */
export class LossLog {
  readonly #dropped = new Map<string, Loss>();
  #refused: Loss | undefined;

  get all(): readonly Loss[] {
    return this.#refused === undefined ? [...this.#dropped.values()] : [this.#refused, ...this.#dropped.values()];
  }

  /** The call goes on without it. */
  dropped(param: string, message: string): void {
    if (!this.#dropped.has(message) && this.#dropped.size < MAX_DROPPED) this.#dropped.set(message, { treatment: 'dropped', param, message });
  }

  /** The call cannot be made without it. */
  refused(param: string, message: string): void {
    this.#refused ??= { treatment: 'refused', param, message };
  }

  /** Tells of the members of an object that this room does not know. Names are the caller's, so only those of a plain form are repeated. */
  unknownFields(fields: Fields, known: ReadonlySet<string>): void {
    for (const name of fields.members.keys()) {
      if (known.has(name) || fields.node(name) === undefined) continue;
      const isPlain = /^[a-z0-9_.-]{1,64}$/i.test(name);
      this.dropped(
        isPlain ? fields.at(name) : fields.path,
        `${isPlain ? `The field ${name}` : 'A field of unknown name'} has no counterpart at the provider and is left out.`,
      );
    }
  }
}
