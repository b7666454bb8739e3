import { decodeUtf8 } from '../../../json/index.ts';
import type { JsonDocument, JsonNode } from '../../../json/index.ts';
import type { Fields } from '../../fields.ts';

/** A value's JSON as the caller wrote it. */
export function rawJson(document: JsonDocument, node: JsonNode): string {
  return decodeUtf8(document.bytes, document.start(node), document.end(node));
}

/** A member's value as plain data. */
export function plainValue(fields: Fields, name: string): unknown {
  const node = fields.node(name);
  return node === undefined ? undefined : (JSON.parse(rawJson(fields.document, node)) as unknown);
}

/** An object member as plain data, such as a JSON Schema. */
export function plainObject(fields: Fields, name: string): Readonly<Record<string, unknown>> | undefined {
  return fields.object(name) === undefined ? undefined : (plainValue(fields, name) as Readonly<Record<string, unknown>>);
}

/** A text of any length. */
export function textOf(fields: Fields, name: string): string | undefined {
  const node = fields.stringNode(name);
  return node === undefined ? undefined : fields.document.text(node);
}

/** A text that must be there. */
export function requiredText(fields: Fields, name: string): string {
  const text = textOf(fields, name);
  if (text === undefined) fields.faults.add('invalid_value', fields.at(name), `${fields.at(name)} must be a string.`);
  return text ?? '';
}

/** A number, whole or not. */
export function numberOf(fields: Fields, name: string): number | undefined {
  const node = fields.node(name);
  if (node === undefined) return undefined;
  const value = fields.document.kind(node) === 'number' ? Number(rawJson(fields.document, node)) : Number.NaN;
  if (Number.isFinite(value)) return value;
  fields.faults.add('invalid_value', fields.at(name), `${fields.at(name)} must be a number.`);
  return undefined;
}

/** An array of texts; what in it is none is a fault. */
export function textsOf(fields: Fields, name: string): readonly string[] {
  return fields.items(name).flatMap((item, index) => {
    if (fields.document.kind(item) === 'string') return [fields.document.text(item)];
    fields.faults.add('invalid_value', `${fields.at(name)}[${index}]`, `${fields.at(name)}[${index}] must be a string.`);
    return [];
  });
}
