import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import { err, ok } from '../../../core/units/index.ts';
import type { Result } from '../../../core/units/index.ts';

/** Where a database is, and how to get in. */
export interface PostgresAddress {
  /** For people: without the password. */
  readonly name: string;
  /** A name, an address, or the folder of a socket file. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** Absent: `PGPASSWORD`, or `.pgpass`. */
  readonly password?: string;
  readonly database: string;
  /** Settings of the session, as `postgres` takes them: `-c search_path=airmesh`. */
  readonly options?: string;
  readonly tls: false | ConnectionOptions;
}

const DEFAULT_PORT = 5432;
const PROTOCOLS = ['postgres:', 'postgresql:'];
const NO_HOST = 'socket.invalid';
const PARAMETERS = ['host', 'port', 'options', 'sslmode', 'sslrootcert', 'sslcert', 'sslkey'];
const TLS_MODES = ['disable', 'require', 'verify-ca', 'verify-full'] as const;
type TlsMode = (typeof TLS_MODES)[number];

/**
 * Reads `postgres://user:password@host:port/database?sslmode=…`, as libpq does (PostgreSQL's documentation, "Connection
 * URIs" and "SSL Support"), with two differences: where no `sslmode` is said, the server must prove who it is unless it is on
 * this machine; and what falls back to plain text by itself is refused. An error tells what is wrong, and no password.
 */
export function parsePostgresUrl(text: string): Result<PostgresAddress, string> {
  // A socket file has no host, but may have a user before it, which no URL may.
  const url = URL.parse(text.replace(/^(postgres(?:ql)?:\/\/[^/?#]*@)(?=[/?#]|$)/, `$1${NO_HOST}`));
  if (url === null || !PROTOCOLS.includes(url.protocol))
    return err('the URL cannot be read; write postgres://user@host:5432/database, with %-escapes for what is special in user and password');
  const unknown = [...url.searchParams.keys()].find((name) => !PARAMETERS.includes(name));
  if (unknown !== undefined) return err(`the URL has a parameter ${JSON.stringify(unknown)}; these are known: ${PARAMETERS.join(', ')}`);
  const parameter = (name: string): string | undefined => url.searchParams.get(name) ?? undefined;
  const parts = { user: decoded(url.username), password: decoded(url.password), database: decoded(url.pathname.slice(1)) };
  if (parts.user === undefined || parts.password === undefined || parts.database === undefined) return err('the URL has a % that begins no escape');
  if (parts.user === '') return err('the URL names no user; write postgres://user@host/database');
  if (parts.database === '' || parts.database.includes('/')) return err('the URL names no database; write postgres://user@host/database');
  const host = parameter('host') ?? (url.hostname === '' || url.hostname === NO_HOST ? undefined : url.hostname.replace(/^\[|\]$/g, ''));
  if (host === undefined) return err('the URL names no host; write postgres://user@host/database, or …/database?host=/folder for a socket file');
  const port = Number(parameter('port') ?? (url.port === '' ? DEFAULT_PORT : url.port));
  if (!Number.isInteger(port) || port < 1 || port > 65_535) return err('the URL has a port that is none');
  const tls = tlsFor(host, parameter);
  if (!tls.ok) return tls;
  const options = parameter('options');
  return ok({
    name: `postgres://${parts.user}@${host.includes(':') ? `[${host}]` : host}:${port}/${parts.database}`,
    host,
    port,
    user: parts.user,
    ...(parts.password === '' ? {} : { password: parts.password }),
    database: parts.database,
    ...(options === undefined ? {} : { options }),
    tls: tls.value,
  });
}

function tlsFor(host: string, parameter: (name: string) => string | undefined): Result<false | ConnectionOptions, string> {
  const mode = parameter('sslmode') ?? (isOnThisMachine(host) ? 'disable' : 'verify-full');
  if (!isTlsMode(mode))
    return err(`sslmode ${JSON.stringify(mode)} is not taken, as it may be plain text or none that is known; write ${TLS_MODES.join(', ')}`);
  if (mode === 'disable') return ok(false);
  const root = parameter('sslrootcert');
  const files = { ca: root === 'system' ? undefined : root, cert: parameter('sslcert'), key: parameter('sslkey') };
  if ((files.cert === undefined) !== (files.key === undefined)) return err('sslcert and sslkey go together');
  const read: { ca?: string; cert?: string; key?: string } = {};
  for (const [name, path] of Object.entries(files) as [keyof typeof files, string | undefined][]) {
    if (path === undefined) continue;
    try {
      read[name] = readFileSync(path, 'utf8');
    } catch (error) {
      return err(`${path} cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`);
    }
  }
  // As libpq has it: with a root certificate, `require` is `verify-ca`.
  const isVerified = mode !== 'require' || read.ca !== undefined;
  return ok({ ...read, rejectUnauthorized: isVerified, ...(mode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }) });
}

const isTlsMode = (text: string): text is TlsMode => (TLS_MODES as readonly string[]).includes(text);

function isOnThisMachine(host: string): boolean {
  return host.startsWith('/') || host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}
