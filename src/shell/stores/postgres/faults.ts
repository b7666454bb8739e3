import { StoreUnavailable } from '../../ledger/index.ts';

/** The tables are a newer program's, or cannot be what they must be: the message tells, and what to do. */
export class WrongDatabase extends Error {}

type Fault = readonly [fault: StoreUnavailable['fault'], advice: string];

/** By SQLSTATE, or the first two characters of it, its class. Source: PostgreSQL's documentation, appendix "PostgreSQL Error Codes". */
const BY_STATE: Readonly<Record<string, Fault>> = {
  '08': ['unreachable', 'see that it runs and can be reached'],
  '25006': ['unusable', 'it takes no writes: name the primary, and let this user write'],
  '25P03': ['unreachable', 'the connection to it is slow'],
  '28': ['unusable', 'see user and password, and that it lets them in (pg_hba.conf)'],
  '3D000': ['unusable', 'make the database, or name another'],
  '3F000': ['unusable', 'make the schema, or name another'],
  '40': ['unreachable', 'it is tried again'],
  '42501': ['unusable', 'let this user make and write tables in its schema'],
  '53': ['unusable', 'give it what it lacks'],
  '53100': ['unusable', 'make room on its disk'],
  '53300': ['unreachable', 'let it take more connections; a controller has 6'],
  '55P03': ['unreachable', 'something else holds a lock on the tables'],
  '57': ['unreachable', 'see that it runs'],
  '57014': ['unreachable', 'it took too long: see what else it does'],
  '58': ['unusable', 'see its disk, and its log'],
  XX001: ['unusable', 'it is damaged: put a copy of it back, from when it was well'],
  XX002: ['unusable', 'it is damaged: rebuild its indexes (REINDEX), or put a copy of it back'],
};

/** What Node says of certificates. Source: nodejs.org/api/tls.html, "X509 certificate error codes". */
const CERTIFICATE_FAULT = /^(?:UNABLE_TO|CERT_|DEPTH_ZERO|SELF_SIGNED|ERR_TLS_|ERR_SSL_|HOSTNAME_MISMATCH|INVALID_CA|ERR_OSSL_)/;

/** What `error` means for who uses the database; a bug stays what it is. `name` is the database's, for people. */
export function unavailable(name: string, error: unknown): unknown {
  if (error instanceof StoreUnavailable) return error;
  const { code = '', message } = error as { readonly code?: string; readonly message: string };
  const isServers = /^[0-9A-Z]{5}$/.test(code) && 'severity' in (error as object);
  const found = isServers ? (BY_STATE[code] ?? BY_STATE[code.slice(0, 2)]) : faultOfConnection(error, code, message);
  if (found === undefined) return error;
  const [fault, advice] = found;
  return new StoreUnavailable(`the ledger ${name} cannot be used: ${message === '' ? code : message}${advice === '' ? '' : `; ${advice}`}`, fault, {
    cause: error,
  });
}

/** Whether the connection may be used again after it. */
export function isOfStatementOnly(error: unknown): boolean {
  const { code = '' } = error as { readonly code?: string };
  return 'severity' in (error as object) && ['22', '23', '40', '42', '54', '57014', '55P03'].some((prefix) => code.startsWith(prefix));
}

function faultOfConnection(error: unknown, code: string, message: string): Fault | undefined {
  if (error instanceof WrongDatabase) return ['unusable', ''];
  if (error instanceof TypeError || error instanceof RangeError || error instanceof SyntaxError) return undefined;
  if (CERTIFICATE_FAULT.test(code)) return ['unusable', 'see sslmode and sslrootcert in its URL, and the certificate that it shows'];
  if (message.includes('does not support SSL')) return ['unusable', 'turn TLS on there, or write sslmode=disable in its URL where the network can be trusted'];
  if (message.startsWith('SASL')) return ['unusable', 'see the password: in the URL, in PGPASSWORD, or in .pgpass'];
  return ['unreachable', 'see that it runs and can be reached'];
}
