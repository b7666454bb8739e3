/** SQLite's primary result code of an error that it threw. Source: sqlite.org/rescode.html; extended codes have it in the low byte. */
export function codeOf(error: unknown): number | undefined {
  const code = (error as { readonly errcode?: number }).errcode;
  return code === undefined ? undefined : code & 0xff;
}
