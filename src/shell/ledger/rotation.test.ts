import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { TestAuthority, writeCertificates } from '../../../test/support/certificates.ts';
import { CertificateFiles } from '../wire/index.ts';
import { LIMIT, SOON, TestProcessor, TestService, call, credentialsOf, openFiles } from './service.test-support.ts';

const HOURS_MS = 10 * 3_600_000;
let service: TestService;

beforeEach(async () => {
  service = await TestService.start();
});
afterEach(() => service.close());

const linked = async (processor: TestProcessor): Promise<TestProcessor> => {
  await vi.waitFor(() => expect(processor.holder.lease).toBeGreaterThan(0), SOON);
  return processor;
};

async function goesOn(processor: TestProcessor): Promise<void> {
  const { id } = processor.reserve(10_000n);
  await vi.waitFor(() => expect(processor.decided.get(id)?.kind).toBe('granted'), SOON);
}

describe('a service that is called by its address', () => {
  it('must have a certificate for that address', async () => {
    const processor = await service.processor('p', [`127.0.0.1:${service.port}`]);
    await vi.waitFor(() => expect(processor.link.state.lastError?.message).toMatch(/IP: 127\.0\.0\.1 is not in the cert's list/), SOON);
    const own = await service.authority.issue({ ips: ['127.0.0.1'], uris: ['spiffe://test/controller'] });
    writeCertificates(service.folder, 'controller', own, service.authority.certificate);
    await goesOn(await linked(processor));
  });
});

describe('certificates that are replaced', () => {
  it('at the service serve new connections, while streams go on', async () => {
    const processor = await linked(await service.processor('old'));
    const successor = await TestAuthority.create('successor');
    const own = await successor.issue({ dns: ['localhost'], uris: ['spiffe://test/controller'] });
    const both = `${service.authority.certificate}\n${successor.certificate}`;
    writeCertificates(service.folder, 'controller', own, both);

    // Knows the successor only, and is known by it.
    const young = await successor.issue({ uris: ['spiffe://test/processor/young'] });
    const files = service.keep(openFiles(writeCertificates(service.folder, 'young', young, successor.certificate)));
    const newcomer = service.keep(new TestProcessor('young', { addresses: [service.address], access: files, clock: service.clock }, [LIMIT]));
    await linked(newcomer);
    await goesOn(newcomer);
    await goesOn(processor);
    expect(processor.connections).toBe(1);
    expect(processor.link.state.lastError).toBeUndefined();
  });

  it('at a processor are those that it comes back with when the former have ended', async () => {
    const processor = await linked(await service.processor('p'));
    const next = await service.authority.issue({ uris: ['spiffe://test/processor/p'], validMs: 2 * HOURS_MS });
    writeCertificates(service.folder, 'p', next, service.authority.certificate);
    service.clock.pass(HOURS_MS);
    await vi.waitFor(() => expect(processor.connections).toBe(2), SOON);
    expect(processor.link.state.lastError?.message).toMatch(
      /the credentials of spiffe:\/\/test\/processor\/p have ended; connect again with new ones \(UNAUTHENTICATED\)$/,
    );
    await goesOn(processor);
  });
});

describe('files that are wrong', () => {
  const paths = (): { certificate: string; key: string; authorities: string } => ({
    certificate: `${service.folder}/controller.crt`,
    key: `${service.folder}/controller.key`,
    authorities: `${service.folder}/controller.ca.crt`,
  });

  it.each<[string, (own: ReturnType<typeof paths>) => void, RegExp]>([
    ['no certificate', ({ certificate }) => writeFileSync(certificate, 'nothing'), /controller\.crt holds no certificate in PEM$/],
    ['no key', ({ key }) => writeFileSync(key, 'PLANTED'), /controller\.key holds no private key in PEM without a password$/],
    [
      'no authority',
      ({ authorities }) => writeFileSync(authorities, ''),
      /controller\.ca\.crt does not hold certificates in PEM, each beginning on a line of its own$/,
    ],
    [
      'two authorities on one line',
      ({ authorities }) => writeFileSync(authorities, service.authority.certificate.trim().repeat(2)),
      /controller\.ca\.crt does not hold/,
    ],
    [
      'an authority that is cut off',
      ({ authorities }) => writeFileSync(authorities, service.authority.certificate.slice(0, -60)),
      /controller\.ca\.crt does not hold/,
    ],
  ])('are told, and not used: %s', (_, spoil, message) => {
    spoil(paths());
    const opened = CertificateFiles.open(paths(), () => undefined);
    expect(opened).toEqual({ ok: false, error: expect.stringMatching(message) });
    expect(JSON.stringify(opened)).not.toContain('PLANTED');
  });

  it('are told where one is missing', () => {
    expect(CertificateFiles.open({ ...paths(), key: '/nowhere' }, () => undefined)).toEqual({ ok: false, error: '/nowhere cannot be read: ENOENT' });
  });

  it('leave what was good in use, and are told once', async () => {
    const faults: string[] = [];
    const files = service.keep(openFiles(paths(), (message) => faults.push(message)));
    const updates: (string | undefined)[] = [];
    files.addIdentityCertificateListener((update) => updates.push(update?.certificate.toString()));
    const other = await service.authority.issue({ dns: ['localhost'] });
    writeFileSync(paths().certificate, other.certificate);
    await vi.waitFor(
      () => expect(faults).toEqual([expect.stringMatching(/the key in .*controller\.key is not that of the certificate in .*controller\.crt$/)]),
      SOON,
    );
    const { taken, stream } = call(service, 'Hold', credentialsOf(await service.issue('p')));
    await taken;
    stream.cancel();
    writeFileSync(paths().key, other.key);
    await vi.waitFor(() => expect(updates).toHaveLength(2), SOON);
    expect(updates[1]).toBe(other.certificate);
    expect(faults).toHaveLength(1);
  });
});
