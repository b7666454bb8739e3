/** Who writes the documents. */
export const ORIGIN = 'Written by `test/compatibility.test.ts` from what the translations do (`npm test -- -u` writes it anew).';

export function table(head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)];
}

export function lines(parts: readonly string[]): string {
  return `${parts.join('\n').trimEnd()}\n`;
}
