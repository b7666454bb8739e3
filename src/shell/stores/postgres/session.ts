import pg from 'pg';
import type { PostgresAddress } from './address.ts';
import { isOfStatementOnly, unavailable } from './faults.ts';
import { prepareSession } from './schema.ts';

const CONNECT_MS = 5_000;
/** The server ends a statement itself; the client gives up when it does not even say so. */
const SILENT_MS = 1_000;
/** A connection that nothing uses is closed by middle-boxes without a word. */
const KEEPALIVE_MS = 10_000;

export interface Statement {
  /** Of one that is prepared once, and then only named. */
  readonly name?: string;
  readonly text: string;
  readonly values: readonly unknown[];
}

export type Row = Readonly<Record<string, unknown>>;
export type Ask = (statement: Statement) => Promise<readonly Row[]>;

/**
 * One connection, made when it is first needed and again when it was lost. One piece of work at a time, in the order in which
 * they came. Rejects with StoreUnavailable.
 */
export class Session {
  readonly #address: PostgresAddress;
  readonly #purpose: string;
  readonly #statementMs: number;
  #client: pg.Client | undefined;
  #latest: Promise<unknown> = Promise.resolve();
  #isClosed = false;

  /** `purpose` is shown in pg_stat_activity. The server ends a statement that takes longer than `statementMs`. */
  constructor(address: PostgresAddress, purpose: string, statementMs: number) {
    this.#address = address;
    this.#purpose = purpose;
    this.#statementMs = statementMs;
  }

  run<T>(work: (ask: Ask) => Promise<T>): Promise<T> {
    const done = this.#latest.then(() => this.#run(work));
    this.#latest = done.catch(() => undefined);
    return done;
  }

  /** All or nothing. `how` follows BEGIN. */
  transaction<T>(how: string, work: (ask: Ask) => Promise<T>): Promise<T> {
    return this.run(async (ask) => {
      await ask({ text: `BEGIN ${how}`, values: [] });
      try {
        const result = await work(ask);
        await ask({ text: 'COMMIT', values: [] });
        return result;
      } catch (error) {
        if (isOfStatementOnly(error)) await ask({ text: 'ROLLBACK', values: [] });
        throw error;
      }
    });
  }

  /** When what is under way is done. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#latest;
    const client = this.#client;
    this.#client = undefined;
    await client?.end().catch(() => undefined);
  }

  async #run<T>(work: (ask: Ask) => Promise<T>): Promise<T> {
    try {
      if (this.#isClosed) throw new Error('the store is closed');
      this.#client ??= await this.#connect();
      return await work(askOf(this.#client));
    } catch (error) {
      if (!isOfStatementOnly(error)) this.#drop();
      throw unavailable(this.#address.name, error);
    }
  }

  async #connect(): Promise<pg.Client> {
    const { host, port, user, password, database, options, tls } = this.#address;
    const client = new pg.Client({
      host,
      port,
      user,
      ...(password === undefined ? {} : { password }),
      database,
      ...(options === undefined ? {} : { options }),
      ssl: tls,
      application_name: `airmesh ${this.#purpose}`,
      connectionTimeoutMillis: CONNECT_MS,
      query_timeout: this.#statementMs + SILENT_MS,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEPALIVE_MS,
    });
    // Also where nothing is under way: what comes next makes another.
    client.on('error', () => {
      if (this.#client === client) this.#client = undefined;
    });
    try {
      await client.connect();
      await prepareSession(askOf(client), this.#statementMs);
      return client;
    } catch (error) {
      void client.end().catch(() => undefined);
      throw error;
    }
  }

  /** Without waiting: it may never answer. */
  #drop(): void {
    const client = this.#client;
    this.#client = undefined;
    if (client === undefined) return;
    void client.end().catch(() => undefined);
  }
}

function askOf(client: pg.Client): Ask {
  return async ({ name, text, values }) => {
    // Without values a text may hold several statements.
    const { rows } = await client.query(
      values.length === 0 && name === undefined ? text : { ...(name === undefined ? {} : { name }), text, values: [...values] },
    );
    return rows as readonly Row[];
  };
}
