/** Put in the place of what must not be read. */
const BLANK = '[redacted]';

const MAX_DEPTH = 4;
const MAX_ENTRIES = 50;
const MAX_STRING_LENGTH = 2_000;

/** Names of fields whose values are never written, whatever they are. */
const SECRET_NAME =
  /^(?:.*authorization|.*cookie|.*api[-_]?key|key|.*secret|.*password|.*credentials?|token|.*(?:access|auth|refresh|id|bearer)[-_]?token|.*prompt|messages|input|body|content|answer|headers)$/i;

/** Shapes of keys inside longer text, such as an error's message. */
const SECRET_TEXT = /\b(?:Bearer|Basic)\s+[^\s"',;]+|\b(?:sk|pk|rk|hs|key|api)[-_][A-Za-z0-9_-]{12,}/gi;

const SHORTEST_SECRET = 12;

const verdicts = new Map<string, boolean>();

/** A copy of an event's fields that can be written: secrets blanked, errors and big integers in JSON's reach, sizes bounded. */
export function redactFields(fields: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return redactRecord(fields, 0);
}

/** Blanks what looks like a key in a text that comes from elsewhere. */
export function redactText(text: string): string {
  if (text.length < SHORTEST_SECRET) return text;
  const clipped = text.length > MAX_STRING_LENGTH ? `${text.slice(0, MAX_STRING_LENGTH)}… (${text.length} characters)` : text;
  return clipped.replace(SECRET_TEXT, BLANK);
}

function redactRecord(fields: Readonly<Record<string, unknown>>, depth: number): Record<string, unknown> {
  const copy: Record<string, unknown> = {};
  let entries = 0;
  for (const name in fields) {
    if (!Object.hasOwn(fields, name)) continue;
    if (++entries > MAX_ENTRIES) {
      copy['…'] = 'more fields left out';
      break;
    }
    copy[name] = isSecretName(name) ? BLANK : redactValue(fields[name], depth);
  }
  return copy;
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return redactText(value);
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MAX_DEPTH) return '[deeper levels left out]';
  if (value instanceof Error) return redactError(value, depth);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (value instanceof Map || value instanceof Set) return `[${value.size} entries]`;
  if (Array.isArray(value)) return value.slice(0, MAX_ENTRIES).map((item) => redactValue(item, depth + 1));
  return redactRecord(value as Record<string, unknown>, depth + 1);
}

function redactError(error: Error, depth: number): Record<string, unknown> {
  const { code } = error as NodeJS.ErrnoException;
  return {
    type: error.name,
    message: redactText(error.message),
    ...(code === undefined ? {} : { code }),
    ...(error.stack === undefined ? {} : { stack: redactText(error.stack) }),
    ...(error.cause === undefined ? {} : { cause: redactValue(error.cause, depth + 1) }),
  };
}

/** Field names are few and come again with every event. Names from outside must not fill the memory. */
function isSecretName(name: string): boolean {
  const known = verdicts.get(name);
  if (known !== undefined) return known;
  const secret = SECRET_NAME.test(name);
  if (verdicts.size < 1_000) verdicts.set(name, secret);
  return secret;
}
