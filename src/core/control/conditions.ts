import type { AIRouteStatus, Finding } from '../policy/index.ts';
import type { EpochMs } from '../units/index.ts';
import type { Reach } from './reach.ts';

export type Condition = AIRouteStatus['conditions'][number];

/** What a condition says, before it is known since when. */
export interface Verdict {
  readonly type: 'Accepted' | 'ResolvedRefs' | 'Programmed';
  readonly status: Condition['status'];
  readonly reason: string;
  readonly message: string;
}

/** Bounds of the status' schema. */
const MAX_CONDITION_MESSAGE = 2_048;
export const MAX_MESSAGE = 1_024;

/** meta/v1 Time: seconds are all it has. */
export const timeText = (at: EpochMs): string => new Date(at).toISOString().replace(/\.\d{3}Z$/, 'Z');

/** No longer than that, and no half of a character at the end. */
export function bounded(text: string, longest: number): string {
  if (text.length <= longest) return text;
  return `${text.slice(0, longest - 1).replace(/[\uD800-\uDBFF]$/, '')}…`;
}

/** Conditions with the time since when they say what they say: that of before, where they said it then. */
export function withTimes(verdicts: readonly Verdict[], generation: number, before: unknown, at: EpochMs): Condition[] {
  const former = formerConditions(before);
  return verdicts.map(({ type, status, reason, message }) => {
    const last = former.get(type);
    return {
      type,
      status,
      observedGeneration: generation,
      lastTransitionTime: last?.status === status && last.lastTransitionTime !== undefined ? last.lastTransitionTime : timeText(at),
      reason,
      message: bounded(message, MAX_CONDITION_MESSAGE),
    };
  });
}

interface Former {
  readonly status: string;
  readonly lastTransitionTime: string | undefined;
}

/** Whatever stands in a status that another version may have written. */
export function formerConditions(status: unknown): ReadonlyMap<string, Former> {
  const conditions = (status as { readonly conditions?: unknown } | null | undefined)?.conditions;
  const found = new Map<string, Former>();
  if (!Array.isArray(conditions)) return found;
  for (const one of conditions as readonly Readonly<Record<string, unknown>>[]) {
    const { type, status: held, lastTransitionTime } = one;
    if (typeof type === 'string' && typeof held === 'string')
      found.set(type, { status: held, lastTransitionTime: typeof lastTransitionTime === 'string' ? lastTransitionTime : undefined });
  }
  return found;
}

const isError = ({ severity }: Finding): boolean => severity === 'error';
const told = ({ path, message }: Finding): string => (path === '' ? message : `${path}: ${message}`);

/** The first, and how many more there are. */
function summed(findings: readonly Finding[]): string {
  const [first] = findings;
  if (first === undefined) return '';
  return findings.length === 1 ? told(first) : `${told(first)} (and ${findings.length - 1} more in status.findings)`;
}

/** Of a resource's own fields. */
export function accepted(findings: readonly Finding[]): Verdict {
  const own = findings.filter((finding) => isError(finding) && finding.reason === undefined);
  return own.length === 0
    ? { type: 'Accepted', status: 'True', reason: 'Accepted', message: 'its fields are right' }
    : { type: 'Accepted', status: 'False', reason: 'Invalid', message: summed(own) };
}

/** Of what it refers to. `isRead`: its own fields make enough sense for that to be known. */
export function resolved(findings: readonly Finding[], isRead: boolean): Verdict {
  if (!isRead) return { type: 'ResolvedRefs', status: 'Unknown', reason: 'Invalid', message: 'its own fields are to be mended first' };
  const lost = findings.filter((finding) => isError(finding) && finding.reason !== undefined);
  return lost.length === 0
    ? { type: 'ResolvedRefs', status: 'True', reason: 'ResolvedRefs', message: 'what it refers to is there' }
    : { type: 'ResolvedRefs', status: 'False', reason: lost[0]?.reason ?? 'RefNotFound', message: summed(lost) };
}

/** Of the sidecars that it is for. `isUsable`: there is something of it that they can apply. */
export function programmed(reach: Reach | undefined, isUsable: boolean): Verdict {
  const no = (reason: string, message: string): Verdict => ({ type: 'Programmed', status: 'False', reason, message });
  if (!isUsable) return no('Invalid', 'nothing of it is in effect');
  if (reach === undefined || reach.total === 0)
    return no('NoSidecars', 'no running pod that it is for has a sidecar; label its namespace airmesh.dev/inject=enabled and restart its pods');
  const { total, applied, behind } = reach;
  if (applied === total) return { type: 'Programmed', status: 'True', reason: 'Programmed', message: `${applied} of ${total} sidecars apply it` };
  const worst = (['Refused', 'Disconnected', 'Pending'] as const).find((reason) => behind.some((one) => one.reason === reason)) ?? 'Pending';
  const example = behind.find((one) => one.reason === worst);
  const why = example?.message === undefined ? '' : `: ${bounded(example.message, MAX_MESSAGE)}`;
  return no(worst, `${applied} of ${total} sidecars apply it; ${SAID[worst]} ${example?.pod ?? ''}${why}`);
}

const SAID = { Refused: 'it is refused by', Disconnected: 'there is no stream from', Pending: 'it is on its way to' } as const;
