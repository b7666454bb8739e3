/**
 * JSON over bytes: checks a document in one pass, reads chosen parts of it, and edits it in place.
 *
 * Owns RFC 8259 on `Uint8Array`. Must never know what a document means. Bytes that no edit touches stay as they were,
 * which is why bodies are not parsed into objects and written again.
 */
export { MAX_JSON_DEPTH, MAX_JSON_VALUES } from './scan.ts';
export type { JsonFault } from './scan.ts';
export { JsonDocument, parseJson } from './document.ts';
export type { JsonKind, JsonNode } from './document.ts';
export { PlainObject, parsePlainObject } from './plain.ts';
export { JsonEditor } from './edit.ts';
export type { ObjectEdit } from './edit.ts';
export { JsonWatcher } from './watch.ts';
export type { WatchedValues } from './watch.ts';
export { concatBytes, decodeUtf8, encodeJson, encodeUtf8, indexOfBytes, listOf } from './bytes.ts';
