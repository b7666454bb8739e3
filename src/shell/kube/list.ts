import { refusalOf } from './apiserver.ts';
import type { ApiServer } from './apiserver.ts';

/** Objects that an API server reads and sends at once. */
const PAGE = '500';

export interface Listed {
  readonly items: readonly unknown[];
  /** To watch from. */
  readonly resourceVersion: string;
}

/** An API server has refused to list. */
export class ListRefused extends Error {
  readonly statusCode: number;

  constructor(message: string, statusCode: number) {
    super(message);
    this.statusCode = statusCode;
  }
}

/** All that there is, page by page. Rejects with ListRefused, or with ApiUnreachable. */
export async function listAll(api: ApiServer, path: string, selectors: Readonly<Record<string, string>> = {}): Promise<Listed> {
  const items: unknown[] = [];
  let resourceVersion = '';
  for (let token: string | undefined = ''; token !== undefined;) {
    const answer = await api.send('GET', path, { query: { ...selectors, limit: PAGE, ...(token === '' ? {} : { continue: token }) } });
    if (answer.status !== 200) throw new ListRefused(refusalOf(answer), answer.status);
    const { metadata, items: page } = answer.body as {
      readonly metadata: { readonly resourceVersion: string; readonly continue?: string };
      readonly items: readonly unknown[];
    };
    items.push(...page);
    resourceVersion = metadata.resourceVersion;
    token = metadata.continue === undefined || metadata.continue === '' ? undefined : metadata.continue;
  }
  return { items, resourceVersion };
}
