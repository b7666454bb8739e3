import { chmodSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openSocketFolder } from './sockets.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'airmesh-sockets-'));
  mkdirSync(join(folder, 'tmp'));
  mkdirSync(join(folder, 'state'));
  vi.stubEnv('TMPDIR', join(folder, 'tmp'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

const opened = (state = 'state'): string => openSocketFolder(join(folder, state));

it('is the same for a state folder whatever that is called, another for another, and its user’s alone', () => {
  const first = opened();
  expect(first.startsWith(join(folder, 'tmp', 'airmesh-'))).toBe(true);
  expect(lstatSync(first).mode & 0o777).toBe(0o700);
  writeFileSync(join(first, 'envoy.sock'), '');
  symlinkSync('state', join(folder, 'by-another-name'));
  expect(opened('by-another-name')).toBe(first);
  expect(lstatSync(join(first, 'envoy.sock')).isFile()).toBe(true);
  mkdirSync(join(folder, 'other'));
  expect(opened('other')).not.toBe(first);
});

it.each<[string, (path: string) => void]>([
  ['a folder that others may open', (path) => chmodSync(path, 0o755)],
  ['a link, wherever it leads', (path) => replace(path, () => symlinkSync(join(folder, 'state'), path))],
  ['a file', (path) => replace(path, () => writeFileSync(path, '', { mode: 0o600 }))],
])('is a new one where %s has its name', (_name, take) => {
  const first = opened();
  take(first);
  const [second, third] = [opened(), opened()];
  expect(new Set([first, second, third]).size).toBe(3);
  expect(lstatSync(second).mode & 0o170_777).toBe(0o040_700);
});

it('is a new one where the folder is another user’s', () => {
  const first = opened();
  const getuid = vi.spyOn(process, 'getuid').mockReturnValue((process.getuid?.() ?? 0) + 1);
  expect(opened()).not.toBe(first);
  getuid.mockRestore();
  expect(opened()).toBe(first);
});

function replace(path: string, make: () => void): void {
  rmSync(path, { recursive: true });
  make();
}
