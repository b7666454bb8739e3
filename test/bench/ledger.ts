/**
 * How many reports a second the ledger service takes: `node test/bench/ledger.ts [SECONDS]`. First through host and store
 * alone, on each kind of store, a real PostgreSQL among them; then over gRPC with mutual TLS, where processors are in a
 * process of their own and each has a few reports under way. Each report tells news of each of its slices, so each leads to
 * entries and an answer. What a commit waits for is the disk: its flushes are counted beside.
 */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, fdatasyncSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client, credentials } from '@grpc/grpc-js';
import { limitIdentity } from '../../src/core/leases/index.ts';
import type { Report, SliceReport, ToHolder } from '../../src/core/leases/index.ts';
import type { LimitSpec } from '../../src/core/ledger/index.ts';
import { decodeToHolder, encodeToAuthority } from '../../src/shell/ledger/codec.ts';
import { ALL_PERMITTED, LedgerHost, ledgerService } from '../../src/shell/ledger/index.ts';
import { LEDGER_METHODS } from '../../src/shell/ledger/methods.ts';
import { CertificateFiles, WireServer, byCertificate, protocolMetadata } from '../../src/shell/wire/index.ts';
import type { CertificatePaths } from '../../src/shell/wire/index.ts';
import type { LedgerStore } from '../../src/shell/ledger/index.ts';
import { MemoryStore } from '../../src/shell/stores/memory/index.ts';
import { PostgresStore, parsePostgresUrl } from '../../src/shell/stores/postgres/index.ts';
import { SqliteStore } from '../../src/shell/stores/sqlite/index.ts';
import { TestAuthority, writeCertificates } from '../support/certificates.ts';
import { PostgresServer } from '../support/postgres/server.ts';

const PROCESSORS = 100;
const UNDER_WAY = 4;
const WARM_UP_MS = 2_000;

const clock = { epochMs: () => Date.now(), monotonicMs: () => performance.now() };
const limits: readonly LimitSpec[] = ['organization', 'team', 'service', 'model', 'user'].map((id) => ({
  id,
  kind: 'budget',
  unit: 'usd',
  limit: 10n ** 18n,
  window: { kind: 'lifetime' },
  mode: 'Strict',
  nearLimit: 'Shrink',
  floorOutputTokens: 16,
  waitMs: 5_000,
}));

/** One processor, played: it says more with each report. */
class Player {
  readonly #name: string;
  readonly #slices: number;
  #lease = 0;
  #count = 0;

  constructor(name: string, slices: number) {
    this.#name = name;
    this.#slices = slices;
  }

  hear(message: ToHolder): void {
    if (message.kind === 'joined') this.#lease = message.lease;
  }

  get hasJoined(): boolean {
    return this.#lease > 0;
  }

  report(): Report {
    const spent = BigInt(++this.#count) * 1_000_000n;
    const slices = limits.slice(0, this.#slices).map((limit): SliceReport => ({
      limit: limitIdentity(limit),
      subject: '',
      period: 0,
      returned: 0n,
      spent,
      need: 0n,
      least: 0n,
      more: 0n,
      spare: 5_000_000n,
    }));
    return { kind: 'report', lease: this.#lease, instance: this.#name, sentAt: performance.now(), at: Date.now(), heard: 0, stage: 'open', slices };
  }
}

function newHost(store: LedgerStore): LedgerHost {
  const host = new LedgerHost({ store, clock, permissions: ALL_PERMITTED, isAlone: true, tell: () => undefined });
  const started = host.start(limits);
  if (!started.ok) throw new Error(started.error[0]?.message);
  return host;
}

/** Counts what was dealt with in a while, after another while. */
async function counted(seconds: number, count: () => number): Promise<string> {
  while (count() === 0) await new Promise((resolve) => setTimeout(resolve, 50));
  await new Promise((resolve) => setTimeout(resolve, WARM_UP_MS));
  const [from, began, cpu] = [count(), performance.now(), process.cpuUsage()];
  await new Promise((resolve) => setTimeout(resolve, seconds * 1_000));
  const [reports, tookSeconds, { user, system }] = [count() - from, (performance.now() - began) / 1_000, process.cpuUsage(cpu)];
  const cores = (user + system) / 1e6 / tookSeconds;
  return `${Math.round(reports / tookSeconds)} reports/s, ${cores.toFixed(2)} cores, ${((cores * 1e6 * tookSeconds) / reports).toFixed(1)} µs each`;
}

async function alone(seconds: number, slices: number, store: LedgerStore): Promise<string> {
  const counting = commitsCounted(store);
  const host = newHost(counting.store);
  while (host.term === undefined) await new Promise((resolve) => setTimeout(resolve, 5));
  let [stored, isRunning] = [0, true];
  for (let index = 0; index < PROCESSORS; index += 1) {
    const player = new Player(`p${index}`, slices);
    const seat = host.seat({ processor: `p${index}` }, { send: (message) => player.hear(message), end: () => undefined });
    if (!seat.ok) throw new Error(seat.error.message);
    const { hear } = seat.value;
    const next = (): void => {
      stored += 1;
      if (!isRunning) return;
      // As a message would: not in the same turn.
      setImmediate(() => {
        const heard = hear(player.report(), next);
        if (!heard.ok) console.log(heard.error.message);
      });
    };
    hear({ kind: 'join', nonce: 'n', sentAt: 0 }, () => {
      for (let underWay = 0; underWay < UNDER_WAY; underWay += 1) next();
    });
  }
  const [figures, commits] = [await counted(seconds, () => stored), counting.commits()];
  isRunning = false;
  host.close();
  return `${figures}, ${Math.round(stored / commits)} reports a commit`;
}

