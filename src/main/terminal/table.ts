import { stripVTControlCharacters } from 'node:util';

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
}

const GAP = '  ';

/** Rows below titles, columns as wide as their widest cell. Cells may hold colours; what comes from elsewhere goes through `printable` first. */
export function table(columns: readonly Column[], rows: readonly (readonly string[])[], title: (text: string) => string = (text) => text): string {
  const widths = columns.map(({ title: head }, index) => Math.max(head.length, ...rows.map((row) => visibleLength(row[index] ?? ''))));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => pad(cell, widths[index] ?? 0, columns[index]?.align ?? 'left'))
      .join(GAP)
      .trimEnd();
  return [title(line(columns.map((column) => column.title))), ...rows.map((row) => line(row))].join('\n');
}

/** A share of a line: `used` filled, `held` shaded, the rest empty. The shares are of 1, and are clipped to it. */
export function bar(used: number, held: number, width: number): string {
  const whole = Math.round(clip(used) * width);
  const shaded = Math.min(width - whole, Math.round(clip(held) * width));
  return `${'█'.repeat(whole)}${'▒'.repeat(shaded)}${'░'.repeat(width - whole - shaded)}`;
}

/** A name from outside, without characters that move the cursor, and of a length that a table bears. */
export function printable(text: string, maxLength = 60): string {
  const clean = stripVTControlCharacters(text).replace(/[\p{Cc}\p{Cf}]/gu, '�');
  return clean.length > maxLength ? `${clean.slice(0, maxLength - 1)}…` : clean;
}

function visibleLength(text: string): number {
  return [...stripVTControlCharacters(text)].length;
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, width - visibleLength(text)));
  return align === 'right' ? space + text : text + space;
}

function clip(share: number): number {
  return Number.isFinite(share) ? Math.min(1, Math.max(0, share)) : 0;
}
