import { encodeJson, JsonEditor, parseJson } from '../../json/index.ts';
import type { JsonDocument, JsonNode } from '../../json/index.ts';
import { bodyForm } from '../content.ts';
import type { BodyEdits, Endpoint, RequestContentHeaders } from '../types.ts';
import { editForm } from './form.ts';
import { acceptedForms, capFields } from './request.ts';

/** Fields that `readRequest` reads to bound a call or to keep it apart from others'; a route's own edits leave them alone. */
export const GOVERNED_FIELDS: ReadonlySet<string> = new Set([
  'background',
  'best_of',
  'conversation',
  'max_completion_tokens',
  'max_output_tokens',
  'max_tokens',
  'model',
  'n',
  'previous_response_id',
  'prompt',
  'service_tier',
  'store',
  'stream',
  'stream_format',
  'stream_options',
]);

const FALSE = encodeJson(false);
const TRUE = encodeJson(true);

/** What happens to the top level of a body. */
interface Plan {
  readonly set: Map<string, Uint8Array>;
  readonly remove: Set<string>;
}

/**
 * Edits a body that has passed `readRequest`. Where a response may not be stored, `store` is written as false, since the
 * provider would store it by default. Returns the very same array where there is nothing to change.
 */
export function editRequest(endpoint: Endpoint, body: Uint8Array, headers: RequestContentHeaders, edits: BodyEdits): Uint8Array {
  const form = bodyForm(headers, acceptedForms(endpoint));
  if (!form.ok) throw new TypeError('A body is edited only after it was read.');
  if (form.value.kind === 'multipart') return edits.model === undefined ? body : editForm(body, form.value.boundary, edits.model);
  const parsed = parseJson(body);
  const members = parsed.ok ? parsed.value.members(parsed.value.root) : parsed;
  if (!parsed.ok || !members.ok) throw new TypeError('A body is edited only after it was read.');
  const document = parsed.value;
  const editor = new JsonEditor(document);
  const plan: Plan = { set: new Map(), remove: new Set() };
  planFields(plan, edits);
  if (edits.systemPrompt !== undefined) planSystemPrompt(endpoint, plan, editor, document, members.value, edits.systemPrompt);
  if (edits.model !== undefined) plan.set.set('model', encodeJson(edits.model));
  planCap(endpoint, plan, document, members.value, edits);
  if (edits.includeStreamUsage === true) planStreamUsage(endpoint, plan, editor, document, members.value);
  if (endpoint.operation === 'responses' && edits.mayStore !== true) planNoStore(plan, document, members.value.get('store'));
  editor.editObject(document.root, members.value, plan);
  return editor.finish();
}

function planFields(plan: Plan, edits: BodyEdits): void {
  for (const [name, value] of Object.entries(edits.set ?? {})) if (!GOVERNED_FIELDS.has(name)) plan.set.set(name, encodeJson(value));
  for (const name of edits.remove ?? []) if (!GOVERNED_FIELDS.has(name)) plan.remove.add(name);
}

/** As the first message of a chat, before the caller's own; in front of the caller's instructions of a response. */
function planSystemPrompt(
  endpoint: Endpoint,
  plan: Plan,
  editor: JsonEditor,
  document: JsonDocument,
  members: ReadonlyMap<string, JsonNode>,
  prompt: string,
): void {
  if (endpoint.operation === 'responses') {
    const own = members.get('instructions');
    const text = own !== undefined && document.kind(own) === 'string' ? document.text(own) : '';
    plan.set.set('instructions', encodeJson(text === '' ? prompt : `${prompt}\n\n${text}`));
    return;
  }
  const messages = members.get('messages');
  if (endpoint.operation !== 'chat' || messages === undefined || plan.set.has('messages')) return;
  plan.remove.delete('messages');
  editor.prepend(messages, encodeJson({ role: 'system', content: prompt }));
}

function planCap(endpoint: Endpoint, plan: Plan, document: JsonDocument, members: ReadonlyMap<string, JsonNode>, edits: BodyEdits): void {
  const fields = capFields(endpoint);
  const [preferred] = fields;
  if (preferred === undefined) return;
  const used = fields.filter((field) => !isAbsent(document, members.get(field)));
  const known = edits.capField !== undefined && fields.includes(edits.capField) ? edits.capField : undefined;
  const own = used[0] === undefined ? undefined : document.integer(members.get(used[0]) as JsonNode);
  const cap = edits.maxOutputTokens ?? (known === undefined ? undefined : own);
  if (cap === undefined) return;
  for (const field of used) {
    if (known === undefined) plan.set.set(field, encodeJson(cap));
    else if (field !== known) plan.remove.add(field);
  }
  if (known !== undefined && !(used.includes(known) && own === cap)) plan.set.set(known, encodeJson(cap));
  if (known === undefined && used.length === 0) plan.set.set(preferred, encodeJson(cap));
}

function planNoStore(plan: Plan, document: JsonDocument, own: JsonNode | undefined): void {
  if (own === undefined || document.kind(own) !== 'boolean' || document.isTrue(own)) plan.set.set('store', FALSE);
}

function planStreamUsage(endpoint: Endpoint, plan: Plan, editor: JsonEditor, document: JsonDocument, members: ReadonlyMap<string, JsonNode>): void {
  if (endpoint.operation !== 'chat' && endpoint.operation !== 'text_completion') return;
  const options = members.get('stream_options');
  if (options === undefined || isAbsent(document, options)) {
    plan.set.set('stream_options', encodeJson({ include_usage: true }));
    return;
  }
  const inner = document.members(options);
  if (!inner.ok) throw new TypeError('A body is edited only after it was read.');
  editor.editObject(options, inner.value, { set: new Map([['include_usage', TRUE]]), remove: new Set() });
}

function isAbsent(document: JsonDocument, node: JsonNode | undefined): boolean {
  return node === undefined || document.isNull(node);
}
