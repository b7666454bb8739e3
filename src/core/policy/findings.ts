/** What is wrong with a resource, and where. */
export interface Finding {
  readonly severity: 'error' | 'warning';
  /** `AIRoute shop/chat`; of what could not be read so far, as much as is known. */
  readonly resource: string;
  /** `spec.rules[0].backends[1].provider`; empty for the resource as a whole. */
  readonly path: string;
  /** What is wrong and what to do. */
  readonly message: string;
  /** Of a reference to another resource, which may be mended there: what became of it, in Gateway API's words. */
  readonly reason?: 'RefNotFound' | 'RefNotPermitted' | 'RefInvalid';
}

export type FieldPath = readonly (string | number)[];

export function formatPath(path: FieldPath): string {
  return path.reduce<string>((text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`), '');
}

/** The candidate that is a slip of the pen away, for "did you mean". */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

const MAX_COMPARED = 64;

function editDistance(left: string, right: string): number {
  const [a, b] = [left.slice(0, MAX_COMPARED), right.slice(0, MAX_COMPARED)];
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const substitution = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
