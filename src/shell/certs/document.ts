import { X509Certificate, createPrivateKey } from 'node:crypto';
import { err, ok } from '../../core/units/index.ts';
import type { EpochMs, Result } from '../../core/units/index.ts';
import { Root } from './root.ts';
import type { AuthorityFault } from './store.ts';

/** What is kept: changes that others could not read have another number. */
const FORMAT = 1;

/** Roots in the order in which they sign, as they are kept. The text holds keys. */
export function writeDocument(authority: string, roots: readonly Root[]): string {
  const document = {
    format: FORMAT,
    authority,
    roots: roots.map((root) => ({ signsFrom: isoOf(root.signsFrom), signsUntil: isoOf(root.signsUntil), ...root.reveal() })),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

/** Roots that are whole: each signed by itself, with its own key or none. No fault quotes what is kept: JSON's own would. */
export function readDocument(text: string, authority: string, place: string): Result<readonly Root[], AuthorityFault> {
  const fault = (path: string, reason: string): Result<never, AuthorityFault> => err({ where: path === '' ? place : `${place}: ${path}`, reason });
  const document = parseObject(text);
  if (document === undefined) return fault('', 'it is no JSON object');
  if (document['format'] !== FORMAT) return fault('format', `it must be ${FORMAT}; a newer program may have written it`);
  if (document['authority'] !== authority) return fault('authority', `it must be ${JSON.stringify(authority)}: this belongs to something else`);
  if (!Array.isArray(document['roots'])) return fault('roots', 'it must be an array');
  const roots: Root[] = [];
  for (const [index, entry] of document['roots'].entries()) {
    const root = readRoot(entry);
    if (!root.ok) return fault(`roots[${index}]${root.error.path}`, root.error.reason);
    const before = roots.at(-1);
    if (before !== undefined && root.value.signsFrom < before.signsFrom)
      return fault(`roots[${index}].signsFrom`, 'it is earlier than that of the root before');
    roots.push(root.value);
  }
  return ok(roots);
}

function readRoot(entry: unknown): Result<Root, { readonly path: string; readonly reason: string }> {
  const fault = (path: string, reason: string): Result<never, { path: string; reason: string }> => err({ path, reason });
  if (typeof entry !== 'object' || entry === null) return fault('', 'it must be an object');
  const { certificate, key, signsFrom, signsUntil } = entry as Readonly<Record<string, unknown>>;
  const from = timeOf(signsFrom);
  if (from === undefined) return fault('.signsFrom', 'it must be a time such as 2026-01-31T12:00:00.000Z');
  const until = timeOf(signsUntil);
  if (until === undefined || until <= from) return fault('.signsUntil', 'it must be a time after signsFrom');
  const parsed = typeof certificate === 'string' ? certificateOf(certificate) : undefined;
  if (parsed === undefined || typeof certificate !== 'string') return fault('.certificate', 'it must be a certificate in PEM');
  if (!parsed.ca || !parsed.verify(parsed.publicKey)) return fault('.certificate', 'it must be an authority’s, signed by itself');
  if (parsed.validToDate.getTime() < until) return fault('.certificate', 'it ends before signsUntil');
  if (key === undefined) return ok(new Root(certificate, undefined, { signsFrom: from, signsUntil: until }));
  const privateKey = typeof key === 'string' ? keyOf(key) : undefined;
  if (privateKey === undefined || typeof key !== 'string') return fault('.key', 'it must be a private key in PEM (PKCS #8)');
  if (!parsed.checkPrivateKey(privateKey)) return fault('.key', 'it is not the key of this root’s certificate');
  return ok(new Root(certificate, key, { signsFrom: from, signsUntil: until }));
}

const isoOf = (time: EpochMs): string => new Date(time).toISOString();

function timeOf(value: unknown): EpochMs | undefined {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(text);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? (parsed as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}

function certificateOf(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    return undefined;
  }
}

function keyOf(pem: string): ReturnType<typeof createPrivateKey> | undefined {
  try {
    return pem.includes('-----BEGIN PRIVATE KEY-----') ? createPrivateKey(pem) : undefined;
  } catch {
    return undefined;
  }
}
