import { err, ok } from '../../core/units/index.ts';
import type { Result } from '../../core/units/index.ts';

/** A message as protobufjs decodes it, before anybody knows whether it makes sense. */
export type Raw = Readonly<Record<string, unknown>>;

/** Of a text whose length nothing else limits, in characters. */
const MAX_TEXT = 4_096;
/** So long is no sum of limits; and longer digits would take long to read. */
const AMOUNT = /^(?:0|[1-9]\d{0,29})$/;
const SIGNED_AMOUNT = /^(?:0|-?[1-9]\d{0,29})$/;
/** So much of a wrong text is enough to find it by. */
const MAX_QUOTED = 40;

/** Thrown while a message is read, and made an error value where reading began; gathers the path on its way. */
class Misfit extends Error {
  path = '';
}

/** Reads a message; the error names the field and what is wrong with it. */
export function reading<T>(what: string, read: () => T): Result<T, string> {
  try {
    return ok(read());
  } catch (error) {
    if (!(error instanceof Misfit)) throw error;
    return err(`${what}${error.path}: ${error.message}`);
  }
}

export function text(raw: Raw, field: string, most = MAX_TEXT): string {
  const value = raw[field] as string;
  return value.length > most ? misfit(field, `has ${value.length} characters; at most ${most} were expected`) : value;
}

export function optionalText(raw: Raw, field: string, most = MAX_TEXT): string | undefined {
  return isSet(raw, field) ? text(raw, field, most) : undefined;
}

/** A text that must say something. */
export function name(raw: Raw, field: string): string {
  const value = text(raw, field);
  return value === '' ? misfit(field, 'is missing') : value;
}

export function texts(raw: Raw, field: string, most: number): string[] {
  const values = raw[field] as readonly string[];
  if (values.length > most) return misfit(field, `has ${values.length} entries; at most ${most} were expected`);
  const long = values.findIndex((value) => value.length > MAX_TEXT);
  return long < 0 ? [...values] : misfit(`${field}[${long}]`, `has ${values[long]?.length ?? 0} characters; at most ${MAX_TEXT} were expected`);
}

/** Of uint32. */
export function counts(raw: Raw, field: string, most: number): number[] {
  const values = raw[field] as readonly number[];
  return values.length > most ? misfit(field, `has ${values.length} entries; at most ${most} were expected`) : [...values];
}

/** A uint64 that is a safe integer. */
export function count(raw: Raw, field: string): number {
  const value = raw[field] as number | { toNumber(): number };
  const number = typeof value === 'number' ? value : value.toNumber();
  return Number.isSafeInteger(number) ? number : misfit(field, 'is larger than 2^53');
}

export function optionalCount(raw: Raw, field: string): number | undefined {
  return isSet(raw, field) ? count(raw, field) : undefined;
}

/** A double by a monotonic clock. */
export function moment(raw: Raw, field: string): number {
  const value = raw[field] as number;
  return Number.isFinite(value) ? value : misfit(field, `${value} is not a time`);
}

export function flag(raw: Raw, field: string): boolean {
  return raw[field] as boolean;
}

export function optionalFlag(raw: Raw, field: string): boolean | undefined {
  return isSet(raw, field) ? flag(raw, field) : undefined;
}

/** Decimal digits, without a sign. */
export function amount(raw: Raw, field: string): bigint {
  return digits(raw, field, AMOUNT);
}

export function optionalAmount(raw: Raw, field: string): bigint | undefined {
  return isSet(raw, field) ? amount(raw, field) : undefined;
}

/** Where less than nothing can be left. */
export function signedAmount(raw: Raw, field: string): bigint {
  return digits(raw, field, SIGNED_AMOUNT);
}

/** An enum's value by its number; 0 is nobody's. */
export function choice<T extends string>(raw: Raw, field: string, names: readonly T[]): T {
  const number = raw[field] as number;
  return names[number - 1] ?? misfit(field, number === 0 ? 'is missing' : `${number} is not a value that is known here`);
}

/** The number of an enum's value. */
export function numberOf<T extends string>(names: readonly T[], name: T): number {
  return names.indexOf(name) + 1;
}

/** A text that is one of those. */
export function oneOf<T extends string>(raw: Raw, field: string, names: Readonly<Record<T, true>>): T {
  const value = raw[field] as string;
  if (Object.hasOwn(names, value)) return value as T;
  return misfit(field, value === '' ? 'is missing' : `${quote(value)} is not known here; it may come from a newer version`);
}

/** A message that must be there. */
export function child<T>(raw: Raw, field: string, read: (raw: Raw) => T): T {
  const value = raw[field] as Raw | null;
  return value === null ? misfit(field, 'is missing') : under(`.${field}`, () => read(value));
}

export function optionalChild<T>(raw: Raw, field: string, read: (raw: Raw) => T): T | undefined {
  return isSet(raw, field) ? child(raw, field, read) : undefined;
}

export function list<T>(raw: Raw, field: string, most: number, read: (raw: Raw) => T): T[] {
  const values = raw[field] as readonly Raw[];
  if (values.length > most) return misfit(field, `has ${values.length} entries; at most ${most} were expected`);
  return values.map((value, index) => under(`.${field}[${index}]`, () => read(value)));
}

/** Every field of a type, those that may be absent as well: so that whoever reads one forgets none. */
export type Whole<T> = { readonly [Field in keyof T]-?: T[Field] | undefined };

/** Leaves out what is `undefined`, of fields that may be absent. */
export function withoutAbsent<T extends object>(whole: Whole<T>): T {
  return Object.fromEntries(Object.entries(whole).filter(([, value]) => value !== undefined)) as T;
}

/** Says that a field is wrong, to whoever began to read. */
export function misfit(field: string, message: string): never {
  const error = new Misfit(message);
  error.path = field === '' ? '' : `.${field}`;
  throw error;
}

export function quote(value: string): string {
  return JSON.stringify(value.length > MAX_QUOTED ? `${value.slice(0, MAX_QUOTED)}…` : value);
}

function digits(raw: Raw, field: string, pattern: RegExp): bigint {
  const value = raw[field] as string;
  return pattern.test(value) ? BigInt(value) : misfit(field, value === '' ? 'is missing' : `${quote(value)} is not an amount`);
}

function isSet(raw: Raw, field: string): boolean {
  return Object.hasOwn(raw, field);
}

/** Puts what is read there into the path of what is wrong. */
export function under<T>(segment: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof Misfit) error.path = `${segment}${error.path}`;
    throw error;
  }
}
