import { encodeJson, JsonEditor, parseJson } from '../../json/index.ts';
import type { JsonDocument, JsonNode } from '../../json/index.ts';
import type { BodyEdits, Endpoint, RequestContentHeaders } from '../types.ts';
import { MIN_THINKING_BUDGET } from './limits.ts';

type Members = ReadonlyMap<string, JsonNode>;

/** Fields that `readRequest` reads to bound a call or to keep it apart from others'; a route's own edits leave them alone. */
export const GOVERNED_FIELDS: ReadonlySet<string> = new Set([
  'billing_policy',
  'compaction',
  'container',
  'context_management',
  'fallback_credit_token',
  'fallbacks',
  'inference_geo',
  'max_tokens',
  'mcp_servers',
  'model',
  'service_tier',
  'speed',
  'stream',
  'thread',
]);

const DISABLED = encodeJson({ type: 'disabled' });

/** What happens to the top level of a body. */
interface Plan {
  readonly set: Map<string, Uint8Array>;
  readonly remove: Set<string>;
}

/** Edits a body that has passed `readRequest`. Returns the very same array where there is nothing to change. */
export function editRequest(endpoint: Endpoint, body: Uint8Array, _headers: RequestContentHeaders, edits: BodyEdits): Uint8Array {
  const parsed = parseJson(body);
  const members = parsed.ok ? parsed.value.members(parsed.value.root) : parsed;
  if (!parsed.ok || !members.ok) throw new TypeError('A body is edited only after it was read.');
  const document = parsed.value;
  const editor = new JsonEditor(document);
  const plan: Plan = { set: new Map(), remove: new Set() };
  planFields(plan, edits);
  if (edits.systemPrompt !== undefined) planSystemPrompt(plan, editor, document, members.value.get('system'), edits.systemPrompt);
  if (edits.model !== undefined) plan.set.set('model', encodeJson(edits.model));
  if (edits.maxOutputTokens !== undefined && endpoint.operation === 'chat') planCap(plan, editor, document, members.value, edits.maxOutputTokens);
  editor.editObject(document.root, members.value, plan);
  return editor.finish();
}

function planFields(plan: Plan, edits: BodyEdits): void {
  for (const [name, value] of Object.entries(edits.set ?? {})) if (!GOVERNED_FIELDS.has(name)) plan.set.set(name, encodeJson(value));
  for (const name of edits.remove ?? []) if (!GOVERNED_FIELDS.has(name)) plan.remove.add(name);
}

/** In front of the caller's own: as the beginning of a string, or as the first block, so that cache breakpoints stay where they are. */
function planSystemPrompt(plan: Plan, editor: JsonEditor, document: JsonDocument, own: JsonNode | undefined, prompt: string): void {
  if (plan.set.has('system')) return;
  const kind = own === undefined || plan.remove.has('system') ? 'null' : document.kind(own);
  plan.remove.delete('system');
  if (kind === 'array') {
    editor.prepend(own as JsonNode, encodeJson({ type: 'text', text: prompt }));
    return;
  }
  const text = kind === 'string' ? document.text(own as JsonNode) : '';
  plan.set.set('system', encodeJson(text === '' ? prompt : `${prompt}\n\n${text}`));
}

/**
 * Writes the cap. Anthropic wants a budget of thinking below the cap, at least 1,024: a budget that a lower cap does not
 * leave room for is lowered in proportion, and where even the least does not fit, thinking is turned off for the call.
 */
function planCap(plan: Plan, editor: JsonEditor, document: JsonDocument, members: Members, cap: number): void {
  const own = members.get('max_tokens');
  plan.set.set('max_tokens', encodeJson(cap));
  const thinking = members.get('thinking');
  if (thinking === undefined || document.kind(thinking) !== 'object' || plan.set.has('thinking') || plan.remove.has('thinking')) return;
  const inner = document.members(thinking);
  const node = inner.ok ? inner.value.get('budget_tokens') : undefined;
  const budget = node === undefined || document.kind(node) !== 'number' ? undefined : document.integer(node);
  if (!inner.ok || budget === undefined || budget < cap) return;
  const lowered = loweredBudget(budget, cap, own === undefined ? undefined : document.integer(own));
  if (lowered === undefined) plan.set.set('thinking', DISABLED);
  else editor.editObject(thinking, inner.value, { set: new Map([['budget_tokens', encodeJson(lowered)]]), remove: new Set() });
}

/** The budget's share of the cap stays as it was, but for the least that Anthropic takes; `undefined` where not even that fits. */
function loweredBudget(budget: number, cap: number, ownCap: number | undefined): number | undefined {
  const share = ownCap === undefined || ownCap <= budget ? cap - 1 : Math.floor((budget * cap) / ownCap);
  const lowered = Math.max(MIN_THINKING_BUDGET, share);
  return lowered < cap ? lowered : undefined;
}
