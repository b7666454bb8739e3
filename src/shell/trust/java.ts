import { X509Certificate, createHash } from 'node:crypto';

const MAGIC = 0xfe_ed_fe_ed;
const VERSION = 2;
const TRUSTED_CERTIFICATE = 2;

/** Salt of the digest at the end. Java checks it only where it is given a password. */
const SALT = 'Mighty Aphrodite';
const PASSWORD = 'changeit';

/** So that the same certificates are always the same file. */
const CREATED_AT = 0n;

/**
 * Certificates in PEM → a JKS key store of entries that are trusted: every Java since 1.2 reads it, by default, without being
 * told its type or a password. (A PKCS #12 one needs an attribute of Java's own, and a newer Java where it is not encrypted.)
 * Source: OpenJDK, sun.security.provider.JavaKeyStore.
 */
export function javaTrustStore(certificates: readonly string[]): Uint8Array {
  const entries = certificates.map((pem, index) => {
    const { raw } = new X509Certificate(pem);
    const created = Buffer.alloc(8);
    created.writeBigInt64BE(CREATED_AT);
    return Buffer.concat([int(TRUSTED_CERTIFICATE), text(`airmesh-${index}`), created, text('X.509'), int(raw.length), raw]);
  });
  const content = Buffer.concat([int(MAGIC), int(VERSION), int(entries.length), ...entries]);
  const digest = createHash('sha1').update(Buffer.from(PASSWORD, 'utf16le').swap16()).update(SALT).update(content).digest();
  return Buffer.concat([content, digest]);
}

function int(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** As Java's DataOutput writes strings: their length in two bytes, then themselves. Only ASCII is written here. */
function text(value: string): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(value.length);
  return Buffer.concat([length, Buffer.from(value, 'ascii')]);
}
