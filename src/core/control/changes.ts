import { formerConditions } from './conditions.ts';
import type { Status } from './statuses.ts';

/** Something that people are told of once, when it comes about (events.k8s.io/v1). */
export interface Change {
  readonly type: 'Normal' | 'Warning';
  /** A word for programs. */
  readonly reason: string;
  readonly note: string;
}

/** An API server takes no longer ones. */
const MAX_NOTE = 1_000;

/** What came about between the status that stands and the one that is to stand. */
export function changesOf(before: unknown, after: Status): Change[] {
  const former = formerConditions(before);
  const changes: Change[] = [];
  for (const { type, status, reason, message } of after.conditions) {
    const was = former.get(type)?.status;
    if (was === status) continue;
    if (status === 'True' && (was !== undefined || type === 'Programmed')) changes.push({ type: 'Normal', reason: type, note: message });
    // What is on its way, or has nobody to go to, is no news.
    if (status === 'False' && reason !== 'Pending' && reason !== 'NoSidecars' && reason !== 'Invalid')
      changes.push({ type: 'Warning', reason: type === 'Programmed' ? `Not${type}` : reason, note: message });
    if (type === 'Accepted' && status === 'False') changes.push({ type: 'Warning', reason, note: message });
  }
  changes.push(...ofKey(before, after), ...ofBudget(before, after));
  return changes.map((change) => ({ ...change, note: change.note.slice(0, MAX_NOTE) }));
}

function ofKey(before: unknown, after: Status): Change[] {
  const now = 'key' in after ? after.key?.state : undefined;
  const was = (before as { readonly key?: { readonly state?: unknown } } | null | undefined)?.key?.state;
  if (now === was || now === undefined) return [];
  if (now === 'Refused') return [{ type: 'Warning', reason: 'KeyRefused', note: 'the provider refuses the key; put a new one into its Secret' }];
  return was === 'Refused' && now === 'Good' ? [{ type: 'Normal', reason: 'KeyAccepted', note: 'the provider takes the key again' }] : [];
}

function ofBudget(before: unknown, after: Status): Change[] {
  if (!('free' in after) || after.free === undefined) return [];
  const was = before as { readonly free?: unknown; readonly accounts?: { readonly exhausted?: unknown } } | null | undefined;
  const exhausted = after.accounts?.exhausted ?? Number(after.free === '0');
  const wasExhausted = was?.accounts?.exhausted ?? Number(was?.free === '0');
  if (exhausted > 0 && wasExhausted === 0) {
    const whose = after.accounts?.fullest[0]?.subject;
    return [
      {
        type: 'Warning',
        reason: 'Exhausted',
        note: `nothing is left of ${after.limit ?? ''} ${after.unit ?? ''}${whose === undefined ? '' : ` for ${whose}`}`,
      },
    ];
  }
  return [];
}
