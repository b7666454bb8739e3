import { err, ok } from '../../core/units/index.ts';
import type { Result } from '../../core/units/index.ts';
import { quote } from './fields.ts';

/** SPIFFE-ID, 2.3: longer ones need not be taken. */
const MAX_BYTES = 2_048;
/** SPIFFE-ID, 2.1. */
const TRUST_DOMAIN = /^[a-z0-9._-]{1,255}$/;
/** SPIFFE-ID, 2.2: one of the segments of the path. */
const SEGMENT = /^(?!\.{1,2}$)[A-Za-z0-9._-]+$/;
const SCHEME = 'spiffe://';

/** Names of one entry of a certificate's subject alternative names: its kind, and its value, which is a JSON string where it could be misread. */
const ALTERNATIVE_NAME = /(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^",]*)(?=, |$)/y;

/** The URIs among a certificate's subject alternative names, as Node's `X509Certificate.subjectAltName` writes those. */
export function urisOf(subjectAltName: string): Result<string[], string> {
  const uris: string[] = [];
  const pattern = new RegExp(ALTERNATIVE_NAME);
  for (let match = pattern.exec(subjectAltName); match !== null; match = pattern.exec(subjectAltName)) {
    const [, kind, value = ''] = match;
    if (kind === 'URI') uris.push(value.startsWith('"') ? String(JSON.parse(value)) : value);
    if (pattern.lastIndex === subjectAltName.length) return ok(uris);
  }
  return subjectAltName === '' ? ok([]) : err(`its alternative names cannot be read: ${quote(subjectAltName)}`);
}

/** Whether the text is the SPIFFE ID of a workload, that is one with a path, and of the trust domain if one is named; else what is wrong with it. */
export function spiffeFault(id: string, trustDomain?: string): string | undefined {
  if (!id.startsWith(SCHEME)) return `${quote(id)} is not of the form ${SCHEME}<trust domain>/<path>`;
  if (Buffer.byteLength(id) > MAX_BYTES) return `${quote(id)} is longer than ${MAX_BYTES} bytes`;
  const [domain = '', ...segments] = id.slice(SCHEME.length).split('/');
  if (!TRUST_DOMAIN.test(domain)) return `${quote(id)} has no trust domain of lower-case letters, digits, dots, hyphens and underscores`;
  if (trustDomain !== undefined && domain !== trustDomain) return `${quote(id)} is not of the trust domain ${trustDomain}`;
  if (segments.length === 0) return `${quote(id)} names no workload: a path is missing`;
  return segments.every((segment) => SEGMENT.test(segment))
    ? undefined
    : `${quote(id)} has a path that is not made of letters, digits, dots, hyphens and underscores`;
}
