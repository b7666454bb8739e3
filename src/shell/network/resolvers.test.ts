import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { resolversOf } from './resolvers.ts';

const folder = mkdtempSync(join(tmpdir(), 'airmesh-resolvers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('whom the machine asks for names', () => {
  it.each([
    ['nameserver 10.0.0.2\n# nameserver 10.0.0.3\n nameserver fd00::1\nsearch a b\n', ['10.0.0.2', 'fd00::1']],
    ['search example.com\n', ['127.0.0.1']],
    ['nameserver fe80::1%eth0\nnameserver nonsense\n', ['fe80::1%eth0']],
  ])('by %j is %j', (text, hosts) => {
    const path = join(folder, 'resolv.conf');
    writeFileSync(path, text);
    expect(resolversOf(path).map(({ host }) => host)).toEqual(hosts);
  });

  it('is this machine where nothing says', () => {
    expect(resolversOf(join(folder, 'absent'))).toEqual([{ host: '127.0.0.1', port: 53 }]);
  });
});
