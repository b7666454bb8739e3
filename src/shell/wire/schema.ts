import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { err, ok } from '../../core/units/index.ts';
import type { Result } from '../../core/units/index.ts';
import { reading } from './fields.ts';
import type { Raw } from './fields.ts';

/**
 * Of an empty message within another one. So small are they that a message of a legal size could make the reader's work and
 * memory hundreds of times as large; so they are counted where they could be too many.
 */
const BYTES_PER_PART = 2;

const PROTO = new URL('../../../proto/', import.meta.url);

/** The messages of one file below proto/, by their names within its package. `maxParts`: messages within one of them, all in all. */
export function schemasOf(file: string, packageName: string, maxParts: number): (name: string) => Schema {
  const root = protobuf.loadSync(fileURLToPath(new URL(file, PROTO)));
  root.resolveAll();
  return (name) => new Schema(root.lookupType(`${packageName}.${name}`), maxParts);
}

/** One message, to and from bytes. */
export class Schema {
  readonly #type: protobuf.Type;
  readonly #maxParts: number;

  constructor(type: protobuf.Type, maxParts: number) {
    this.#type = type;
    this.#maxParts = maxParts;
  }

  encode(raw: Raw): Buffer {
    return this.#type.encode(raw).finish() as Buffer;
  }

  /** What `read` makes of it; an error names the message and the field. */
  decode<T>(bytes: Uint8Array, read: (raw: Raw) => T): Result<T, string> {
    const raw = this.read(bytes);
    return raw.ok ? reading(this.#type.name, () => read(raw.value)) : err(`${this.#type.name}: ${raw.error}`);
  }

  /** Its fields, before anybody knows whether they make sense. */
  read(bytes: Uint8Array): Result<Raw, string> {
    try {
      const most = this.#maxParts;
      if (bytes.length > most * BYTES_PER_PART && countParts(this.#type, protobuf.Reader.create(bytes), bytes.length, most) > most)
        return err(`there are more than ${most} messages within it`);
      return ok(this.#type.decode(bytes) as unknown as Raw);
    } catch {
      return err(`these ${bytes.length} bytes are no such message`);
    }
  }
}

function countParts(type: protobuf.Type, reader: protobuf.Reader, end: number, most: number): number {
  let parts = 0;
  while (reader.pos < end && parts <= most) {
    const tag = reader.uint32();
    const resolved = type.fieldsById[tag >>> 3]?.resolvedType;
    if (resolved instanceof protobuf.Type && (tag & 7) === 2) {
      const length = reader.uint32();
      parts += 1 + countParts(resolved, reader, reader.pos + length, most);
    } else reader.skipType(tag & 7);
  }
  return parts;
}
