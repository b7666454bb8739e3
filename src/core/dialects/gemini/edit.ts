import { encodeJson, JsonEditor, listOf, parseJson } from '../../json/index.ts';
import type { JsonDocument, JsonNode } from '../../json/index.ts';
import type { BodyEdits, Endpoint, RequestContentHeaders } from '../types.ts';
import { bareModel, methodOf } from './endpoints.ts';
import { camelCase, snakeCase, spelling } from './protojson.ts';

type Members = ReadonlyMap<string, JsonNode>;

/** Fields that `readRequest` reads to bound a call or to keep it apart from others'; a route's own edits leave them alone. */
export const GOVERNED_FIELDS: ReadonlySet<string> = new Set(
  ['cachedContent', 'continuationToken', 'generateContentRequest', 'generationConfig', 'model', 'requests', 'serviceTier', 'store'].flatMap((name) => [
    name,
    snakeCase(name),
  ]),
);

/** What happens to the top level of a body. */
interface Plan {
  readonly set: Map<string, Uint8Array>;
  readonly remove: Set<string>;
}

/**
 * Edits a body that has passed `readRequest`. The model is in the path; in the body it is changed only where it is there as
 * well. Returns the very same array where there is nothing to change.
 */
export function editRequest(endpoint: Endpoint, body: Uint8Array, _headers: RequestContentHeaders, edits: BodyEdits): Uint8Array {
  const parsed = parseJson(body);
  if (!parsed.ok) throw new TypeError('A body is edited only after it was read.');
  const document = parsed.value;
  const members = membersOf(document, document.root);
  const editor = new JsonEditor(document);
  const plan: Plan = { set: new Map(), remove: new Set() };
  planFields(plan, members, edits);
  if (endpoint.operation === 'chat') {
    if (edits.systemPrompt !== undefined) planSystemPrompt(plan, editor, document, members, edits.systemPrompt);
    if (edits.maxOutputTokens !== undefined) planCap(plan, editor, document, members, edits.maxOutputTokens);
  }
  if (edits.model !== undefined) planModel(endpoint, plan, editor, document, members, encodeJson(`models/${bareModel(edits.model)}`));
  editor.editObject(document.root, members, plan);
  return editor.finish();
}

/** Each field in the spelling that the body has for it. */
function planFields(plan: Plan, members: Members, edits: BodyEdits): void {
  for (const [name, value] of Object.entries(edits.set ?? {}))
    if (!GOVERNED_FIELDS.has(name)) plan.set.set(spelling(members, camelCase(name)), encodeJson(value));
  for (const name of edits.remove ?? []) if (!GOVERNED_FIELDS.has(name)) plan.remove.add(spelling(members, camelCase(name)));
}

/** As the first part of the system instruction, before the caller's own. */
function planSystemPrompt(plan: Plan, editor: JsonEditor, document: JsonDocument, members: Members, prompt: string): void {
  const name = spelling(members, 'systemInstruction');
  if (plan.set.has(name)) return;
  const own = plan.remove.has(name) ? undefined : present(document, members.get(name));
  plan.remove.delete(name);
  if (own === undefined) {
    plan.set.set(name, encodeJson({ parts: [{ text: prompt }] }));
    return;
  }
  const inner = membersOf(document, own);
  const parts = present(document, inner.get('parts'));
  const first = encodeJson({ text: prompt });
  if (parts !== undefined && document.kind(parts) === 'array') {
    editor.prepend(parts, first);
    return;
  }
  // One part may stand for a list of one.
  const list = parts === undefined ? [first] : [first, document.bytes.subarray(document.start(parts), document.end(parts))];
  editor.editObject(own, inner, { set: new Map([['parts', listOf(list)]]), remove: new Set() });
}

function planCap(plan: Plan, editor: JsonEditor, document: JsonDocument, members: Members, cap: number): void {
  const name = spelling(members, 'generationConfig');
  const settings = present(document, members.get(name));
  if (settings === undefined) {
    plan.set.set(name, encodeJson({ maxOutputTokens: cap }));
    return;
  }
  const inner = membersOf(document, settings);
  editor.editObject(settings, inner, { set: new Map([[spelling(inner, 'maxOutputTokens'), encodeJson(cap)]]), remove: new Set() });
}

/** Wherever the body names the model besides the path: in each request for an embedding, and in one that is to be counted. */
function planModel(endpoint: Endpoint, plan: Plan, editor: JsonEditor, document: JsonDocument, members: Members, model: Uint8Array): void {
  if (present(document, members.get('model')) !== undefined) plan.set.set('model', model);
  for (const request of innerRequests(endpoint, document, members)) {
    const named = present(document, membersOf(document, request).get('model'));
    if (named !== undefined) editor.replace(named, model);
  }
}

function innerRequests(endpoint: Endpoint, document: JsonDocument, members: Members): readonly JsonNode[] {
  switch (methodOf(endpoint.path)) {
    case 'batchEmbedContents': {
      const requests = members.get('requests') as JsonNode;
      return document.kind(requests) === 'array' ? document.items(requests) : [requests];
    }
    case 'countTokens':
      return [present(document, members.get(spelling(members, 'generateContentRequest'))) ?? []].flat();
    default:
      return [];
  }
}

function membersOf(document: JsonDocument, object: JsonNode): Members {
  const members = document.members(object);
  if (!members.ok) throw new TypeError('A body is edited only after it was read.');
  return members.value;
}

/** A value that is there and not null. */
function present(document: JsonDocument, node: JsonNode | undefined): JsonNode | undefined {
  return node === undefined || document.isNull(node) ? undefined : node;
}
