/**
 * A short name for a content: the same for the same content, in hexadecimal. Two FNV-1a lanes of 32 bits with different
 * seeds: tells versions apart, proves nothing.
 */
export function fingerprint(content: unknown): string {
  const text = JSON.stringify(content, (_key, value: unknown) => {
    if (value instanceof Map) return [...value];
    return typeof value === 'bigint' ? `${value}n` : value;
  });
  let left = 0x811c9dc5;
  let right = 0x9e3779b9;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    left = Math.imul(left ^ code, 0x01000193);
    right = Math.imul(right ^ code, 0x85ebca6b);
  }
  return hex(left) + hex(right);
}

const hex = (lane: number): string => (lane >>> 0).toString(16).padStart(8, '0');
