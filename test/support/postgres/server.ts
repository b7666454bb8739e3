/** A real PostgreSQL in a temporary folder: `const server = await Postgres.start()`, `server.url`, `await server.remove()`. */
import { spawn, spawnSync } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import pg from 'pg';
import { findPostgres } from './binaries.ts';
import type { Postgres } from './binaries.ts';

const READY = 'database system is ready to accept connections';
/** A process that was killed in the same moment may still have the shared memory. */
const IN_USE = 'shared memory block';
const USER = 'airmesh';
const DATABASE = 'ledger';
const LOG_LINES = 50;
/** Another process may take a port between its choice and its use. */
const ATTEMPTS = 3;

export interface PostgresOptions {
  /** As in postgresql.conf. */
  readonly settings?: Readonly<Record<string, string>>;
  /** PEM texts; connections over TCP are then by TLS only. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  /** Where its folder is made. */
  readonly below?: string;
}

export class PostgresServer {
  /** Of a database of its own, by the loopback interface, with a password. */
  readonly url: string;
  readonly port: number;
  readonly password: string;
  readonly folder: string;
  readonly #programs: Postgres;
  readonly #settings: Readonly<Record<string, string>>;
  #process: ChildProcess | undefined;
  #log: string[] = [];

  private constructor(programs: Postgres, folder: string, port: number, password: string, settings: Readonly<Record<string, string>>) {
    this.#programs = programs;
    this.#settings = settings;
    this.folder = folder;
    this.port = port;
    this.password = password;
    this.url = this.urlOf(DATABASE);
  }

  /** Makes one, starts it, and makes a database. It is killed when this process ends, whatever becomes of it before. */
  static async start(options: PostgresOptions = {}): Promise<PostgresServer> {
    for (let attempt = 1; ; attempt++) {
      const server = await PostgresServer.#make(options);
      try {
        await server.start();
        await server.query(`CREATE DATABASE ${DATABASE}`, 'postgres');
        return server;
      } catch (error) {
        await server.remove();
        if (attempt === ATTEMPTS) throw error;
      }
    }
  }

  static async #make({ settings = {}, tls, below = tmpdir() }: PostgresOptions): Promise<PostgresServer> {
    const folder = mkdtempSync(join(below, 'airmesh-postgres-'));
    chmodSync(folder, 0o755);
    const password = randomBytes(9).toString('hex');
    const server = new PostgresServer(findPostgres(folder), folder, await freePort(), password, tls === undefined ? settings : { ...settings, ssl: 'on' });
    server.#initialise(tls);
    return server;
  }

  /** By a socket in its folder, if not by TCP. */
  urlOf(database: string, via: 'tcp' | 'socket' = 'tcp'): string {
    const host = via === 'tcp' ? `127.0.0.1:${this.port}` : '';
    const socket = via === 'tcp' ? '' : `?host=${encodeURIComponent(this.folder)}&port=${this.port}`;
    return `postgresql://${USER}:${this.password}@${host}/${database}${socket}`;
  }

  /** After `stop` or `kill`. */
  async start(): Promise<void> {
    while (!(await this.#tryStart())) if (!this.log.includes(IN_USE)) throw new Error(`PostgreSQL did not start:\n${this.log}`);
  }

  /** Ends all connections and then the server, in order. */
  async stop(): Promise<void> {
    await this.#end((server) => void server.kill('SIGINT'));
  }

  /** With -9, and every process of it, as where the machine goes down, but for what the kernel has not written yet. */
  async kill(): Promise<void> {
    await this.#end(killAll);
  }

  /** Ends it, and removes all that it has. */
  async remove(): Promise<void> {
    await this.kill();
    process.removeListener('exit', this.#onExit);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** As its superuser. */
  async query(text: string, database = DATABASE): Promise<pg.QueryResult> {
    const client = new pg.Client(this.urlOf(database, 'socket'));
    await client.connect();
    try {
      return await client.query(text);
    } finally {
      await client.end();
    }
  }

  /** The last lines of it. */
  get log(): string {
    return this.#log.join('\n');
  }

  get #data(): string {
    return join(this.folder, 'data');
  }

  #initialise(tls: PostgresOptions['tls']): void {
    const { initdb, account } = this.#programs;
    const secret = join(this.folder, 'password');
    mkdirSync(this.#data);
    writeFileSync(secret, this.password);
    this.#give(this.#data, secret, this.folder);
    const flags = ['--encoding=UTF8', '--locale=C', '--auth=scram-sha-256', '--no-sync', `--username=${USER}`, `--pwfile=${secret}`, this.#data];
    const { status, stderr, error } = spawnSync(initdb, flags, { ...account, encoding: 'utf8' });
    if (status !== 0) throw new Error(`initdb failed: ${error?.message ?? stderr}`);
    rmSync(secret);
    if (tls === undefined) return;
    for (const [name, text] of Object.entries({ 'server.crt': tls.certificate, 'server.key': tls.key })) {
      writeFileSync(join(this.#data, name), text, { mode: 0o600 });
      this.#give(join(this.#data, name));
    }
    writeFileSync(join(this.#data, 'pg_hba.conf'), 'local all all scram-sha-256\nhostssl all all 127.0.0.1/32 scram-sha-256\n');
  }

  #give(...files: readonly string[]): void {
    const { account } = this.#programs;
    if (account !== undefined) for (const file of files) chownSync(file, account.uid, account.gid);
  }

  /** False where it has ended instead; `log` says why. */
  async #tryStart(): Promise<boolean> {
    const settings = { listen_addresses: '127.0.0.1', port: String(this.port), unix_socket_directories: this.folder, ...this.#settings };
    const flags = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const { postgres, account } = this.#programs;
    this.#log = [];
    const server = spawn(postgres, ['-D', this.#data, ...flags], {
      ...account,
      env: { ...process.env, LC_ALL: 'C' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const ended = once(server, 'exit').then(() => false);
    const ready = new Promise<boolean>((resolve) => {
      createInterface(server.stderr).on('line', (line) => {
        this.#log = [...this.#log.slice(1 - LOG_LINES), line];
        if (line.includes(READY)) resolve(true);
      });
    });
    if (!(await Promise.race([ready, ended]))) return false;
    this.#process = server;
    process.once('exit', this.#onExit);
    return true;
  }

  async #end(how: (server: ChildProcess) => void): Promise<void> {
    const server = this.#process;
    this.#process = undefined;
    if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    how(server);
    await ended;
  }

  readonly #onExit = (): void => {
    if (this.#process !== undefined) killAll(this.#process);
  };
}

/** Its processes have sessions of their own, so they are no process group. Those that are not found end by themselves. */
function killAll({ pid = 0 }: ChildProcess): void {
  for (const each of [pid, ...childrenOf(pid)]) {
    try {
      process.kill(each, 'SIGKILL');
    } catch {
      // It has ended.
    }
  }
}

function childrenOf(parent: number): number[] {
  try {
    const processes = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
    return processes.filter((name) => parentOf(name) === parent).map(Number);
  } catch {
    return [];
  }
}

/** The second field behind the name, which may hold anything. Source: proc_pid_stat(5). */
function parentOf(name: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  } catch {
    return undefined;
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
