import { networkInterfaces } from 'node:os';
import { describe, expect, it } from 'vitest';
import { ownAddresses } from './own.ts';

describe('ownAddresses', () => {
  it.each([
    ['127.0.0.1', ['127.0.0.1']],
    ['10.0.0.7', ['10.0.0.7']],
    ['0.0.0.0', ['0.0.0.0', 'box', '10.0.0.7']],
    ['::', ['::', 'box', '10.0.0.7']],
  ])('of a listener on %s', (host, expected) => {
    expect(ownAddresses([{ host, port: 4000 }], ['box', '10.0.0.7'])).toEqual(expected.map((own) => ({ host: own, port: 4000 })));
  });

  it('are those of this machine', () => {
    const hosts = ownAddresses([{ host: '0.0.0.0', port: 1 }]).map(({ host }) => host);
    for (const { address } of Object.values(networkInterfaces()).flatMap((interfaces) => interfaces ?? [])) expect(hosts).toContain(address);
  });
});
