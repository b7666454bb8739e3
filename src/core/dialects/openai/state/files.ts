import { parseJson } from '../../../json/index.ts';
import { err, ok } from '../../../units/index.ts';
import type { Result } from '../../../units/index.ts';
import { bodyForm } from '../../content.ts';
import { partText, readMultipart } from '../../multipart.ts';
import type { Part } from '../../multipart.ts';
import { MAX_BATCH_REQUESTS, membersOf, textAt } from '../../state.ts';
import type { BatchRequest, Creation } from '../../state.ts';
import type { Endpoint, RequestContentHeaders, RequestFault } from '../../types.ts';

const MULTIPART: ReadonlySet<'multipart'> = new Set(['multipart']);

/** Longest name of a purpose. */
const MAX_PURPOSE_BYTES = 64;

const LINE_FEED = 0x0a;

/** What the requests of a batch may be for. Those that make images or videos are billed by more than tokens. Source: `BatchCreateParams.endpoint` of the `openai` package. */
const BATCH_ENDPOINTS: ReadonlyMap<string, Endpoint> = new Map(
  (
    [
      { operation: 'chat', path: '/chat/completions', body: 'json' },
      { operation: 'text_completion', path: '/completions', body: 'json' },
      { operation: 'responses', path: '/responses', body: 'json' },
      { operation: 'embeddings', path: '/embeddings', body: 'json' },
      { operation: 'moderations', path: '/moderations', body: 'json' },
    ] satisfies Endpoint[]
  ).map((endpoint) => [endpoint.path, endpoint]),
);

/** An endpoint as a batch names it: OpenAI with `/v1`, Azure with or without. */
export function batchEndpoint(url: string): Endpoint | undefined {
  return BATCH_ENDPOINTS.get(url.startsWith('/v1/') ? url.slice('/v1'.length) : url);
}

/** Reads the upload of a file: for a batch, each of its lines. Source: `FileCreateParams` of the `openai` package; OpenAI's guide, "Batch API". */
export function readUpload(body: Uint8Array, headers: RequestContentHeaders): Result<Creation, RequestFault> {
  const form = bodyForm(headers, MULTIPART);
  if (!form.ok) return form;
  if (form.value.kind !== 'multipart') throw new TypeError('A form was asked for.');
  const parts = readMultipart(body, form.value.boundary);
  if (!parts.ok) return fault('invalid_body', undefined, parts.error);
  const purpose = onlyPart(parts.value, 'purpose');
  const file = onlyPart(parts.value, 'file');
  if (purpose === undefined || purpose.isFile)
    return fault('invalid_value', 'purpose', 'purpose must come once, as a field of the form: batch, user_data and so on.');
  if (file === undefined || !file.isFile) return fault('invalid_value', 'file', 'file must come once, as a file of the form.');
  const name = partText(body, purpose, MAX_PURPOSE_BYTES);
  if (name === undefined) return fault('invalid_value', 'purpose', 'purpose must be a plain word.');
  return name.trim().toLowerCase() === 'batch' ? readLines(body, file) : ok({ kind: 'plain' });
}

/** `undefined` where it is absent or there twice. */
function onlyPart(parts: readonly Part[], name: string): Part | undefined {
  const found = parts.filter((part) => part.name === name);
  return found.length === 1 ? found[0] : undefined;
}

function readLines(body: Uint8Array, file: Part): Result<Creation, RequestFault> {
  const requests: BatchRequest[] = [];
  let endpointPath: string | undefined;
  let number = 0;
  for (let at = file.start; at < file.end;) {
    const feed = body.indexOf(LINE_FEED, at);
    const end = feed === -1 || feed > file.end ? file.end : feed;
    number++;
    if (body.subarray(at, end).some((byte) => byte > 0x20)) {
      if (requests.length === MAX_BATCH_REQUESTS) return fault('invalid_value', 'file', `file has more than ${MAX_BATCH_REQUESTS} requests.`);
      const line = readLine(body.subarray(at, end), at, `line ${number}`);
      if (!line.ok) return line;
      endpointPath ??= line.value.endpoint.path;
      if (line.value.endpoint.path !== endpointPath)
        return fault('invalid_value', 'file', `Line ${number} of the file is for another url than the lines before it; a batch has one.`);
      requests.push(line.value);
    }
    at = end + 1;
  }
  if (endpointPath === undefined) return fault('invalid_value', 'file', 'file has no requests.');
  return ok({ kind: 'requests', requests, startsNow: false, endpointPath });
}

function readLine(line: Uint8Array, offset: number, name: string): Result<BatchRequest, RequestFault> {
  const wrong = (message: string): Result<never, RequestFault> => fault('invalid_value', 'file', `The file's ${name} ${message}`);
  const parsed = parseJson(line);
  if (!parsed.ok) return wrong('is not valid JSON.');
  const document = parsed.value;
  const members = document.kind(document.root) === 'object' ? document.members(document.root) : undefined;
  if (members?.ok !== true) return wrong('must be a JSON object, each of its keys once.');
  if (textAt(document, members.value, 'method') !== 'POST') return wrong('must have the method POST.');
  const endpoint = batchEndpoint(textAt(document, members.value, 'url') ?? '');
  if (endpoint === undefined) return wrong(`must have one of these as its url: ${[...BATCH_ENDPOINTS.keys()].map((path) => `/v1${path}`).join(', ')}.`);
  const request = members.value.get('body');
  if (request === undefined || document.kind(request) !== 'object') return wrong('must have a body, which is a JSON object.');
  return ok({ endpoint, start: offset + document.start(request), end: offset + document.end(request), name });
}

/** What a batch's creation may say. What else there is could make it a batch of other requests (`input_blob` at Azure). */
const BATCH_FIELDS: ReadonlySet<string> = new Set(['input_file_id', 'endpoint', 'completion_window', 'metadata', 'output_expires_after']);

const JSON_ONLY: ReadonlySet<'json'> = new Set(['json']);

/** Reads the creation of a batch. */
export function readBatchCreation(body: Uint8Array, headers: RequestContentHeaders): Result<Creation, RequestFault> {
  const form = bodyForm(headers, JSON_ONLY);
  if (!form.ok) return form;
  const parsed = parseJson(body);
  if (!parsed.ok) return fault('invalid_json', undefined, `The body is not valid JSON. ${parsed.error.message}`);
  const document = parsed.value;
  const members = membersOf(document, document.root);
  if (members.size === 0) return fault('invalid_body', undefined, 'The body must be a JSON object, each of its keys once.');
  for (const [name, node] of members) {
    if (!BATCH_FIELDS.has(name) && !document.isNull(node))
      return fault('invalid_value', undefined, `A batch is created from ${[...BATCH_FIELDS].join(', ')}, and there is another field.`);
  }
  const id = textAt(document, members, 'input_file_id');
  if (id === undefined) return fault('invalid_value', 'input_file_id', 'input_file_id is missing. Upload a file with the purpose batch, and name it here.');
  const endpoint = batchEndpoint(textAt(document, members, 'endpoint') ?? '');
  if (endpoint === undefined)
    return fault('invalid_value', 'endpoint', `endpoint must be one of ${[...BATCH_ENDPOINTS.keys()].map((path) => `/v1${path}`).join(', ')}.`);
  return ok({ kind: 'of_file', file: { kind: 'file', id, param: 'input_file_id' }, endpointPath: endpoint.path });
}

function fault(code: RequestFault['code'], param: string | undefined, message: string): Result<never, RequestFault> {
  return err({ code, param, message });
}
