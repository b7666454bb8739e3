import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials } from '@grpc/grpc-js';
import type { ChannelCredentials, ClientDuplexStream, Metadata, StatusObject } from '@grpc/grpc-js';
import { expect, vi } from 'vitest';
import { TestAuthority, writeCertificates } from '../../../test/support/certificates.ts';
import type { CertificateWishes } from '../../../test/support/certificates.ts';
import { Holder } from '../../core/leases/index.ts';
import type { Entry, ToHolder } from '../../core/leases/index.ts';
import type { AccountRef, Granted, LimitSpec, Quote, Refused, Waiting } from '../../core/ledger/index.ts';
import type { OutOfReach } from '../../core/leases/index.ts';
import type { CallRecord, Clock } from '../../core/call/index.ts';
import { MemoryStore } from '../stores/memory/index.ts';
import { CertificateFiles } from '../wire/index.ts';
import type { CertificatePaths } from '../wire/index.ts';
import type { LinkParts } from '../wire/index.ts';
import { LedgerHost } from './host.ts';
import type { Peer } from './host.ts';
import { byCertificate } from '../wire/index.ts';
import { LedgerLink } from './link.ts';
import { ALL_PERMITTED } from './ports.ts';
import type { Permissions, ServiceEvent } from './ports.ts';
import { LEDGER_METHODS } from './methods.ts';
import { ledgerService } from './service.ts';
import { WireServer, onceRead, protocolMetadata } from '../wire/index.ts';
import type { Dismissal } from '../wire/index.ts';
import { StoreUnavailable } from './store.ts';
import type { Lead, LedgerStore, Pulse } from './store.ts';

export const LIMIT: LimitSpec = {
  kind: 'budget',
  id: 'shop/life',
  unit: 'usd',
  limit: 1_000_000n,
  window: { kind: 'lifetime' },
  mode: 'Strict',
  nearLimit: 'Reject',
  floorOutputTokens: 1,
  waitMs: 5_000,
  alerts: [50, 80, 100],
};

/** Where a test waits for what should come at once: longer than any machine takes that does other things, too. */
export const SOON = { timeout: 40_000, interval: 5 };

/** Time as it is, slower, or not at all, and what a test adds to it. */
export class TestClock implements Clock {
  readonly #epochMs = Date.now();
  #atMs = 0;
  #since = performance.now();
  #rate = 1;

  epochMs(): number {
    return Math.floor(this.#epochMs + this.#passedMs);
  }

  monotonicMs(): number {
    return this.#passedMs;
  }

  pass(ms: number): void {
    this.#atMs += ms;
  }

  /** How fast it goes from now on; 0: not before the test lets time pass. So a slow machine is fast by it. */
  set rate(rate: number) {
    this.#atMs = this.#passedMs;
    this.#since = performance.now();
    this.#rate = rate;
  }

  get #passedMs(): number {
    return this.#atMs + (performance.now() - this.#since) * this.#rate;
  }
}

/** The ledger service sets a timer for when a lease ends, half a minute, and looks at the clock then. Here it looks at once, and again. `vi.restoreAllMocks` ends it. */
export function lookOften(): void {
  const original = globalThis.setTimeout;
  const hastened = (work: (...args: unknown[]) => void, ms = 0, ...args: unknown[]): NodeJS.Timeout =>
    original(work, ms > 20_000 && ms < 39_000 ? 50 : ms, ...args);
  vi.spyOn(globalThis, 'setTimeout').mockImplementation(Object.assign(hastened, { __promisify__: original.__promisify__ }));
}

/** What several controllers share, with the way to it in a test's hands. */
export class SharedStore {
  readonly books: LedgerStore;
  /** Entries of each commit that came, in order. */
  readonly commits: (readonly Entry[])[] = [];

  constructor(books: LedgerStore = new MemoryStore()) {
    this.books = books;
  }
}

/** One controller's way to the store: it can break, and be slow for ever. */
export class TroubledStore {
  readonly shared: SharedStore;
  isBroken = false;
  /** Resolves what waits, once it is set to false. */
  #isStuck = false;
  #goOn: (() => void)[] = [];
  /** Whether a commit that breaks was stored all the same. */
  storesBeforeItBreaks = false;

  constructor(shared = new SharedStore()) {
    this.shared = shared;
  }

