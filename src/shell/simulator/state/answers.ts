import type { KeptAnswer, KeptRequest } from './kept.ts';

export const jsonAnswer = (status: number, body: unknown): KeptAnswer => ({ status, contentType: 'application/json', body: Buffer.from(JSON.stringify(body)) });

/** A page after (or up to) an id, the newest first. */
export function pageOf<Item>(
  items: readonly Item[],
  query: URLSearchParams,
  idOf: (item: Item) => string,
  after: string,
): { readonly page: readonly Item[]; readonly hasMore: boolean } {
  const newestFirst = items.toReversed();
  const from = query.get(after);
  const start = from === null ? 0 : newestFirst.findIndex((item) => idOf(item) === from) + 1;
  const limit = Number(query.get('limit') ?? 20);
  return { page: newestFirst.slice(start, start + limit), hasMore: newestFirst.length > start + limit };
}

/** The fields of a form, and its file. */
export async function formOf({ body, headers }: KeptRequest): Promise<{ readonly fields: ReadonlyMap<string, string>; readonly file: File | undefined }> {
  const form = await new Response(new Uint8Array(body), { headers: { 'content-type': headers['content-type'] ?? '' } }).formData();
  const fields = new Map<string, string>();
  let file: File | undefined;
  for (const [name, value] of form) {
    if (typeof value === 'string') fields.set(name, value);
    else file = value as File;
  }
  return { fields, file };
}

export function urlOf({ path }: KeptRequest): URL {
  return new URL(path, 'http://simulated');
}
