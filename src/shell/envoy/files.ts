import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Json } from '../../core/envoyconfig/index.ts';

/** Where systems keep the public certificate authorities. */
const CA_FILES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/cert.pem',
  '/etc/ssl/ca-bundle.pem',
  '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
];

/** `SSL_CERT_FILE`, else the system's own bundle; the first place where there is none, for Envoy to name in its complaint. */
export function trustedCaFile(environment: NodeJS.ProcessEnv): string {
  const named = environment['SSL_CERT_FILE'];
  if (named !== undefined && named !== '') return named;
  return CA_FILES.find((path) => existsSync(path)) ?? CA_FILES[0] ?? '';
}

/** Writes those files that differ from what is there, or all, each whole. Returns their names, in the order given. */
export function writeConfiguration(folder: string, files: ReadonlyMap<string, Json>, { evenUnchanged = false } = {}): string[] {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const written: string[] = [];
  for (const [name, content] of files) {
    const path = join(folder, name);
    if (!evenUnchanged && isWritten(folder, new Map([[name, content]]))) continue;
    writeFileSync(`${path}.new`, textOf(content), { mode: 0o600 });
    renameSync(`${path}.new`, path);
    written.push(name);
  }
  return written;
}

/** Whether these files are there as they would be written. */
export const isWritten = (folder: string, files: ReadonlyMap<string, Json>): boolean =>
  [...files].every(([name, content]) => {
    const path = join(folder, name);
    return existsSync(path) && readFileSync(path, 'utf8') === textOf(content);
  });

const textOf = (content: Json): string => `${JSON.stringify(content, undefined, 1)}\n`;
