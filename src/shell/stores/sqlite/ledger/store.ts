import type { CallRecord, RecordQuery, SpendQuery, SpendRow } from '../../../../core/call/index.ts';
import type { Entry } from '../../../../core/leases/index.ts';
import type { EpochMs } from '../../../../core/units/index.ts';
import { StoreUnavailable } from '../../../ledger/index.ts';
import type { Lead, LedgerStore, Pulse, Unaccounted } from '../../../ledger/index.ts';
import { Thread, ThreadFault, besides } from '../thread.ts';
import type { LedgerFault, LedgerPlace, ReaderCommand, WriterCommand } from './worker.ts';

/** Each thread's heap. What is stored is read as a whole when a term begins. */
const MEMORY = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 512 };

const ADVICE: Readonly<Record<LedgerFault, string>> = {
  newer: '',
  busy: '; another program holds it',
  full: '; make room on its disk',
  'read-only': '; let this program write to the file and its folder',
  unreadable: '; see that the file and its folder are there, and may be read and written',
  damaged: '; put a copy of it back, from when it was well',
  bug: '',
};

/** The ledger in one SQLite file, for one controller. A commit is on the disk when it is acknowledged. */
export class SqliteStore implements LedgerStore {
  readonly #path: string;
  readonly #now: () => EpochMs;
  readonly #writer: Thread<WriterCommand>;
  readonly #reader: Thread<ReaderCommand>;
  #closed: Promise<void> | undefined;

  private constructor(path: string, now: () => EpochMs, writer: Thread<WriterCommand>, reader: Thread<ReaderCommand>) {
    this.#path = path;
    this.#now = now;
    this.#writer = writer;
    this.#reader = reader;
  }

  /** Opens or makes the file. `now`: the wall clock, for how old what is gone is. Rejects with StoreUnavailable. */
  static async open(path: string, now: () => EpochMs = Date.now): Promise<SqliteStore> {
    const open = <Command>(role: LedgerPlace['role']): Promise<Thread<Command>> =>
      Thread.open<Command>(besides('worker', import.meta.url), { workerData: { path, role } satisfies LedgerPlace, resourceLimits: MEMORY });
    const writer = await open<WriterCommand>('writer').catch((error: unknown) => {
      throw unavailable(path, error);
    });
    const reader = await open<ReaderCommand>('reader').catch(async (error: unknown) => {
      await writer.terminate();
      throw unavailable(path, error);
    });
    return new SqliteStore(path, now, writer, reader);
  }

  lead(): Promise<Lead> {
    return this.#write({ kind: 'lead' }) as Promise<Lead>;
  }

  commit(term: number, entries: readonly Entry[]): Promise<'stored' | 'deposed'> {
    return this.#write({ kind: 'commit', term, entries, now: this.#now() }) as Promise<'stored' | 'deposed'>;
  }

  pulse(): Promise<Pulse> {
    return this.#read({ kind: 'pulse' }) as Promise<Pulse>;
  }

  async addRecords(processor: string, records: readonly CallRecord[]): Promise<void> {
    await this.#write({ kind: 'addRecords', processor, records });
  }

  spend(query: SpendQuery): Promise<SpendRow[]> {
    return this.#read({ kind: 'spend', query }) as Promise<SpendRow[]>;
  }

  records(query: RecordQuery): Promise<CallRecord[]> {
    return this.#read({ kind: 'records', query }) as Promise<CallRecord[]>;
  }

  unaccounted(): Promise<readonly Unaccounted[]> {
    return this.#read({ kind: 'unaccounted' }) as Promise<readonly Unaccounted[]>;
  }

  forget(beforeMs: EpochMs): Promise<boolean> {
    return this.#write({ kind: 'forget', beforeMs }) as Promise<boolean>;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  /** The writer last: it takes the write-ahead log into the file. */
  async #close(): Promise<void> {
    await this.#read({ kind: 'close' });
    await this.#reader.terminate();
    await this.#write({ kind: 'close' });
    await this.#writer.terminate();
  }

  #write(command: WriterCommand): Promise<unknown> {
    return this.#writer.ask(command).catch((error: unknown) => {
      throw unavailable(this.#path, error);
    });
  }

  #read(command: ReaderCommand): Promise<unknown> {
    return this.#reader.ask(command).catch((error: unknown) => {
      throw unavailable(this.#path, error);
    });
  }
}

/** A bug stays what it is. */
function unavailable(path: string, error: unknown): unknown {
  if (!(error instanceof ThreadFault)) return new StoreUnavailable(`the ledger ${path} is out of use: ${String(error)}`, 'unusable', { cause: error });
  const fault = error.fault as LedgerFault;
  if (fault === 'bug') return error;
  return new StoreUnavailable(`the ledger ${path} cannot be used: ${error.message}${ADVICE[fault]}`, fault === 'busy' ? 'unreachable' : 'unusable');
}
