import { concatBytes, encodeJson, encodeUtf8, JsonEditor, listOf, parseJson } from '../../json/index.ts';
import type { JsonDocument, JsonNode } from '../../json/index.ts';
import { bytesOf, shareCounts, textBytes } from '../embedding.ts';
import type { EmbeddingInput, EmbeddingLanguage, EmbeddingPart } from '../embedding.ts';
import type { Endpoint } from '../types.ts';
import { bareModel, endpointOf, methodOf } from './endpoints.ts';
import { FaultLog, Fields } from '../fields.ts';
import { ProtoFields } from './protojson.ts';

const COMMA = encodeUtf8(',');
const EMPTY = encodeUtf8('{}');

const MAIN_COUNTS = ['promptTokenCount', 'totalTokenCount'];

/**
 * `embedContent` and `batchEmbedContents`: each request of a list has settings of its own, so calls need have nothing in
 * common but the model. Source: Gemini API reference, "Embeddings"; `EmbedContentResponse` of `@google/genai`.
 */
export const embeddings: EmbeddingLanguage = { read, join, split };

function read(endpoint: Endpoint, body: Uint8Array, model: string): EmbeddingPart | undefined {
  const parsed = parseJson(body);
  if (endpoint.operation !== 'embeddings' || !parsed.ok || parsed.value.kind(parsed.value.root) !== 'object') return undefined;
  const document = parsed.value;
  const faults = new FaultLog();
  const whole = new ProtoFields(new Fields(document, document.root, '', faults));
  if (!isOne(endpoint) && whole.names().some((name) => name !== 'requests' && name !== 'model')) return undefined;
  const requests = isOne(endpoint) ? [document.root] : whole.items('requests');
  const inputs = requests.flatMap((request) => (document.kind(request) === 'object' ? (readInput(document, request, model, faults) ?? []) : []));
  if (inputs.length === 0 || inputs.length !== requests.length || faults.first !== undefined) return undefined;
  return { like: '', endpoint, body, inputs };
}

const isOne = ({ path }: Endpoint): boolean => methodOf(path) === 'embedContent';

/** Only text has a size that is known here. */
function readInput(document: JsonDocument, node: JsonNode, model: string, faults: FaultLog): EmbeddingInput | undefined {
  const request = new ProtoFields(new Fields(document, node, '', faults));
  const parts = request.object('content')?.objects('parts') ?? [];
  const texts = parts.map((part) => (part.names().every((name) => name === 'text') ? part.stringNode('text') : undefined));
  const title = request.stringNode('title') ?? request.object('embedContentConfig')?.stringNode('title');
  const sizes = [...texts, ...(title === undefined ? [] : [title])].flatMap((text) => (text === undefined ? [] : (textBytes(document.text(text)) ?? [])));
  const json = withModel(document, node, request, model);
  if (texts.length === 0 || sizes.length !== texts.length + Number(title !== undefined) || json === undefined) return undefined;
  return { json, tokenBound: sizes.reduce((sum, size) => sum + size, 0) };
}

/** A request in a list names the model. */
function withModel(document: JsonDocument, node: JsonNode, { fields }: ProtoFields, model: string): Uint8Array | undefined {
  const own = bytesOf(document, node);
  if (fields.node('model') !== undefined) return own;
  const named = encodeJson({ model: `models/${bareModel(model)}` });
  // Null, which counts as absent, is not to stand beside a name.
  return fields.members.has('model') ? undefined : concatBytes([named.subarray(0, -1), COMMA, own.subarray(1)]);
}

function join(parts: readonly EmbeddingPart[]): { readonly endpoint: Endpoint; readonly body: Uint8Array } {
  const [first] = parts;
  if (first === undefined) throw new TypeError('Nothing is no call.');
  const requests = listOf(parts.flatMap(({ inputs }) => inputs.map(({ json }) => json)));
  return {
    endpoint: endpointOf(first.endpoint.model ?? '', 'batchEmbedContents', 'json_array'),
    body: concatBytes([encodeUtf8('{"requests":'), requests, encodeUtf8('}')]),
  };
}

function split(parts: readonly EmbeddingPart[], answer: Uint8Array): readonly Uint8Array[] | undefined {
  const parsed = parseJson(answer);
  const members = parsed.ok && parsed.value.kind(parsed.value.root) === 'object' ? parsed.value.members(parsed.value.root) : undefined;
  if (!parsed.ok || members?.ok !== true) return undefined;
  const document = parsed.value;
  const list = members.value.get('embeddings');
  const usage = members.value.get('usageMetadata');
  const vectors = list !== undefined && document.kind(list) === 'array' ? document.items(list) : [];
  if (vectors.length !== parts.reduce((sum, { inputs }) => sum + inputs.length, 0)) return undefined;
  const usages = usage === undefined ? undefined : shareCounts(document, usage, MAIN_COUNTS, parts);
  let from = 0;
  return parts.map(({ endpoint, inputs }, part) => {
    const own = vectors.slice(from, (from += inputs.length)).map((vector) => bytesOf(document, vector));
    const share = usages?.[part];
    const [one = EMPTY] = own;
    const embedding: readonly [string, Uint8Array] = isOne(endpoint) ? ['embedding', one] : ['embeddings', listOf(own)];
    const editor = new JsonEditor(document);
    editor.editObject(document.root, members.value, {
      set: new Map([embedding, ...(share === undefined ? [] : [['usageMetadata', share] as const])]),
      remove: new Set(isOne(endpoint) ? ['embeddings'] : []),
    });
    return editor.finish();
  });
}
