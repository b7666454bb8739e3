import { encodeUtf8, parseJson } from '../json/index.ts';
import type { PlainObject } from '../json/index.ts';

/** A JSON object as plain values. Its keys may be anything, so only fixed names are read from it, or its own entries. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** An answer or an event, as plain values; the document is there for what reads bytes (usage). */
export type ParsedObject = PlainObject;

/** Whether a text is a JSON object, as the arguments of a tool call must be. */
export function isObjectText(text: string): boolean {
  const parsed = parseJson(encodeUtf8(text));
  return parsed.ok && parsed.value.kind(parsed.value.root) === 'object';
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A member that is a string; `undefined` where it is absent or of another type. */
export function textAt(object: JsonObject | undefined, name: string): string | undefined {
  const value = object?.[name];
  return typeof value === 'string' ? value : undefined;
}

/** A member that is a string and not empty: what is absent to one provider is empty to another. */
export function wordAt(object: JsonObject | undefined, name: string): string | undefined {
  const text = textAt(object, name);
  return text === '' ? undefined : text;
}

export function objectAt(object: JsonObject | undefined, name: string): JsonObject | undefined {
  const value = object?.[name];
  return isObject(value) ? value : undefined;
}

/** A member's items that are objects; none where it is no array. */
export function objectsAt(object: JsonObject | undefined, name: string): readonly JsonObject[] {
  const value = object?.[name];
  return Array.isArray(value) ? value.filter(isObject) : [];
}

export function integerAt(object: JsonObject | undefined, name: string): number | undefined {
  const value = object?.[name];
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined;
}

/** A member's items that are numbers; `undefined` where it is no array, or has other items. */
export function numbersAt(object: JsonObject | undefined, name: string): readonly number[] | undefined {
  const value = object?.[name];
  return Array.isArray(value) && value.every((item) => typeof item === 'number') ? value : undefined;
}

/** Without the members that are `undefined`: absent is not null. */
export function withoutAbsent<Value extends object>(value: Value): { readonly [Name in keyof Value]?: Exclude<Value[Name], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined)) as { [Name in keyof Value]?: Exclude<Value[Name], undefined> };
}

export function isEmpty(object: object): boolean {
  return Object.keys(object).length === 0;
}
