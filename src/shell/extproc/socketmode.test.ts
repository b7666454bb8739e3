import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { ExtProcServer } from './transport.ts';

const folder = mkdtempSync(join(tmpdir(), 'airmesh-socket-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it.each([
  ['its owner alone', undefined, 0o600],
  ['every user who can reach it', true, 0o666],
])('a socket is for %s', async (name, isForAll, mode) => {
  const socketPath = join(folder, `${name}.sock`);
  const listen = { socketPath, ...(isForAll === undefined ? {} : { isForAll }) };
  const server = new ExtProcServer({
    listen,
    maxMessageBytes: 1,
    onError: () => undefined,
    onStream: () => ({ onMessage: () => undefined, onEnd: () => undefined }),
  });
  await server.listen();
  expect(statSync(socketPath).mode & 0o777).toBe(mode);
  await server.close(0);
});
