import type { CallHold, CallRecord } from '../../../core/call/index.ts';
import type { Hold } from '../../../core/ledger/index.ts';
import type { EpochMs } from '../../../core/units/index.ts';
import { fromText, toText } from './text.ts';

/** What the journal says and the books apply. */
export type BookEntry =
  | { readonly kind: 'hold'; readonly hold: CallHold }
  | { readonly kind: 'settle'; readonly record: CallRecord }
  | { readonly kind: 'cover'; readonly cover: Cover }
  | { readonly kind: 'uncover'; readonly id: string };

/** Money set aside in one account for calls whose holds are not on the disk yet (`shell/budgets/covers.ts`). */
export interface Cover {
  readonly id: string;
  readonly at: EpochMs;
  readonly hold: Hold;
  /** The call for which it was made, and others like it: whose record it becomes if it must be charged. */
  readonly of: Pick<CallHold, 'namespace' | 'workload' | 'rule' | 'provider' | 'model' | 'operation'>;
}

/** A letter for the kind, then what it is of as JSON: the books keep that text as it is. */
export function entryText(entry: BookEntry): string {
  switch (entry.kind) {
    case 'hold':
      return `H${toText(entry.hold)}`;
    case 'settle':
      return `S${toText(entry.record)}`;
    case 'cover':
      return `C${toText(entry.cover)}`;
    case 'uncover':
      return `U${toText(entry.id)}`;
  }
}

/** Throws on what `entryText` has not written. */
export function readEntry(text: string): BookEntry {
  const value = fromText(text.slice(1));
  switch (text[0]) {
    case 'H':
      return { kind: 'hold', hold: value as CallHold };
    case 'S':
      return { kind: 'settle', record: value as CallRecord };
    case 'C':
      return { kind: 'cover', cover: value as Cover };
    case 'U':
      return { kind: 'uncover', id: value as string };
    default:
      throw new Error(`a journal entry of unknown kind ${JSON.stringify(text[0])}`);
  }
}