/** The same store; `commits` tells how often it was written. */
function commitsCounted(store: LedgerStore): { readonly store: LedgerStore; readonly commits: () => number } {
  let commits = 0;
  const commit: LedgerStore['commit'] = (term, entries) => {
    commits += 1;
    return store.commit(term, entries);
  };
  return { store: new Proxy(store, { get: (target, name) => (name === 'commit' ? commit : boundTo(target, name)) }), commits: () => commits };
}

/** Methods with private fields go by the object that has them. */
function boundTo(target: LedgerStore, name: string | symbol): unknown {
  const value: unknown = Reflect.get(target, name, target);
  return typeof value === 'function' ? value.bind(target) : value;
}

/** How often a second this disk takes 8 KiB: more commits there cannot be. */
function flushesPerSecond(folder: string): number {
  const file = openSync(join(folder, 'flushed'), 'w');
  const began = performance.now();
  let flushes = 0;
  for (; performance.now() - began < 1_000; flushes += 1) {
    writeSync(file, Buffer.alloc(8_192, flushes), 0, 8_192, 0);
    fdatasyncSync(file);
  }
  closeSync(file);
  return Math.round((flushes * 1_000) / (performance.now() - began));
}

async function onEachStore(seconds: number, slices: number): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'airmesh-bench-'));
  const server = await PostgresServer.start();
  const address = parsePostgresUrl(server.url);
  if (!address.ok) throw new Error(address.error);
  const stores = {
    memory: new MemoryStore(),
    SQLite: await SqliteStore.open(join(folder, 'ledger.db')),
    PostgreSQL: await PostgresStore.open(address.value),
  };
  for (const [name, store] of Object.entries(stores)) {
    console.log(`host and ${name}, ${slices} of ${slices} slices with news: ${await alone(seconds, slices, store)}`);
    await store.close();
  }
  console.log(`this disk: ${flushesPerSecond(folder)} flushes/s`);
  await server.remove();
  rmSync(folder, { recursive: true });
}

async function overGrpc(seconds: number, slices: number): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'airmesh-bench-'));
  const authority = await TestAuthority.create('bench');
  const own = writeCertificates(folder, 'controller', await authority.issue({ dns: ['localhost'] }), authority.certificate);
  for (let index = 0; index < PROCESSORS; index += 1)
    writeCertificates(folder, `p${index}`, await authority.issue({ uris: [`spiffe://bench/p${index}`] }), authority.certificate);
  const files = CertificateFiles.open(own, (message) => console.log(message));
  if (!files.ok) throw new Error(files.error);
  const store = new MemoryStore();
  let heard = 0;
  const host = newHost(store);
  const server = new WireServer({
    services: [ledgerService({ host, store, permissions: ALL_PERMITTED, tell: () => undefined })],
    clock,
    authenticate: byCertificate(),
    tell: () => undefined,
  });
  const port = await server.listen({ host: '127.0.0.1', port: 0, certificates: files.value });
  const players: ChildProcess = fork(fileURLToPath(import.meta.url), ['players', String(port), folder, String(slices)]);
  players.on('message', (count: number) => {
    heard = count;
  });
  const figures = await counted(seconds, () => heard);
  players.kill();
  host.close();
  await server.close(500);
  files.value.close();
  rmSync(folder, { recursive: true });
  return figures;
}

/** The processors' process: says to its parent how many answers have come. */
function play(port: string, folder: string, slices: number): void {
  let answered = 0;
  for (let index = 0; index < PROCESSORS; index += 1) {
    const name = `p${index}`;
    const paths: CertificatePaths = { certificate: join(folder, `${name}.crt`), key: join(folder, `${name}.key`), authorities: join(folder, `${name}.ca.crt`) };
    const [authorities, key, certificate] = [readFileSync(paths.authorities), readFileSync(paths.key), readFileSync(paths.certificate)];
    const client = new Client(`localhost:${port}`, credentials.createSsl(authorities, key, certificate), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_retries': 0,
      'grpc.enable_channelz': 0,
    });
    const { path, requestSerialize, responseDeserialize } = LEDGER_METHODS.Hold;
    const stream = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, protocolMetadata());
    const player = new Player(name, slices);
    const report = (): boolean => stream.write(encodeToAuthority(player.report()));
    stream.on('error', ({ message }) => console.log(message));
    stream.on('data', (bytes: Buffer) => {
      const message = decodeToHolder(bytes);
      if (!message.ok) return console.log(message.error);
      const hadJoined = player.hasJoined;
      player.hear(message.value);
      answered += 1;
      for (let underWay = hadJoined ? 1 : UNDER_WAY; underWay > 0; underWay -= 1) report();
    });
    stream.write(encodeToAuthority({ kind: 'join', nonce: name, sentAt: 0 }));
  }
  setInterval(() => process.send?.(answered), 50);
}

const [role = '5', port = '', folder = '', slices = '1'] = process.argv.slice(2);
if (role === 'players') play(port, folder, Number(slices));
else {
  const seconds = Number(role);
  for (const slices of [1, 5]) {
    await onEachStore(seconds, slices);
    console.log(`over gRPC with mutual TLS, the same: ${await overGrpc(seconds, slices)}`);
  }
}
