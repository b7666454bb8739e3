import { readFileSync, statSync } from 'node:fs';
import { inspect } from 'node:util';
import type { KeySource } from '../../core/call/index.ts';
import type { KeyRef, KeySourceSpec, ProviderType } from '../../core/policy/index.ts';
import { checkKey } from './shape.ts';
import type { KeyCheck } from './shape.ts';

export interface DeclaredKey {
  readonly source: KeySourceSpec;
  readonly type: ProviderType;
}

/** What may be shown of a key. */
export interface KeyHealth {
  readonly ref: KeyRef;
  readonly usable: boolean;
  /** Why it is not usable; quotes none of it. */
  readonly reason: string | undefined;
  /** How often the provider said no to it since it last said yes. */
  readonly rejections: number;
  /** Since the start. */
  readonly totalRejections: number;
  /** Whether the provider has said yes or no to it. */
  readonly used: boolean;
  readonly lastRejectedAtMs: number | undefined;
}

/** A key file is looked at again when it was read longer ago than this, so that no call waits for the disk for nothing. */
const RECHECK_MS = 500;

const MAX_KEY_FILE_BYTES = 16_384;

interface Entry {
  readonly declared: DeclaredKey;
  check: KeyCheck;
  stamp: string;
  checkedMs: number;
  record: KeyRecord;
}

interface KeyRecord {
  rejections: number;
  totalRejections: number;
  used: boolean;
  lastRejectedAtMs: number | undefined;
}

const unused = (): KeyRecord => ({ rejections: 0, totalRejections: 0, used: false, lastRejectedAtMs: undefined });

/** The keys of all providers, as they are now. Shows nothing of them, to whatever prints it. */
export class KeyStore implements KeySource {
  readonly #entries = new Map<KeyRef, Entry>();
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #nowMs: () => number;

  readonly #onRejected: (ref: KeyRef) => void;

  constructor(environment: Readonly<Record<string, string | undefined>>, nowMs: () => number, onRejected: (ref: KeyRef) => void = () => undefined) {
    this.#environment = environment;
    this.#nowMs = nowMs;
    this.#onRejected = onRejected;
  }

  /** Replaces what is declared. What providers said of a key stays with it, and goes where another takes its place. */
  configure(declared: ReadonlyMap<KeyRef, DeclaredKey>): void {
    const before = new Map(this.#entries);
    this.#entries.clear();
    for (const [ref, key] of declared) {
      const [read, former] = [this.#read(key), before.get(ref)];
      const isSame = former !== undefined && (former.check.ok ? former.check.key : undefined) === (read.check.ok ? read.check.key : undefined);
      this.#entries.set(ref, { declared: key, ...read, checkedMs: this.#nowMs(), record: isSame ? former.record : unused() });
    }
  }

  get(ref: KeyRef): string | undefined {
    const entry = this.#entries.get(ref);
    if (entry === undefined) return undefined;
    this.#refresh(entry);
    return entry.check.ok ? entry.check.key : undefined;
  }

  rejected(ref: KeyRef): void {
    const record = this.#entries.get(ref)?.record;
    if (record === undefined) return;
    record.rejections++;
    record.totalRejections++;
    record.used = true;
    record.lastRejectedAtMs = Date.now();
    this.#onRejected(ref);
  }

  accepted(ref: KeyRef): void {
    const record = this.#entries.get(ref)?.record;
    if (record === undefined) return;
    record.rejections = 0;
    record.used = true;
  }

  health(): KeyHealth[] {
    return [...this.#entries].map(([ref, { check, record }]) => ({ ref, usable: check.ok, reason: check.ok ? undefined : check.reason, ...record }));
  }

  toJSON(): readonly KeyHealth[] {
    return this.health();
  }

  [inspect.custom](): string {
    return `KeyStore { ${this.#entries.size} keys }`;
  }

  #refresh(entry: Entry): void {
    const { file } = entry.declared.source;
    if (file === undefined || this.#nowMs() - entry.checkedMs < RECHECK_MS) return;
    entry.checkedMs = this.#nowMs();
    if (stampOf(file) !== entry.stamp) Object.assign(entry, this.#read(entry.declared));
  }

  #read({ source, type }: DeclaredKey): { check: KeyCheck; stamp: string } {
    const unusable = (reason: string): { check: KeyCheck; stamp: string } => ({ check: { ok: false, reason }, stamp: '' });
    if (source.value !== undefined) return { check: checkKey(source.value, type), stamp: '' };
    if (source.env !== undefined) {
      const value = this.#environment[source.env];
      return value === undefined
        ? unusable(`is to come from the environment variable ${source.env}, which is not set`)
        : { check: checkKey(value, type), stamp: '' };
    }
    if (source.file !== undefined) return readKeyFile(source.file, type);
    if (source.secretRef === undefined) return unusable('was not given by the controller; the status of its AIProvider says why');
    return unusable('is in a Secret, which only the controller in a cluster can read; use env or file here');
  }
}

function readKeyFile(file: string, type: ProviderType): { check: KeyCheck; stamp: string } {
  const stamp = stampOf(file);
  try {
    if (statSync(file).size > MAX_KEY_FILE_BYTES) return { check: { ok: false, reason: `is in ${file}, which is too large to be a key` }, stamp };
    return { check: checkKey(readFileSync(file, 'utf8'), type), stamp };
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
    return { check: { ok: false, reason: `is to come from the file ${file}, which cannot be read (${code})` }, stamp };
  }
}

function stampOf(file: string): string {
  const stat = statSync(file, { throwIfNoEntry: false });
  return stat === undefined ? 'none' : `${stat.ino}:${stat.size}:${stat.mtimeMs}`;
}
