import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { err } from '../../core/units/index.ts';
import type { Result } from '../../core/units/index.ts';
import { reading } from './fields.ts';
import type { Raw } from './fields.ts';

/**
 * Messages within one message, all in all: a thousand slices with what belongs to them, several times over. Two bytes are
 * enough for an empty one, so a message of a legal size could make the reader's work and memory hundreds of times as large.
 */
const MAX_PARTS = 20_000;
const BYTES_PER_PART = 2;

const PROTO = new URL('../../../proto/', import.meta.url);

/** The messages of one file below proto/, by their names within its package. */
export function schemasOf(file: string, packageName: string): (name: string) => Schema {
  const root = protobuf.loadSync(fileURLToPath(new URL(file, PROTO)));
  root.resolveAll();
  return (name) => new Schema(root.lookupType(`${packageName}.${name}`));
}

/** One message, to and from bytes. */
export class Schema {
  readonly #type: protobuf.Type;

  constructor(type: protobuf.Type) {
    this.#type = type;
  }

  encode(raw: Raw): Buffer {
    return this.#type.encode(raw).finish() as Buffer;
  }

  /** What `read` makes of it; an error names the message and the field. */
  decode<T>(bytes: Uint8Array, read: (raw: Raw) => T): Result<T, string> {
    const { name } = this.#type;
    let raw: Raw;
    try {
      if (bytes.length > MAX_PARTS * BYTES_PER_PART && countParts(this.#type, protobuf.Reader.create(bytes), bytes.length) > MAX_PARTS)
        return err(`${name}: there are more than ${MAX_PARTS} messages within it`);
      raw = this.#type.decode(bytes) as unknown as Raw;
    } catch {
      return err(`${name}: these ${bytes.length} bytes are no such message`);
    }
    return reading(name, () => read(raw));
  }
}

function countParts(type: protobuf.Type, reader: protobuf.Reader, end: number): number {
  let parts = 0;
  while (reader.pos < end && parts <= MAX_PARTS) {
    const tag = reader.uint32();
    const resolved = type.fieldsById[tag >>> 3]?.resolvedType;
    if (resolved instanceof protobuf.Type && (tag & 7) === 2) {
      const length = reader.uint32();
      parts += 1 + countParts(resolved, reader, reader.pos + length);
    } else reader.skipType(tag & 7);
  }
  return parts;
}
