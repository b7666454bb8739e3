import type { CallHold, CallRecord, KeptObject } from '../../../core/call/index.ts';
import type { Hold, LimitSpec } from '../../../core/ledger/index.ts';
import type { LeaseNumber } from '../../../core/leases/index.ts';
import type { EpochMs } from '../../../core/units/index.ts';
import { fromText, recordFromText, toText } from '../rows/index.ts';

/** What the journal says and the books apply. */
export type BookEntry =
  | { readonly kind: 'hold'; readonly hold: CallHold }
  | { readonly kind: 'settle'; readonly record: CallRecord }
  | { readonly kind: 'cover'; readonly cover: Cover }
  | { readonly kind: 'uncover'; readonly id: string }
  | { readonly kind: 'keep'; readonly object: KeptObject }
  | { readonly kind: 'forget'; readonly object: ObjectKey }
  | { readonly kind: 'lease_begun' | 'lease_ended'; readonly lease: LeaseNumber }
  /** The limits that ids mean in holds under that lease; each replaces what the id meant before. */
  | { readonly kind: 'lease_limits'; readonly lease: LeaseNumber; readonly limits: readonly LimitSpec[] };

/** What names an object among all that are kept at providers. */
export type ObjectKey = Pick<KeptObject, 'kind' | 'provider' | 'id'>;

/** Money set aside in one account for calls whose holds are not on the disk yet (`shell/budgets/covers.ts`). */
export interface Cover {
  readonly id: string;
  readonly at: EpochMs;
  readonly hold: Hold;
  /** The call for which it was made, and others like it: whose record it becomes if it must be charged. */
  readonly of: Pick<CallHold, 'namespace' | 'workload' | 'rule' | 'provider' | 'model' | 'operation'>;
}

/**
 * A letter for the kind, the id, a space, and what it is of as JSON: the books keep that text as it is, and most of it
 * need not be read again. No id holds a space.
 */
export function entryText(entry: BookEntry): string {
  switch (entry.kind) {
    case 'hold':
      return `H${entry.hold.id} ${toText(entry.hold)}`;
    case 'settle':
      return `S${entry.record.id} ${toText(entry.record)}`;
    case 'cover':
      return `C${entry.cover.id} ${toText(entry.cover)}`;
    case 'uncover':
      return `U${entry.id} `;
    case 'keep':
      return `O${keyOf(entry.object)} ${toText(entry.object)}`;
    case 'forget':
      return `F${keyOf(entry.object)} `;
    case 'lease_begun':
      return `B${entry.lease} `;
    case 'lease_limits':
      return `L${entry.lease} ${toText(entry.limits)}`;
    case 'lease_ended':
      return `E${entry.lease} `;
  }
}

/** Neither kinds nor providers' names nor ids hold a space or two slashes too many. */
const keyOf = ({ kind, provider, id }: ObjectKey): string => `${kind}/${provider}/${id}`;

/** An entry, read as far as the books need it. */
export type ReadEntry =
  | { readonly kind: 'hold' | 'cover'; readonly id: string; readonly text: string }
  | { readonly kind: 'settle'; readonly id: string; readonly text: string; readonly record: CallRecord }
  | { readonly kind: 'uncover' | 'forget'; readonly id: string }
  | { readonly kind: 'keep'; readonly id: string; readonly text: string; readonly object: KeptObject }
  | { readonly kind: 'lease_begun' | 'lease_ended'; readonly lease: LeaseNumber }
  | { readonly kind: 'lease_limits'; readonly lease: LeaseNumber; readonly limits: readonly LimitSpec[] };

/** Throws on what `entryText` has not written. */
export function readEntry(line: string): ReadEntry {
  const space = line.indexOf(' ');
  const id = line.slice(1, space);
  const text = line.slice(space + 1);
  switch (line[0]) {
    case 'H':
      return { kind: 'hold', id, text };
    case 'S':
      return { kind: 'settle', id, text, record: recordFromText(text) };
    case 'C':
      return { kind: 'cover', id, text };
    case 'U':
      return { kind: 'uncover', id };
    case 'O':
      return { kind: 'keep', id, text, object: JSON.parse(text) as KeptObject };
    case 'F':
      return { kind: 'forget', id };
    case 'B':
      return { kind: 'lease_begun', lease: Number(id) };
    case 'L':
      return { kind: 'lease_limits', lease: Number(id), limits: fromText(text) as LimitSpec[] };
    case 'E':
      return { kind: 'lease_ended', lease: Number(id) };
    default:
      throw new Error(`a journal entry of unknown kind ${JSON.stringify(line[0])}`);
  }
}
