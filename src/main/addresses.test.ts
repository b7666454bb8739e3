import { describe, expect, it } from 'vitest';
import { httpUrl, parseAddress, parseAdminUrl, parseHeader, parseHosts, parseNames, parseNetworks, parseTime, parseWorkload } from './addresses.ts';

describe('parseAddress', () => {
  it.each([
    ['4000', { host: '127.0.0.1', port: 4000 }],
    ['0.0.0.0:80', { host: '0.0.0.0', port: 80 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['[::1]:4000', { host: '::1', port: 4000 }],
  ])('%s', (text, expected) => expect(parseAddress(text)).toEqual(expected));

  it.each(['', 'x', ':4000', '65536', '-1', '127.0.0.1', '::1:4000', '127.0.0.1:4000/v1', '4000 '.repeat(2)])('refuses %j', (text) => {
    expect(() => parseAddress(text)).toThrow('is no address');
  });
});

describe('parseWorkload', () => {
  it('gathers, each with an address', () => {
    expect(parseWorkload('support=0.0.0.0:4011', parseWorkload('checkout=4010'))).toEqual([
      { name: 'checkout', host: '127.0.0.1', port: 4010 },
      { name: 'support', host: '0.0.0.0', port: 4011 },
    ]);
  });

  it.each([
    ['4010', 'is no workload'],
    ['=4010', 'is no workload'],
    ['Check_out=4010', 'is no workload'],
    ['../x=4010', 'is no workload'],
    ['default=4010', 'listens on --listen already'],
    ['checkout=', 'is no address'],
  ])('refuses %s: %s', (text, message) => expect(() => parseWorkload(text)).toThrow(message));

  it('refuses a name twice', () => expect(() => parseWorkload('a=1', parseWorkload('a=2'))).toThrow('named twice'));
});

describe('parseHeader', () => {
  it('goes by lower-case name, with either sign', () => {
    expect([...parseHeader('X-Tier: gold', parseHeader('x-team=a=b'))]).toEqual([
      ['x-team', 'a=b'],
      ['x-tier', 'gold'],
    ]);
  });

  it.each(['', 'x-team', '=v', 'x team=v'])('refuses %j', (text) => expect(() => parseHeader(text)).toThrow('is no header'));
});

it.each([
  ['4001', 'http://127.0.0.1:4001/'],
  ['127.0.0.1:4001', 'http://127.0.0.1:4001/'],
  ['https://mesh.example/', 'https://mesh.example/'],
  ['ftp://mesh.example', undefined],
])('parseAdminUrl %s: %s', (text, expected) => {
  if (expected === undefined) expect(() => parseAdminUrl(text)).toThrow('is no URL');
  else expect(parseAdminUrl(text).href).toBe(expected);
});

it('parseTime takes dates, and says what one is', () => {
  expect(parseTime('2026-01-31').toISOString()).toBe('2026-01-31T00:00:00.000Z');
  expect(() => parseTime('yesterday')).toThrow('is no time');
});

it.each([
  [{ host: '127.0.0.1', port: 4000 }, 'http://127.0.0.1:4000'],
  [{ host: '0.0.0.0', port: 80 }, 'http://127.0.0.1:80'],
  [{ host: '::', port: 80 }, 'http://[::1]:80'],
])('httpUrl of %j', (address, expected) => expect(httpUrl(address)).toBe(expected));

describe('parseNames', () => {
  it('takes each once', () => expect(parseNames('shop, lab,shop')).toEqual(['shop', 'lab']));
  it.each(['', 'a,,b', 'Shop', 'a/b', 'a.b', `${'a'.repeat(64)}`])('refuses %j', (text) =>
    expect(() => parseNames(text)).toThrow('is not the name of a namespace'),
  );
});

describe('parseNetworks', () => {
  it('takes those of both versions of IP', () => expect(parseNetworks('10.0.0.0/8, fd00::/8')).toEqual(['10.0.0.0/8', 'fd00::/8']));
  it.each(['', '10.0.0.0', '10.0.0.0/33', 'fd00::/129', '10.0.0/8', '10.0.0.0/8/8', 'a/8', '10.0.0.0/-1'])('refuses %j', (text) =>
    expect(() => parseNetworks(text)).toThrow('is no network'),
  );
});

describe('parseHosts', () => {
  it('takes names, and all below one', () => expect(parseHosts('api.example.com,*.example.org')).toEqual(['api.example.com', '*.example.org']));
  it.each(['', 'https://a', 'a..b', '*', 'A.example', '*.*.a'])('refuses %j', (text) => expect(() => parseHosts(text)).toThrow('is no host'));
});
