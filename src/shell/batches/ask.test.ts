import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ask } from './ask.ts';
import { trustIn } from './trust.ts';

it('believes whom it is told to believe, and checks the name', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'airmesh-ask-'));
  const [keyFile, certificateFile] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=DNS:localhost',
      '-keyout',
      keyFile,
      '-out',
      certificateFile,
    ],
    { stdio: 'ignore' },
  );
  const server = createServer({ key: readFileSync(keyFile), cert: readFileSync(certificateFile) }, (_request, response) => response.end('good'));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const asked = async (host: string, caFile: string): Promise<string> => {
    let said = '';
    const status = await ask({
      url: new URL(`https://${host}:${port}/`),
      headers: {},
      trust: trustIn(caFile)(undefined),
      onChunk: (chunk) => void (said += Buffer.from(chunk).toString()),
    });
    return `${status} ${said}`;
  };
  try {
    expect(await asked('localhost', certificateFile)).toBe('200 good');
    await expect(asked('127.0.0.1', certificateFile)).rejects.toMatchObject({ code: 'ERR_TLS_CERT_ALTNAME_INVALID' });
    await expect(asked('localhost', join(folder, 'nothing.pem'))).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
  } finally {
    server.close();
    rmSync(folder, { recursive: true });
  }
});
