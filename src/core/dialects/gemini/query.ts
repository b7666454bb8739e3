/** What names the form of an answer among Google's system parameters. Source: Google Cloud, "System parameters". */
const ALT_NAMES: ReadonlySet<string> = new Set(['alt', '$alt']);

/**
 * Whether a query asks for server-sent events. Without, a stream comes as an array in JSON.
 * The query may begin with its `?`.
 */
export function asksForEvents(query: string): boolean {
  const alternatives = parametersOf(query).filter(([name]) => ALT_NAMES.has(name));
  return alternatives.at(-1)?.[1] === 'sse';
}

/**
 * What of a caller's query goes on to the provider, with its `?`, or empty: `alt=sse` and nothing else. The caller's key
 * (`key`, `access_token`) must not go on; `fields` could take the usage out of an answer, and other values of `alt` give
 * answers that cannot be metered.
 */
export function cleanQuery(query: string): string {
  return asksForEvents(query) ? '?alt=sse' : '';
}

function parametersOf(query: string): readonly (readonly [name: string, value: string])[] {
  const text = query.startsWith('?') ? query.slice(1) : query;
  return text.split('&').map((parameter) => {
    const mark = parameter.indexOf('=');
    return mark === -1 ? ([decoded(parameter), ''] as const) : ([decoded(parameter.slice(0, mark)), decoded(parameter.slice(mark + 1))] as const);
  });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
