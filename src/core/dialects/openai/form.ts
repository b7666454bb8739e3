import { encodeUtf8 } from '../../json/index.ts';
import { err, ok } from '../../units/index.ts';
import type { Result } from '../../units/index.ts';
import { partText, readMultipart } from '../multipart.ts';
import type { Part } from '../multipart.ts';
import type { Endpoint, RequestFacts, RequestFault } from '../types.ts';
import { BYTES_PER_TOKEN, IMAGE_TOKENS, MAX_CHOICES, MAX_MODEL_BYTES, modelNameProblem, TEMPLATE_TOKENS } from './limits.ts';

/** Fields that are read, and so may come once only. */
const READ_FIELDS = new Set(['model', 'stream', 'n', 'output_format', 'service_tier']);

/** Reads what governs a call that comes as a form: image edits and variations, audio to text. */
export function readForm(endpoint: Endpoint, body: Uint8Array, boundary: string): Result<RequestFacts, RequestFault> {
  const parts = readMultipart(body, boundary);
  if (!parts.ok) return fault('invalid_body', undefined, parts.error);
  const fields = new Map<string, string>();
  let textBytes = 0;
  let files = 0;
  for (const part of parts.value) {
    if (part.isFile) files++;
    else textBytes += part.end - part.start + part.name.length;
    if (!READ_FIELDS.has(part.name)) continue;
    if (fields.has(part.name)) return fault('invalid_value', part.name, `${part.name} comes twice in the form. Send it once.`);
    const text = part.isFile ? undefined : partText(body, part, MAX_MODEL_BYTES);
    if (text === undefined) return fault('invalid_value', part.name, `${part.name} must be plain ASCII text of at most ${MAX_MODEL_BYTES} bytes.`);
    fields.set(part.name, text);
  }
  return readFields(endpoint, fields, parts.value, { textBytes, files });
}

function readFields(
  endpoint: Endpoint,
  fields: ReadonlyMap<string, string>,
  parts: readonly Part[],
  { textBytes, files }: { readonly textBytes: number; readonly files: number },
): Result<RequestFacts, RequestFault> {
  const model = fields.get('model');
  if (model === undefined) return fault('invalid_value', 'model', 'model is missing. Name the model to be used in a field of the form.');
  const problem = modelNameProblem(model);
  if (problem !== undefined) return fault('invalid_value', 'model', problem);
  const stream = (fields.get('stream') ?? 'false').toLowerCase();
  if (stream !== 'true' && stream !== 'false') return fault('invalid_value', 'stream', 'stream must be true or false.');
  const choices = Number(/^\d{1,6}$/.exec(fields.get('n') ?? '1')?.[0] ?? 0);
  if (choices < 1 || choices > MAX_CHOICES) return fault('invalid_value', 'n', `n must be a whole number from 1 to ${MAX_CHOICES}.`);
  const isAudio = endpoint.operation === 'audio';
  const images = isAudio ? 0 : files;
  return ok({
    model,
    stream: stream === 'true',
    wantsStreamUsage: true,
    maxOutputTokens: undefined,
    choices,
    inputTokenBound: textBytes + TEMPLATE_TOKENS,
    inputTokenEstimate: Math.ceil(textBytes / BYTES_PER_TOKEN) + images * IMAGE_TOKENS,
    inputImages: images,
    unbounded: unboundedParts(isAudio, fields, parts),
    hasOutput: true,
    tier: 'standard',
    references: [],
    stores: 'no',
  });
}

/** Sound is billed by its length, which its bytes do not bound; a drawing in SVG by the model that writes it. */
function unboundedParts(isAudio: boolean, fields: ReadonlyMap<string, string>, parts: readonly Part[]): readonly string[] {
  const svg = fields.get('output_format') === 'svg' || parts.some((part) => part.name.startsWith('svg'));
  return [
    ...(isAudio ? ['audio input'] : []),
    ...(!isAudio && svg ? ['svg output'] : []),
    ...(fields.has('service_tier') ? ['field "service_tier" of a form'] : []),
  ];
}

/** A form with another model in its `model` field. Everything else of it stays. */
export function editForm(body: Uint8Array, boundary: string, model: string): Uint8Array {
  const parts = readMultipart(body, boundary);
  const field = parts.ok ? parts.value.find((part) => part.name === 'model') : undefined;
  if (field === undefined) throw new TypeError('A form is edited only after it was read.');
  const name = encodeUtf8(model);
  const edited = new Uint8Array(field.start + name.length + body.length - field.end);
  edited.set(body.subarray(0, field.start));
  edited.set(name, field.start);
  edited.set(body.subarray(field.end), field.start + name.length);
  return edited;
}

function fault(code: RequestFault['code'], param: string | undefined, message: string): Result<never, RequestFault> {
  return err({ code, param, message });
}
