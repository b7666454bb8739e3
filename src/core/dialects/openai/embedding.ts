import { concatBytes, decodeUtf8, encodeJson, JsonEditor, listOf, parseJson } from '../../json/index.ts';
import type { JsonDocument, JsonNode } from '../../json/index.ts';
import { bytesOf, shareCounts, textBytes } from '../embedding.ts';
import type { EmbeddingInput, EmbeddingLanguage, EmbeddingPart } from '../embedding.ts';
import type { Endpoint } from '../types.ts';

/** Counts of the input, the first that is there. Embeddings have no output. */
const MAIN_COUNTS = ['prompt_tokens', 'input_tokens', 'total_tokens'];

/** `POST /embeddings`. Source: `EmbeddingCreateParams` and `CreateEmbeddingResponse` of the `openai` package. */
export const embeddings: EmbeddingLanguage = { read, join, split };

function read(endpoint: Endpoint, body: Uint8Array): EmbeddingPart | undefined {
  const parsed = parseJson(body);
  const members = parsed.ok ? parsed.value.members(parsed.value.root) : parsed;
  if (endpoint.operation !== 'embeddings' || !parsed.ok || !members.ok) return undefined;
  const document = parsed.value;
  const inputs = readInputs(document, members.value.get('input'));
  if (inputs === undefined) return undefined;
  const others = [...members.value].filter(([name]) => name !== 'input').map(([name, node]) => [name, bytesOf(document, node)] as const);
  const like = others.map(([name, value]) => `${JSON.stringify(name)}:${decodeUtf8(value)}`).toSorted();
  return { like: [inputs.kind, ...like].join('\n'), endpoint, body, inputs: inputs.values };
}

/** Texts and token ids do not stand in one list. An input in tokens is an array of its own in a list. */
function readInputs(
  document: JsonDocument,
  input: JsonNode | undefined,
): { readonly kind: 'text' | 'tokens'; readonly values: readonly EmbeddingInput[] } | undefined {
  if (input === undefined) return undefined;
  const kind = document.kind(input);
  const items = kind === 'string' ? [input] : kind === 'array' ? document.items(input) : [];
  const [first] = items;
  if (first === undefined) return undefined;
  switch (document.kind(first)) {
    case 'string':
      return all('text', items, (item) => textInput(document, item));
    case 'number':
      return all('tokens', [input], (item) => tokenInput(document, item));
    case 'array':
      return all('tokens', items, (item) => tokenInput(document, item));
    default:
      return undefined;
  }
}

function all<Kind>(
  kind: Kind,
  items: readonly JsonNode[],
  readOne: (item: JsonNode) => EmbeddingInput | undefined,
): { readonly kind: Kind; readonly values: readonly EmbeddingInput[] } | undefined {
  const values = items.flatMap((item) => readOne(item) ?? []);
  return values.length === items.length ? { kind, values } : undefined;
}

function textInput(document: JsonDocument, item: JsonNode): EmbeddingInput | undefined {
  const tokenBound = document.kind(item) === 'string' ? textBytes(document.text(item)) : undefined;
  return tokenBound === undefined ? undefined : { json: bytesOf(document, item), tokenBound };
}

function tokenInput(document: JsonDocument, item: JsonNode): EmbeddingInput | undefined {
  const ids = document.kind(item) === 'array' ? document.items(item) : [];
  const areIds = ids.every((id) => document.kind(id) === 'number' && (document.integer(id) ?? -1) >= 0);
  return ids.length === 0 || !areIds ? undefined : { json: bytesOf(document, item), tokenBound: ids.length };
}

function join(parts: readonly EmbeddingPart[]): { readonly endpoint: Endpoint; readonly body: Uint8Array } {
  const [first] = parts;
  const parsed = first === undefined ? undefined : parseJson(first.body);
  const members = parsed?.ok === true ? parsed.value.members(parsed.value.root) : undefined;
  const input = members?.ok === true ? members.value.get('input') : undefined;
  if (first === undefined || parsed?.ok !== true || input === undefined) throw new TypeError('Calls become one only after they were read.');
  const editor = new JsonEditor(parsed.value);
  editor.replace(input, listOf(parts.flatMap(({ inputs }) => inputs.map(({ json }) => json))));
  return { endpoint: first.endpoint, body: editor.finish() };
}

function split(parts: readonly EmbeddingPart[], answer: Uint8Array): readonly Uint8Array[] | undefined {
  const parsed = parseJson(answer);
  if (!parsed.ok || parsed.value.kind(parsed.value.root) !== 'object') return undefined;
  const document = parsed.value;
  const members = document.members(document.root);
  if (!members.ok) return undefined;
  const data = members.value.get('data');
  const usage = members.value.get('usage');
  const vectors = data === undefined ? undefined : readVectors(document, data);
  if (vectors?.length !== parts.reduce((sum, { inputs }) => sum + inputs.length, 0)) return undefined;
  const usages = usage === undefined ? undefined : shareCounts(document, usage, MAIN_COUNTS, parts);
  let from = 0;
  return parts.map(({ inputs }, part) => {
    const own = vectors.slice(from, (from += inputs.length)).map((vector, index) => vector(index));
    const editor = new JsonEditor(document);
    const share = usages?.[part];
    const set = new Map([['data', listOf(own)], ...(share === undefined ? [] : [['usage', share] as const])]);
    editor.editObject(document.root, members.value, { set, remove: new Set() });
    return editor.finish();
  });
}

/** A vector as it came, with another place in its list. */
type Vector = (index: number) => Uint8Array;

/** In the order of their indexes, which must be all from 0 on; of a list without them, in its own. */
function readVectors(document: JsonDocument, data: JsonNode): readonly Vector[] | undefined {
  if (document.kind(data) !== 'array') return undefined;
  const vectors: Vector[] = [];
  const items = document.items(data);
  for (const [place, item] of items.entries()) {
    const members = document.kind(item) === 'object' ? document.members(item) : undefined;
    if (members?.ok !== true || members.value.get('embedding') === undefined) return undefined;
    const node = members.value.get('index');
    const index = node === undefined ? place : document.kind(node) === 'number' ? document.integer(node) : undefined;
    if (index === undefined || index < 0 || index >= items.length || vectors[index] !== undefined) return undefined;
    vectors[index] = (now) => (node === undefined ? bytesOf(document, item) : withIndex(document, item, node, now));
  }
  return vectors;
}

function withIndex(document: JsonDocument, item: JsonNode, node: JsonNode, index: number): Uint8Array {
  const { bytes } = document;
  return concatBytes([bytes.subarray(document.start(item), document.start(node)), encodeJson(index), bytes.subarray(document.end(node), document.end(item))]);
}
