import type { Status } from './statuses.ts';

/**
 * How a status differs from the one that stands, by what is most urgent: nothing; what it says (conditions, findings, the
 * key); who has it; how much is left.
 */
export type Difference = 'none' | 'verdict' | 'reach' | 'amounts';

/** What stands may be of another version, or have conditions of others, which are none of ours. */
export function differenceOf(before: unknown, after: Status): Difference {
  const former = ownPart(before, after);
  const next = after as unknown as Fields;
  if (canonical(former) === canonical(next)) return 'none';
  if (canonical(verdictOf(former)) !== canonical(verdictOf(next))) return 'verdict';
  return canonical(reachOf(former)) === canonical(reachOf(next)) ? 'amounts' : 'reach';
}

type Fields = Readonly<Record<string, unknown>>;

function ownPart(status: unknown, after: Status): Fields {
  const fields = typeof status === 'object' && status !== null ? (status as Fields) : {};
  const conditions = Array.isArray(fields['conditions']) ? (fields['conditions'] as readonly Fields[]) : [];
  return { ...fields, conditions: after.conditions.flatMap(({ type }) => conditions.filter((one) => one['type'] === type)) };
}

/** Messages hold counts, and those can wait. */
const verdictOf = ({ conditions, findings, key, observedGeneration, models }: Fields): unknown => [
  (conditions as readonly Fields[]).map(({ type, status, reason, observedGeneration: generation }) => [type, status, reason, generation]),
  findings ?? [],
  (key as Fields | undefined)?.['state'] ?? null,
  (key as Fields | undefined)?.['changedTime'] ?? null,
  observedGeneration ?? null,
  models ?? null,
];

const reachOf = ({ conditions, sidecars, key }: Fields): unknown => [conditions, sidecars ?? null, key ?? null];

/** The same text for the same content, in whatever order its fields come. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
