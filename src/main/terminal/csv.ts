/** What a spreadsheet would take for a formula. Source: OWASP, "CSV Injection". */
const FORMULA = /^[=+\-@\t\r]/;

export type Cell = string | number | boolean | null | undefined;

/** One line of RFC 4180, without its end. A text from outside is never a formula: it begins with an apostrophe then. */
export function csvLine(cells: readonly Cell[]): string {
  return cells.map(written).join(',');
}

function written(cell: Cell): string {
  if (typeof cell !== 'string') return cell === null || cell === undefined ? '' : String(cell);
  const text = FORMULA.test(cell) && !/^-?\d+(?:\.\d+)?$/.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
