import { Metadata, credentials, status } from '@grpc/grpc-js';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestAuthority } from '../../../test/support/certificates.ts';
import type { CertificateWishes } from '../../../test/support/certificates.ts';
import { TestService, call, credentialsOf } from './service.test-support.ts';
import { spiffeFault, urisOf } from '../wire/spiffe.ts';

let service: TestService;

beforeEach(async () => {
  service = await TestService.start();
});
afterEach(() => service.close());

describe('who calls', () => {
  it.each<[string, CertificateWishes, RegExp]>([
    ['no URI', { uris: [], dns: ['localhost'] }, /must have one URI among its alternative names, spiffe:\/\/<trust domain>\/<path>; it has 0$/],
    ['no names at all', { uris: [] }, /it has 0$/],
    ['two URIs', { uris: ['spiffe://test/a', 'spiffe://test/b'] }, /it has 2$/],
    ['a URI of another scheme', { uris: ['https://test/a'] }, /"https:\/\/test\/a" is not of the form spiffe:/],
    ['a trust domain only', { uris: ['spiffe://test'] }, /names no workload: a path is missing$/],
    ['an authority’s', { isAuthority: true }, /is that of an authority/],
  ])('is not known by a certificate with %s', async (_, wishes, message) => {
    const { ended } = call(service, 'Hold', credentialsOf(await service.issue('p', wishes)));
    expect(await ended).toMatchObject({ code: status.UNAUTHENTICATED, details: expect.stringMatching(message) });
    expect(service.told.of('violation')).toEqual([expect.objectContaining({ code: 'unauthenticated', message: expect.stringMatching(message) })]);
    expect(service.host.processors).toEqual([]);
  });

  it('is not let in without a certificate', async () => {
    const { ended } = call(service, 'Hold', credentials.createSsl(Buffer.from(service.authority.certificate)));
    expect((await ended).code).toBe(status.UNAVAILABLE);
    expect(service.told.events.filter(({ kind }) => kind !== 'leading')).toEqual([]);
  });

  it('is not let in with a certificate of another authority, though it has the same name', async () => {
    const stranger = await TestAuthority.create('airmesh test');
    const { ended } = call(service, 'Hold', credentialsOf(await service.issue('p', {}, stranger)));
    expect((await ended).code).toBe(status.UNAVAILABLE);
  });

  it('is not let in with a certificate that has ended', async () => {
    const { ended } = call(service, 'Hold', credentialsOf(await service.issue('p', { validMs: -1_000 })));
    expect((await ended).code).toBe(status.UNAVAILABLE);
  });

  it('is not let in in plain text', async () => {
    const { ended } = call(service, 'Hold', credentials.createInsecure());
    expect((await ended).code).toBe(status.UNAVAILABLE);
  });

  it('is known by its one URI', async () => {
    const { stream, taken } = call(service, 'Hold', credentialsOf(await service.issue('p', { dns: ['localhost'] })));
    expect((await taken).get('airmesh-protocol')).toEqual(['1']);
    expect(service.host.processors).toEqual(['spiffe://test/processor/p']);
    stream.cancel();
  });
});

describe('a caller', () => {
  it.each<[string, string | undefined, string]>([
    ['newer', '2', 'the processor speaks airmesh-protocol 2, and the controller 1: upgrade the controller'],
    ['older', '0.9', 'the processor speaks airmesh-protocol 0, and the controller 1: upgrade the processor'],
    ['silent', undefined, 'the processor says no airmesh-protocol in its metadata; the controller speaks 1'],
    ['odd', 'one', 'the processor says airmesh-protocol "one", which is no version; the controller speaks 1'],
  ])('of a %s version is told so', async (_, version, message) => {
    const metadata = new Metadata();
    if (version !== undefined) metadata.set('airmesh-protocol', version);
    const { ended } = call(service, 'Hold', credentialsOf(await service.issue('p')), metadata);
    expect(await ended).toMatchObject({ code: status.FAILED_PRECONDITION, details: message });
  });

  it('of a newer minor version is taken', async () => {
    const metadata = new Metadata();
    metadata.set('airmesh-protocol', '1.7');
    const { stream, taken } = call(service, 'Record', credentialsOf(await service.issue('p')), metadata);
    await taken;
    stream.cancel();
  });
});

describe('alternative names', () => {
  it.each<[string, string[] | undefined]>([
    ['', []],
    ['DNS:localhost', []],
    ['URI:spiffe://a/b', ['spiffe://a/b']],
    ['DNS:a, URI:spiffe://a/b, IP Address:127.0.0.1, URI:spiffe://a/c', ['spiffe://a/b', 'spiffe://a/c']],
    ['URI:"spiffe://a/b, URI:spiffe://a/c"', ['spiffe://a/b, URI:spiffe://a/c']],
    ['DNS:"a, URI:spiffe://stolen/x", URI:spiffe://a/b', ['spiffe://a/b']],
    ['DNS:"a\\", URI:spiffe://stolen/x", URI:spiffe://a/b', ['spiffe://a/b']],
    ['DNS:"a, URI:spiffe://stolen/x', undefined],
  ])('%s', (names, uris) => {
    const read = urisOf(names);
    expect(read.ok ? read.value : undefined).toEqual(uris);
  });
});

describe('a SPIFFE ID', () => {
  it.each(['spiffe://test/p', 'spiffe://prod.example-1.org/ns/shop/pod/checkout-7d_9', `spiffe://t/${'a'.repeat(2_037)}`])('is %s', (id) => {
    expect(spiffeFault(id)).toBeUndefined();
  });

  it.each([
    '',
    'spiffe:/test/p',
    'SPIFFE://test/p',
    'spiffe://Test/p',
    'spiffe:///p',
    'spiffe://test/',
    'spiffe://test/p/',
    'spiffe://test//p',
    'spiffe://test/../p',
    'spiffe://test/p?x',
    'spiffe://test/p#x',
    'spiffe://test/%70',
    'spiffe://user@test/p',
    'spiffe://test:443/p',
    'spiffe://test/p p',
    'spiffe://test/é',
    `spiffe://t/${'a'.repeat(2_038)}`,
  ])('is not %s', (id) => {
    expect(spiffeFault(id)).toBeDefined();
  });

  it('is one of the trust domain that was named', () => {
    expect(spiffeFault('spiffe://test/p', 'test')).toBeUndefined();
    expect(spiffeFault('spiffe://rest/p', 'test')).toBe('"spiffe://rest/p" is not of the trust domain test');
  });
});
