import type { z } from 'zod';

type Issue = z.core.$ZodIssue;

/** What is wrong with a body first, at the most exact place that is known. */
export interface Flaw {
  readonly path: readonly (string | number)[];
  readonly issue: Issue;
}

/** The flaw that a provider would name: of alternatives, that of the one that fits best. */
export function firstFlaw({ issues }: Pick<z.ZodError, 'issues'>): Flaw {
  const flaws = issues.map((issue) => flawOf(issue, []));
  // A wrong value says more than a field that nobody knows.
  return (
    flaws.find(({ issue }) => issue.code !== 'unrecognized_keys') ??
    flaws[0] ?? { path: [], issue: { code: 'custom', path: [], message: 'wrong', input: undefined } }
  );
}

function flawOf(issue: Issue, before: readonly (string | number)[]): Flaw {
  const path = [...before, ...issue.path.filter((part) => typeof part !== 'symbol')];
  if (issue.code !== 'invalid_union' || issue.errors.length === 0) return { path, issue };
  const branches = issue.errors.flatMap((errors) => (errors[0] === undefined ? [] : [flawOf(errors[0], path)]));
  const best = branches.toSorted((one, other) => closeness(other, path.length) - closeness(one, path.length))[0];
  return best ?? { path, issue };
}

/** Alternatives of another kind altogether fail at once; the one that was meant fails further in, or in a detail. */
function closeness({ path, issue }: Flaw, depth: number): number {
  return path.length > depth ? path.length : issue.code === 'invalid_type' ? 0 : depth;
}
