import type { z } from 'zod';
import { err, ok } from '../units/index.ts';
import type { Result } from '../units/index.ts';
import { formatPath, nearest } from './findings.ts';
import type { FieldPath, Finding } from './findings.ts';
import { API_VERSION, SCHEMAS } from './schema.ts';
import type { Kind, Resource } from './schema.ts';

/** A document as it was read → a resource, or everything that is wrong with it. Strict: an unknown field is an error. */
export function parseResource(document: unknown): Result<Resource, readonly Finding[]> {
  if (typeof document !== 'object' || document === null || Array.isArray(document)) {
    return err([{ severity: 'error', resource: 'document', path: '', message: 'is not a resource; write apiVersion, kind, metadata and spec' }]);
  }
  const { kind, apiVersion } = document as { kind?: unknown; apiVersion?: unknown };
  const label = labelOf(document);
  const wrong = (path: string, message: string): Result<Resource, readonly Finding[]> => err([{ severity: 'error', resource: label, path, message }]);
  if (apiVersion !== API_VERSION) return wrong('apiVersion', `must be ${API_VERSION}`);
  if (!isKind(kind)) {
    const guess = typeof kind === 'string' ? nearest(kind, Object.keys(SCHEMAS)) : undefined;
    return wrong('kind', `must be one of ${Object.keys(SCHEMAS).join(', ')}${guess === undefined ? '' : `; did you mean ${guess}?`}`);
  }
  const parsed = SCHEMAS[kind].safeParse(document);
  if (parsed.success) return ok(parsed.data);
  const findings = parsed.error.issues.slice(0, MAX_FINDINGS + 1).flatMap((issue) => findingsOf(issue, label, kind));
  if (findings.length <= MAX_FINDINGS) return err(findings);
  return err([
    ...findings.slice(0, MAX_FINDINGS),
    { severity: 'error', resource: label, path: '', message: `has more than ${MAX_FINDINGS} errors; these were the first` },
  ]);
}

/**
 * A document of an API server, whose definitions may be newer than this program and fill in defaults of fields that it does
 * not know: those are left out, with a warning each. Whatever else is wrong, is.
 */
export function parseKnownFields(document: unknown): Result<{ readonly resource: Resource; readonly warnings: readonly Finding[] }, readonly Finding[]> {
  const strict = parseResource(document);
  if (strict.ok) return ok({ resource: strict.value, warnings: [] });
  const kind = (document as { kind?: unknown } | null | undefined)?.kind;
  const unknown = isKind(kind) ? unknownFields(SCHEMAS[kind].safeParse(document).error?.issues ?? []) : [];
  if (unknown.length === 0) return strict;
  const known = parseResource(unknown.reduce<unknown>(without, document));
  if (!known.ok) return known;
  const warn = (path: FieldPath): Finding => ({
    severity: 'warning',
    resource: labelOf(known.value),
    path: shown(formatPath(path)),
    message: 'is not a field that this version of Airmesh knows; it has no effect',
  });
  return ok({ resource: known.value, warnings: unknown.slice(0, MAX_FINDINGS).map(warn) });
}

const isKind = (kind: unknown): kind is Kind => typeof kind === 'string' && Object.hasOwn(SCHEMAS, kind);

const unknownFields = (issues: readonly z.core.$ZodIssue[]): FieldPath[] =>
  issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path.filter((part) => typeof part !== 'symbol'), key]) : [],
  );

/** A copy that lacks the field at a path. */
function without(value: unknown, path: FieldPath): unknown {
  const [first, ...rest] = path;
  if (typeof value !== 'object' || value === null || first === undefined) return value;
  if (Array.isArray(value)) return value.map((item: unknown, index) => (index === first ? without(item, rest) : item));
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, part]) => (name !== first ? [[name, part]] : rest.length === 0 ? [] : [[name, without(part, rest)]])),
  );
}

/** More than a person reads at once, and each costs a search for its place. */
const MAX_FINDINGS = 50;

/** No field is called by a longer name; a key may be, in the wrong place. */
const MAX_NAME_LENGTH = 24;

/** A message may quote what stands in the file, of whatever length. */
const MAX_TEXT_LENGTH = 400;

/** Fit for a terminal: no control characters, and not endless. */
function shown(text: string, longest = MAX_TEXT_LENGTH): string {
  const plain = text.replaceAll(/\p{Cc}/gu, '\u{fffd}');
  return plain.length > longest ? `${plain.slice(0, longest / 2)}…` : plain;
}

/** `Kind namespace/name`, as far as it can be told. */
function labelOf(document: object): string {
  const { kind, metadata } = document as { kind?: unknown; metadata?: { name?: unknown; namespace?: unknown } | null };
  const name = typeof metadata?.name === 'string' ? metadata.name : '?';
  const namespace = typeof metadata?.namespace === 'string' ? metadata.namespace : 'default';
  return shown(`${typeof kind === 'string' ? kind : 'document'} ${namespace}/${name}`);
}

function findingsOf(issue: z.core.$ZodIssue, label: string, kind: Kind): Finding[] {
  const path = issue.path.filter((part) => typeof part !== 'symbol');
  const finding = (at: FieldPath, message: string): Finding => ({ severity: 'error', resource: label, path: formatPath(at), message: shown(message) });
  if (issue.code === 'unrecognized_keys') {
    const known = fieldsAt(SCHEMAS[kind], path);
    return issue.keys.slice(0, MAX_FINDINGS + 1).map((key) => {
      const guess = nearest(key, known);
      return finding(
        [...path, shown(key, MAX_NAME_LENGTH)],
        `is not a field${guess === undefined ? '' : `; did you mean ${guess}?`}${known.length > 0 ? ` Known: ${known.join(', ')}.` : ''}`,
      );
    });
  }
  // A record's key is checked by a schema of its own, whose issue says what is wrong with it.
  if (issue.code === 'invalid_key') return issue.issues.map(({ message }) => finding(path, message));
  if (issue.code === 'invalid_union') {
    const deepest = issue.errors.flat().toSorted((left, right) => right.path.length - left.path.length)[0];
    if (deepest !== undefined && deepest.path.length > 0) return findingsOf({ ...deepest, path: [...issue.path, ...deepest.path] }, label, kind);
  }
  return [finding(path, issue.message)];
}

/** The fields that a schema has at a path, for suggestions; empty where it is no object. */
function fieldsAt(schema: unknown, path: FieldPath): string[] {
  let node = schema as { def?: SchemaNode } | undefined;
  for (const part of path) {
    const object = unwrap(node);
    node = typeof part === 'number' ? object?.element : object?.shape?.[part];
  }
  return Object.keys(unwrap(node)?.shape ?? {});
}

interface SchemaNode {
  readonly innerType?: { def?: SchemaNode };
  readonly in?: { def?: SchemaNode };
  readonly shape?: Readonly<Record<string, { def?: SchemaNode }>>;
  readonly element?: { def?: SchemaNode };
}

function unwrap(node: { def?: SchemaNode } | undefined): SchemaNode | undefined {
  let definition = node?.def;
  while (definition?.innerType !== undefined || definition?.in !== undefined) definition = (definition.innerType ?? definition.in)?.def;
  return definition;
}
