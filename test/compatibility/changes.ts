/** One place at which two JSON values differ. */
export interface Change {
  /** `messages[0].content`; empty for the whole. */
  readonly path: string;
  /** What stands there afterwards; `undefined`: nothing. */
  readonly value: unknown;
}

/** Members that say what an object is; one of another kind stands there as a whole. */
const KINDS: readonly string[] = ['type', 'role'];

/** Where `after` differs from `before`, from the top down: what is new is named once, by its topmost place. */
export function changesBetween(before: unknown, after: unknown, path = ''): readonly Change[] {
  if (Array.isArray(before) && Array.isArray(after)) {
    return Array.from({ length: Math.max(before.length, after.length) }).flatMap((_, index) =>
      changesBetween(before[index], after[index], `${path}[${index}]`),
    );
  }
  if (isObject(before) && isObject(after) && KINDS.every((name) => before[name] === after[name])) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names.flatMap((name) => changesBetween(before[name], after[name], path === '' ? name : `${path}.${name}`));
  }
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ path, value: after }];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Longest text that is shown whole; data and seals are longer. */
const SHOWN_TEXT_CHARS = 40;
const SHOWN_VALUE_CHARS = 170;
const SHOWN_CHANGES = 4;

/** Changes for people: `` `top_k: 5` ``. */
export function describeChanges(changes: readonly Change[]): string {
  const shown = changes.slice(0, SHOWN_CHANGES).map(({ path, value }) => (value === undefined ? `without \`${path}\`` : `\`${path}: ${shownValue(value)}\``));
  return [...shown, ...(changes.length > SHOWN_CHANGES ? ['…'] : [])].join(', ');
}

function shownValue(value: unknown): string {
  const text =
    JSON.stringify(value, (_name, member: unknown) =>
      typeof member === 'string' && member.length > SHOWN_TEXT_CHARS ? `${member.slice(0, SHOWN_TEXT_CHARS)}…` : member,
    ) ?? '';
  return text.length > SHOWN_VALUE_CHARS ? `${text.slice(0, SHOWN_VALUE_CHARS)}…` : text;
}
