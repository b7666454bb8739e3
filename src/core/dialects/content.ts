import { err, ok } from '../units/index.ts';
import type { Result } from '../units/index.ts';
import type { RequestContentHeaders, RequestFault } from './types.ts';

/** How a body is to be read. */
export type BodyForm = { readonly kind: 'json' } | { readonly kind: 'multipart'; readonly boundary: string };

/** RFC 2046, section 5.1.1: characters of a boundary, at most 70. */
const BOUNDARY = /^[0-9A-Za-z'()+_,\-./:=? ]{0,69}[0-9A-Za-z'()+_,\-./:=?]$/;

/** Checks what the headers say of a body before a byte of it is read. Compressed bodies are refused: nothing in them could be held to a limit. */
export function bodyForm(headers: RequestContentHeaders, accepted: ReadonlySet<BodyForm['kind']>): Result<BodyForm, RequestFault> {
  const encoding = (headers.contentEncoding ?? '').trim().toLowerCase();
  if (encoding !== '' && encoding !== 'identity') {
    return err({ code: 'unsupported_content_encoding', param: undefined, message: 'The request body is compressed (content-encoding). Send it uncompressed.' });
  }
  const [type = '', ...parameters] = (headers.contentType ?? '').split(';').map((part) => part.trim());
  const form = type.toLowerCase();
  if (form === 'application/json' && accepted.has('json')) {
    const charset = parameterOf(parameters, 'charset')?.toLowerCase();
    return charset === undefined || charset === 'utf-8' || charset === 'utf8'
      ? ok({ kind: 'json' })
      : refused('The body must be JSON in UTF-8; the content-type names another charset.');
  }
  if (form === 'multipart/form-data' && accepted.has('multipart')) {
    const boundary = parameterOf(parameters, 'boundary');
    if (boundary !== undefined && BOUNDARY.test(boundary)) return ok({ kind: 'multipart', boundary });
    return refused('The content-type multipart/form-data needs a valid boundary parameter. Let the HTTP client set this header.');
  }
  return refused(advice(form, accepted));
}

function advice(form: string, accepted: ReadonlySet<BodyForm['kind']>): string {
  const wanted = [...accepted].map((kind) => (kind === 'json' ? 'application/json' : 'multipart/form-data')).join(' or ');
  if (form === '') return `The request has no content-type. Send ${wanted}.`;
  if (form === 'application/x-www-form-urlencoded') {
    return `The content-type is application/x-www-form-urlencoded, which curl's -d sends by itself. Send ${wanted}${accepted.has('json') ? ": add -H 'content-type: application/json'" : ': use -F instead of -d'}.`;
  }
  return `The content-type is not supported here. Send ${wanted}.`;
}

function refused(message: string): Result<never, RequestFault> {
  return err({ code: 'unsupported_content_type', param: undefined, message });
}

/** The value of a parameter; `undefined` where it is absent, or there twice, which readers take differently. */
function parameterOf(parameters: readonly string[], name: string): string | undefined {
  const values = parameters.filter((parameter) => parameter.toLowerCase().startsWith(`${name}=`)).map((parameter) => parameter.slice(name.length + 1));
  const [value] = values;
  if (value === undefined || values.length > 1) return undefined;
  return /^"[^"\\]*"$/.test(value) ? value.slice(1, -1) : value;
}