  set isStuck(isStuck: boolean) {
    this.#isStuck = isStuck;
    if (isStuck) return;
    for (const goOn of this.#goOn) goOn();
    this.#goOn = [];
  }

  async lead(): Promise<Lead> {
    await this.#pass();
    return this.shared.books.lead();
  }

  async commit(term: number, entries: readonly Entry[]): Promise<'stored' | 'deposed'> {
    this.shared.commits.push(entries);
    if (this.isBroken && this.storesBeforeItBreaks) await this.shared.books.commit(term, entries);
    await this.#pass();
    return this.shared.books.commit(term, entries);
  }

  async pulse(): Promise<Pulse> {
    await this.#pass();
    return this.shared.books.pulse();
  }

  async addRecords(processor: string, records: readonly CallRecord[]): Promise<void> {
    await this.#pass();
    return this.shared.books.addRecords(processor, records);
  }

  spend: LedgerStore['spend'] = (query) => this.shared.books.spend(query);
  records: LedgerStore['records'] = (query) => this.shared.books.records(query);
  unaccounted: LedgerStore['unaccounted'] = () => this.shared.books.unaccounted();
  forget: LedgerStore['forget'] = (beforeMs) => this.shared.books.forget(beforeMs);
  close: LedgerStore['close'] = () => this.shared.books.close();

  async #pass(): Promise<void> {
    if (this.#isStuck) await new Promise<void>((resolve) => void this.#goOn.push(resolve));
    if (this.isBroken) throw new StoreUnavailable('it is broken on purpose', 'unreachable');
  }
}

/** Takes down what a host says to one processor. */
export class Listener implements Peer {
  readonly heard: ToHolder[] = [];
  ended: Dismissal | undefined;

  send(message: ToHolder): void {
    this.heard.push(message);
  }

  end(why: Dismissal): void {
    this.ended = why;
  }
}

/** Events by their kinds. */
export class Told {
  readonly events: ServiceEvent[] = [];
  readonly tell = (event: ServiceEvent): void => void this.events.push(event);

  of<Kind extends ServiceEvent['kind']>(kind: Kind): (ServiceEvent & { readonly kind: Kind })[] {
    return this.events.filter((event): event is ServiceEvent & { readonly kind: Kind } => event.kind === kind);
  }
}

/** A real holder that is linked to a controller, and has no disk. */
export class TestProcessor {
  readonly holder: Holder;
  readonly link: LedgerLink;
  readonly #clock: Clock;
  readonly #timer: NodeJS.Timeout;
  readonly decided = new Map<string, Granted | Refused>();
  readonly heard: ToHolder[] = [];
  connections = 0;
  #calls = 0;

  constructor(name: string, parts: LinkParts, limits: readonly LimitSpec[]) {
    const { clock } = parts;
    this.#clock = clock;
    this.link = new LedgerLink({
      ...parts,
      onConnected: () => {
        this.connections += 1;
        this.holder.connected(clock.epochMs(), clock.monotonicMs());
        this.#carryOut();
      },
      onMessage: (message) => {
        this.heard.push(message);
        this.holder.receive(message, clock.epochMs(), clock.monotonicMs());
        this.#carryOut();
      },
    });
    this.holder = new Holder({ instance: `${name}/${Math.random()}`, unfinished: [], at: clock.epochMs(), now: clock.monotonicMs() });
    this.configure(limits);
    const advance = (): void => {
      this.holder.advance(clock.epochMs(), clock.monotonicMs());
      this.#carryOut();
    };
    this.#timer = setInterval(() => onceRead(advance), 5);
  }

