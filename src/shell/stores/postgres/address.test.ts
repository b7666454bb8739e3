import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parsePostgresUrl } from './address.ts';
import type { PostgresAddress } from './address.ts';

const folder = mkdtempSync(join(tmpdir(), 'airmesh-address-'));
const authorities = join(folder, 'ca.crt');
writeFileSync(authorities, 'PEM');
afterAll(() => rmSync(folder, { recursive: true }));

const parsed = (url: string): PostgresAddress => {
  const result = parsePostgresUrl(url);
  if (!result.ok) throw new Error(result.error);
  return result.value;
};

describe('a URL', () => {
  it.each<[url: string, address: Partial<PostgresAddress>]>([
    [
      'postgres://ann@localhost/ledger',
      { name: 'postgres://ann@localhost:5432/ledger', host: 'localhost', port: 5432, user: 'ann', database: 'ledger', tls: false },
    ],
    ['postgresql://ann:s%2Fe%40c@127.0.0.1:80/my%20db', { port: 80, password: 's/e@c', database: 'my db', name: 'postgres://ann@127.0.0.1:80/my db' }],
    ['postgres://ann@[::1]:6000/ledger', { host: '::1', port: 6000, name: 'postgres://ann@[::1]:6000/ledger' }],
    ['postgres://ann:x@/ledger?host=/run/postgresql', { host: '/run/postgresql', port: 5432, password: 'x', tls: false }],
    ['postgres://ann@/ledger?host=%2Ftmp&port=6001', { host: '/tmp', port: 6001 }],
    ['postgres://ann@localhost/ledger?options=-c%20search_path%3Dairmesh', { options: '-c search_path=airmesh' }],
  ])('%s', (url, address) => {
    expect(parsed(url)).toMatchObject(address);
  });

  it('has no password where it names none', () => {
    expect(parsed('postgres://ann@localhost/ledger')).not.toHaveProperty('password');
  });

  it.each<[url: string, error: string | RegExp]>([
    ['postgres://s3cret', /names no user/],
    ['postgres://ann:s3cret@localhost', /names no database/],
    ['postgres://ann:s3cret@localhost/a/b', /names no database/],
    ['postgres://ann:s3cret@/ledger', /names no host/],
    ['postgres://ann:s3cret@localhost:99999/ledger', /cannot be read/],
    ['postgres://ann:s3cret@local host/ledger', /cannot be read/],
    ['postgres://ann:s3cret%zz@localhost/ledger', /begins no escape/],
    ['mysql://ann:s3cret@localhost/ledger', /cannot be read/],
    ['postgres://ann:s3cret@localhost/ledger?port=0', /a port that is none/],
    ['postgres://ann:s3cret@localhost/ledger?sslmode=prefer', /"prefer" is not taken/],
    ['postgres://ann:s3cret@localhost/ledger?pool=5', /a parameter "pool"; these are known: host, port/],
    ['postgres://ann:s3cret@localhost/ledger?sslmode=verify-ca&sslrootcert=/nowhere', '/nowhere cannot be read (ENOENT)'],
    ['postgres://ann:s3cret@localhost/ledger?sslmode=require&sslcert=/nowhere', 'sslcert and sslkey go together'],
  ])('%s is refused, and its password is not said', (url, error) => {
    const result = parsePostgresUrl(url);
    expect(result).toEqual({ ok: false, error: typeof error === 'string' ? error : expect.stringMatching(error) });
    expect(JSON.stringify(result)).not.toContain('s3cret');
  });
});

describe('TLS', () => {
  const tlsOf = (host: string, query: string) => parsed(`postgres://ann@${host}/ledger?${query}`).tls;

  it.each<[host: string, query: string, tls: object | false]>([
    ['db.example', '', { rejectUnauthorized: true }],
    ['10.0.0.1', '', { rejectUnauthorized: true }],
    ['127.1.2.3', '', false],
    ['[::1]', '', false],
    ['localhost.example', '', { rejectUnauthorized: true }],
    ['db.example', 'sslmode=disable', false],
    ['db.example', 'sslmode=require', { rejectUnauthorized: false }],
    ['db.example', `sslmode=require&sslrootcert=${authorities}`, { rejectUnauthorized: true, ca: 'PEM' }],
    ['db.example', `sslmode=verify-full&sslrootcert=${authorities}`, { rejectUnauthorized: true, ca: 'PEM' }],
    ['db.example', 'sslmode=verify-full&sslrootcert=system', { rejectUnauthorized: true }],
  ])('with %s?%s', (host, query, tls) => {
    const found = tlsOf(host, query);
    if (tls === false) expect(found).toBe(false);
    else expect(found).toMatchObject(tls);
  });

  it('checks the name that the certificate is for in verify-full alone', () => {
    expect(tlsOf('db.example', 'sslmode=verify-full')).not.toHaveProperty('checkServerIdentity');
    expect(tlsOf('db.example', 'sslmode=verify-ca')).toHaveProperty('checkServerIdentity');
  });
});
