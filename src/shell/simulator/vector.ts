import { seedOf } from './text.ts';

/** A vector of length 1 that stands for a text: the same for the same text. */
export function vectorOf(text: string, dimensions: number): Float32Array<ArrayBuffer> {
  const seed = seedOf(text);
  const vector = Float32Array.from({ length: dimensions }, (_, index) => Math.sin(seed + index * 1.7));
  const length = Math.hypot(...vector);
  return vector.map((value) => value / length);
}