  configure(limits: readonly LimitSpec[]): void {
    const done = this.holder.configure(limits, this.#clock.epochMs(), this.#clock.monotonicMs());
    if (!done.ok) throw new Error(done.error[0]?.message);
    this.#carryOut();
  }

  /** What becomes of it at last is in `decided` where it has to wait. Returns its id, too. */
  reserve(nanoUsd: bigint, limit = LIMIT.id): { readonly id: string; readonly outcome: Granted | Refused | Waiting | OutOfReach } {
    return this.reserveIn([{ limit, subject: '' }], nanoUsd);
  }

  /** In several accounts, of `amount` nano-dollars or tokens. */
  reserveIn(accounts: readonly AccountRef[], amount: bigint): { readonly id: string; readonly outcome: Granted | Refused | Waiting | OutOfReach } {
    const [id, at, now] = [`call-${this.#calls++}`, this.#clock.epochMs(), this.#clock.monotonicMs()];
    const outcome = this.holder.reserve({ id, at, now, accounts, quote: quoteOf(amount), profile: 'p' });
    if (outcome.kind === 'granted' || outcome.kind === 'refused') this.decided.set(id, outcome);
    this.#carryOut();
    return { id, outcome };
  }

  settle(id: string, nanoUsd: bigint): void {
    this.holder.settle(id, { kind: 'actual', actual: { nanoUsd, tokens: Number(nanoUsd), outputTokens: 0 } }, this.#clock.epochMs(), this.#clock.monotonicMs());
    this.#carryOut();
  }

  close(): void {
    clearInterval(this.#timer);
    this.link.close();
  }

  #carryOut(): void {
    this.holder.takeEntries();
    for (const outcome of this.holder.takeDecided()) this.decided.set(outcome.id, outcome);
    for (const message of this.holder.takeMessages()) this.link.send(message);
  }
}

function quoteOf(nanoUsd: bigint): Quote {
  return {
    fixedNanoUsd: nanoUsd,
    outputNanoUsdPerMillion: 0n,
    inputTokens: Number(nanoUsd),
    choices: 1,
    outputCap: 0,
    capIsDefault: false,
    estimate: { nanoUsd, tokens: Number(nanoUsd) },
  };
}

/** A controller, its certificates, and those of the processors that it knows. All in one process, over loopback. */
export class TestService {
  readonly folder: string;
  readonly authority: TestAuthority;
  readonly clock = new TestClock();
  readonly told = new Told();
  readonly store: TroubledStore;
  readonly host: LedgerHost;
  readonly server: WireServer;
  readonly files: CertificateFiles;
  readonly #opened: { close(): void }[] = [];
  port = 0;

  private constructor(parts: {
    folder: string;
    authority: TestAuthority;
    files: CertificateFiles;
    store: TroubledStore;
    permissions: Permissions;
    isAlone: boolean;
  }) {
    const { folder, authority, files, store, permissions, isAlone } = parts;
    this.folder = folder;
    this.authority = authority;
    this.files = files;
    this.store = store;
    const { clock, told } = this;
    this.host = new LedgerHost({ store, clock, permissions, isAlone, tell: told.tell });
    this.server = new WireServer({
      services: [ledgerService({ host: this.host, store, permissions, tell: told.tell })],
      clock,
      authenticate: byCertificate(),
      tell: told.tell,
    });
  }

  static async start(
    wishes: {
      store?: TroubledStore;
      permissions?: Permissions;
      authority?: TestAuthority;
      isAlone?: boolean;
      limits?: readonly LimitSpec[];
      port?: number;
    } = {},
  ): Promise<TestService> {
    const { store = new TroubledStore(), permissions = ALL_PERMITTED, isAlone = true, limits = [LIMIT], port = 0 } = wishes;
    const authority = wishes.authority ?? (await TestAuthority.create('airmesh test'));
    const folder = mkdtempSync(join(tmpdir(), 'airmesh-ledger-'));
    const own = await authority.issue({ dns: ['localhost'], uris: ['spiffe://test/controller'] });
    const files = openFiles(writeCertificates(folder, 'controller', own, authority.certificate));
    const service = new TestService({ folder, authority, files, store, permissions, isAlone });
    const started = service.host.start(limits);
    if (!started.ok) throw new Error(started.error[0]?.message);
    service.port = (await service.server.listen({ host: '127.0.0.1', port, certificates: files })) ?? 0;
    return service;
  }

  get address(): string {
    return `localhost:${this.port}`;
  }

  /** The files of a processor, with a certificate of this name. */
  async issue(name: string, wishes: CertificateWishes = {}, authority = this.authority): Promise<CertificatePaths> {
    const issued = await authority.issue({ uris: [`spiffe://test/processor/${name}`], ...wishes });
    return writeCertificates(this.folder, name, issued, this.authority.certificate);
  }

  /** A real holder that is linked to this controller, and to others if they are named. */
  async processor(
    name: string,
    addresses: readonly string[] = [this.address],
    limits: readonly LimitSpec[] = [LIMIT],
    wishes: CertificateWishes = {},
  ): Promise<TestProcessor> {
    const certificates = this.keep(openFiles(await this.issue(name, wishes)));
    return this.keep(new TestProcessor(name, { addresses, access: certificates, clock: this.clock }, limits));
  }

  keep<T extends { close(): void }>(opened: T): T {
    this.#opened.push(opened);
    return opened;
  }

  async close(): Promise<void> {
    for (const opened of this.#opened) opened.close();
    this.host.close();
    this.store.isStuck = false;
    await this.server.close(1_000);
    this.files.close();
    rmSync(this.folder, { recursive: true });
  }
}

export function openFiles(paths: CertificatePaths, onFault: (message: string) => void = () => undefined): CertificateFiles {
  const files = CertificateFiles.open(paths, onFault);
  if (!files.ok) throw new Error(files.error);
  return files.value;
}

/** One call by a caller of one's own making. */
export interface RawCall {
  readonly stream: ClientDuplexStream<Buffer, Buffer>;
  readonly answers: Buffer[];
  /** The metadata with which it was taken. */
  readonly taken: Promise<Metadata>;
  readonly ended: Promise<StatusObject>;
}

export function call(service: TestService, method: keyof typeof LEDGER_METHODS, caller: ChannelCredentials, metadata = protocolMetadata()): RawCall {
  const client = service.keep(new Client(service.address, caller, { 'grpc.use_local_subchannel_pool': 1 }));
  const { path, requestSerialize, responseDeserialize } = LEDGER_METHODS[method];
  const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, metadata);
  const answers: Buffer[] = [];
  stream.on('data', (bytes: Buffer) => answers.push(bytes));
  stream.on('error', () => undefined);
  return {
    stream,
    answers,
    taken: new Promise((resolve) => stream.on('metadata', resolve)),
    ended: new Promise((resolve) => stream.on('status', resolve)),
  };
}

export function credentialsOf({ authorities, key, certificate }: CertificatePaths): ChannelCredentials {
  return credentials.createSsl(readFileSync(authorities), readFileSync(key), readFileSync(certificate));
}

/** A hold of so much, once it is granted. */
export async function granted(processor: TestProcessor, amount: bigint): Promise<string> {
  const { id } = await vi.waitFor(() => {
    const reserved = processor.reserve(amount);
    expect(reserved.outcome.kind).not.toBe('out_of_reach');
    return reserved;
  }, SOON);
  await vi.waitFor(() => expect(processor.decided.get(id)?.kind).toBe('granted'), SOON);
  return id;
}
