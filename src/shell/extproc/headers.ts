import type { IncomingRequest } from '../../core/call/index.ts';
import type { LocalReply } from '../../core/dialects/index.ts';
import { REFUSAL_DETAILS } from '../../core/envoyconfig/index.ts';
import { APPEND, OVERWRITE } from './codec.ts';
import type { HeaderMutation, HeaderValue, HttpBody, HttpHeaders, ProcessingResponse } from './codec.ts';

/** Whose it is, is not known yet. */
export function incomingRequest(requestHeaders: HttpHeaders | undefined, body: HttpBody | undefined): IncomingRequest {
  const headers = new Map<string, string>();
  let path = '';
  let method = '';
  let host = '';
  for (const header of requestHeaders?.headers?.headers ?? []) {
    const text = valueOf(header);
    if (header.key === ':path') path = text;
    else if (header.key === ':method') method = text;
    else if (header.key === ':authority') host = text;
    else if (text !== '') headers.set(header.key, headers.has(header.key) ? `${headers.get(header.key)},${text}` : text);
  }
  return { workload: '', method, host, path, body: body?.body, headers };
}

export function headerOf(message: HttpHeaders | undefined, name: string): string {
  const header = message?.headers?.headers?.find(({ key }) => key === name);
  return header === undefined ? '' : valueOf(header);
}

export function valueOf({ rawValue, value }: HeaderValue): string {
  return rawValue === undefined || rawValue.length === 0 ? (value ?? '') : Buffer.from(rawValue).toString('latin1');
}

/** Answers in the provider's stead. */
export function immediateAnswer({ status, headers, body }: LocalReply): ProcessingResponse {
  return { immediateResponse: { status: { code: status }, headers: headerMutation(headers, []), body, details: REFUSAL_DETAILS } };
}

export function headerMutation(
  set: readonly (readonly [name: string, value: string])[],
  remove: readonly string[],
  append: readonly (readonly [name: string, value: string])[] = [],
): HeaderMutation {
  const option = ([key, value]: readonly [string, string], appendAction: number) => ({ header: { key, rawValue: Buffer.from(value, 'latin1') }, appendAction });
  return { setHeaders: [...set.map((pair) => option(pair, OVERWRITE)), ...append.map((pair) => option(pair, APPEND))], removeHeaders: remove };
}
