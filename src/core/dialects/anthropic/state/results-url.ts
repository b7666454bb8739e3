import { encodeJson, JsonEditor, parseJson } from '../../../json/index.ts';
import type { JsonDocument, JsonNode } from '../../../json/index.ts';
import { isObjectId, membersOf, textAt } from '../../state.ts';

const FIELD = 'results_url';

/**
 * A batch, or a page of them, whose `results_url` leads back here. The official SDKs ask whatever it names, with the
 * caller's own key; a path without a host they ask where they asked before.
 */
export function localResults(body: Uint8Array): Uint8Array {
  const parsed = parseJson(body);
  if (!parsed.ok) return body;
  const document = parsed.value;
  const editor = new JsonEditor(document);
  const data = membersOf(document, document.root).get('data');
  const batches = data !== undefined && document.kind(data) === 'array' ? document.items(data) : [document.root];
  for (const batch of batches) editBatch(document, batch, editor);
  return editor.finish();
}

function editBatch(document: JsonDocument, batch: JsonNode, editor: JsonEditor): void {
  const members = membersOf(document, batch);
  const id = textAt(document, members, 'id');
  const url = members.get(FIELD);
  if (id === undefined || !isObjectId(id) || url === undefined || document.kind(url) !== 'string') return;
  editor.replace(url, encodeJson(`/v1/messages/batches/${id}/results`));
}
