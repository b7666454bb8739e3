import { gunzipSync, gzipSync } from 'node:zlib';
import { misfit, under } from '../../wire/index.ts';
import type { Raw, Schema } from '../../wire/index.ts';

/** A provider with all models that there are takes a hundredth of it. */
const MAX_UNPACKED_BYTES = 16 * 1_048_576;

/**
 * Something large that many states have in common: made into bytes once, and compressed. Never with a key in it: how far
 * a secret can be compressed together with what others wrote tells of it (CRIME).
 */
export class Packed<T extends object> {
  readonly #schema: Schema;
  readonly #made = new WeakMap<T, Buffer>();
  readonly #rawOf: (value: T) => Raw;

  constructor(schema: Schema, rawOf: (value: T) => Raw) {
    this.#schema = schema;
    this.#rawOf = rawOf;
  }

  pack(value: T): Buffer {
    const made = this.#made.get(value) ?? gzipSync(this.#schema.encode(this.#rawOf(value)));
    this.#made.set(value, made);
    return made;
  }

  /** To be called while a message is read. */
  unpackList(raw: Raw, field: string, most: number, read: (raw: Raw) => T): T[] {
    const packed = raw[field] as readonly Uint8Array[];
    if (packed.length > most) return misfit(field, `has ${packed.length} entries; at most ${most} were expected`);
    return packed.map((bytes, index) => under(`.${field}[${index}]`, () => read(this.#unpack(bytes))));
  }

  #unpack(bytes: Uint8Array): Raw {
    const message = this.#schema.read(unzip(bytes));
    return message.ok ? message.value : misfit('', message.error);
  }
}

function unzip(bytes: Uint8Array): Buffer {
  try {
    return gunzipSync(bytes, { maxOutputLength: MAX_UNPACKED_BYTES });
  } catch {
    return misfit('', 'cannot be decompressed, or is too large');
  }
}
