import { decodeBase64, encodeBase64 } from '../base64.ts';

const BYTES_PER_NUMBER = 4;

/** A vector as little-endian 32-bit floats in base64. Source: `encoding_format` of OpenAI's embeddings, as its SDK decodes them. */
export function writeVector(vector: readonly number[]): string {
  const view = new DataView(new ArrayBuffer(vector.length * BYTES_PER_NUMBER));
  for (const [index, value] of vector.entries()) view.setFloat32(index * BYTES_PER_NUMBER, value, true);
  return encodeBase64(new Uint8Array(view.buffer));
}

/** Reads a vector in either encoding; `undefined` for what is none. */
export function readVector(value: unknown): readonly number[] | undefined {
  if (Array.isArray(value)) return value.every((item) => typeof item === 'number') ? value : undefined;
  const bytes = typeof value === 'string' ? decodeBase64(value) : undefined;
  if (bytes === undefined || bytes.length % BYTES_PER_NUMBER !== 0) return undefined;
  const view = new DataView(bytes.buffer);
  return Array.from({ length: bytes.length / BYTES_PER_NUMBER }, (_, index) => view.getFloat32(index * BYTES_PER_NUMBER, true));
}
