/** The two threads that have the database open, so that no loop waits for the disk: one writes, one reads. */
import type { CallRecord, RecordQuery, SpendQuery } from '../../../../core/call/index.ts';
import type { Entry } from '../../../../core/leases/index.ts';
import type { EpochMs } from '../../../../core/units/index.ts';
import { codeOf } from '../codes.ts';
import { serve } from '../serve.ts';
import { LedgerReader } from './reader.ts';
import { NewerLedger } from './schema.ts';
import { LedgerWriter } from './writer.ts';

export interface LedgerPlace {
  readonly path: string;
  readonly role: 'writer' | 'reader';
}

export type WriterCommand =
  | { readonly kind: 'lead' }
  | { readonly kind: 'commit'; readonly term: number; readonly entries: readonly Entry[]; readonly now: EpochMs }
  | { readonly kind: 'addRecords'; readonly processor: string; readonly records: readonly CallRecord[] }
  | { readonly kind: 'forget'; readonly beforeMs: EpochMs }
  | { readonly kind: 'close' };

export type ReaderCommand =
  | { readonly kind: 'pulse' }
  | { readonly kind: 'spend'; readonly query: SpendQuery }
  | { readonly kind: 'records'; readonly query: RecordQuery }
  | { readonly kind: 'unaccounted' }
  | { readonly kind: 'close' };

/** `bug`: not the file's fault. */
export type LedgerFault = 'newer' | 'busy' | 'full' | 'read-only' | 'unreadable' | 'damaged' | 'bug';

/** Source: sqlite.org/rescode.html. */
const FAULTS: Readonly<Record<number, LedgerFault>> = {
  3: 'unreadable',
  5: 'busy',
  6: 'busy',
  8: 'read-only',
  10: 'unreadable',
  11: 'damaged',
  13: 'full',
  14: 'unreadable',
  26: 'damaged',
};

function faultOf(error: unknown): LedgerFault {
  if (error instanceof NewerLedger) return 'newer';
  const code = codeOf(error);
  return (code === undefined ? undefined : FAULTS[code]) ?? 'bug';
}

function write(writer: LedgerWriter, command: WriterCommand): unknown {
  switch (command.kind) {
    case 'lead':
      return writer.lead();
    case 'commit':
      return writer.commit(command.term, command.entries, command.now);
    case 'addRecords':
      return writer.addRecords(command.processor, command.records);
    case 'forget':
      return writer.forget(command.beforeMs);
    case 'close':
      return writer.close();
  }
}

function read(reader: LedgerReader, command: ReaderCommand): unknown {
  switch (command.kind) {
    case 'pulse':
      return reader.pulse();
    case 'spend':
      return reader.spend(command.query);
    case 'records':
      return reader.records(command.query);
    case 'unaccounted':
      return reader.unaccounted();
    case 'close':
      return reader.close();
  }
}

serve(({ path, role }: LedgerPlace): ((command: WriterCommand | ReaderCommand) => unknown) => {
  if (role === 'writer') {
    const writer = new LedgerWriter(path);
    return (command) => write(writer, command as WriterCommand);
  }
  const reader = new LedgerReader(path);
  return (command) => read(reader, command as ReaderCommand);
}, faultOf);
