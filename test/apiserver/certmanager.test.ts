/** The controllers' certificate as cert-manager makes it: what is asked of it, and that a new one drops no stream. */
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import type { RunningController } from '../../src/main/controller/controller.ts';
import { PolicyLink } from '../../src/shell/distribution/index.ts';
import { Roots, TokenFile } from '../../src/shell/wire/index.ts';
import { installCertificates } from '../support/apiserver/cert-manager.ts';
import { connect } from '../support/apiserver/client.ts';
import { controllerToken, grant, readinessOf, startControllerFor } from '../support/apiserver/controllers.ts';
import { ROOT, makePod, tokenFor } from '../support/apiserver/governed.ts';
import { apply, documentsOf, install, makeNamespace } from '../support/apiserver/resources.ts';
import { TestAuthority } from '../support/certificates.ts';

const access = inject('apiserver');
const client = connect(access);
const NS = 'certificates';
const WITHIN = { timeout: 40_000, interval: 50 };
const folder = mkdtempSync(join(tmpdir(), 'airmesh-certificates-'));
const mounted = join(folder, 'mounted');
const clock = { epochMs: () => Date.now(), monotonicMs: () => performance.now() };
const NAMES = [...['airmesh', 'airmesh-controllers'].map((name) => `${name}.${ROOT}.svc`), 'localhost'];
const rendered = documentsOf('test/golden/chart/certificate.yaml');

let states = 0;
/** As a kubelet has a Secret mounted: all files change by one link. */
function mount(files: Readonly<Record<string, string>>): void {
  const state = `..state-${++states}`;
  mkdirSync(join(mounted, state), { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(mounted, state, name), text, { mode: 0o600 });
  symlinkSync(state, join(mounted, '..next'));
  renameSync(join(mounted, '..next'), join(mounted, '..data'));
}

async function issue(authority: TestAuthority, roots = authority.certificate): Promise<string> {
  const { certificate, key } = await authority.issue({ dns: NAMES });
  mount({ 'tls.crt': certificate, 'tls.key': key, 'ca.crt': roots });
  return serialOf(certificate);
}

/** By its text, without white space. */
const serialOf = (pem: string): string => pem.replaceAll(/-----[^-]+-----|\s/g, '');

/** What a new connection is shown, and whether it is believed by these roots. */
function shown(controller: RunningController, roots: string): Promise<string> {
  const port = Number(controller.address.split(':').at(-1));
  return new Promise((resolve, reject) => {
    const socket = connectTls({ host: '127.0.0.1', port, servername: `airmesh-controllers.${ROOT}.svc`, ca: roots, ALPNProtocols: ['h2'] }, () => {
      resolve(socket.getPeerCertificate().raw.toString('base64'));
      socket.destroy();
    });
    socket.once('error', reject);
  });
}

beforeAll(async () => {
  await install(client);
  await installCertificates(client);
  for (const name of [ROOT, NS]) await makeNamespace(client, name);
  await grant(client);
  await apply(client, {
    apiVersion: 'airmesh.dev/v1alpha1',
    kind: 'AIProvider',
    metadata: { name: 'relay', namespace: NS },
    spec: { type: 'OpenAICompatible', baseUrl: 'https://relay.example/v1', models: [{ name: 'house' }] },
  });
});

afterAll(() => rmSync(folder, { recursive: true }));

describe('the chart', () => {
  const certificate = rendered.find(({ kind }) => kind === 'Certificate');
  const path = `/apis/cert-manager.io/v1/namespaces/${ROOT}/certificates?dryRun=All&fieldValidation=Strict`;

  it('asks for a certificate in cert-manager’s words', async () => {
    expect((await client.send('POST', path, { body: certificate })).status).toBe(201);
    const { status, body } = await client.send('POST', path, { body: { ...certificate, spec: { ...(certificate?.spec as object), dnsName: ['a'] } } });
    expect([status, JSON.stringify(body)]).toEqual([400, expect.stringContaining('unknown field \\"spec.dnsName\\"')]);
  });

  it('for the names by which controllers are reached, and has its authority put into the webhook', () => {
    expect(certificate?.spec).toMatchObject({ secretName: 'airmesh-tls', dnsNames: expect.arrayContaining(NAMES.slice(0, 2)) });
    const webhook = rendered.find(({ kind }) => kind === 'MutatingWebhookConfiguration');
    expect(webhook?.metadata).toMatchObject({ annotations: { 'cert-manager.io/inject-ca-from': `${ROOT}/${certificate?.metadata.name}` } });
    const deployment = JSON.stringify(rendered.find(({ kind }) => kind === 'Deployment'));
    expect(deployment).toContain('"secretName":"airmesh-tls"');
    expect(deployment).toContain('--tls-folder=/etc/airmesh-tls');
  });

  it('takes the rights away that are not needed then', () => {
    const rules = JSON.stringify(rendered.filter(({ kind }) => kind === 'Role' || kind === 'ClusterRole'));
    expect(rules).toContain('"verbs":["get"]');
    expect(rules).not.toContain('authorities-control-plane');
  });
});

describe('a controller', () => {
  it(
    'shows each newer certificate to new connections, drops no stream, and tells sidecars of newer authorities before they need them',
    { timeout: 120_000 },
    async () => {
      const [first, second] = [await TestAuthority.create('first'), await TestAuthority.create('second')];
      let log = '';
      const before = await issue(first);
      const controller = await startControllerFor(access, await controllerToken(client), {
        kubeconfig: join(folder, 'kubeconfig'),
        write: (line) => void (log += line),
        scope: { lease: 'certificates', tlsFolder: mounted },
      });
      const pod = await makePod(client, NS, 'checkout-0');
      writeFileSync(join(folder, 'token'), await tokenFor(client, pod), { mode: 0o600 });
      const token = new TokenFile(join(folder, 'token'), 50);
      const roots = new Roots(first.certificate);
      let told = '';
      let connected = 0;
      const link = new PolicyLink({
        addresses: [`localhost:${controller.address.split(':').at(-1)}`],
        access: { roots, token },
        clock,
        report: () => ({ program: '0.1.0', keys: [], ownKeysFor: [] }),
        onConnected: () => void connected++,
        onAnswer: (answer) => {
          if (answer.kind === 'state') roots.pem = told = answer.state.controllerRoots ?? told;
        },
      });
      try {
        await vi.waitUntil(() => connected === 1, WITHIN);
        expect(await shown(controller, first.certificate)).toBe(before);

        const renewed = await issue(first);
        await expect.poll(() => shown(controller, first.certificate), WITHIN).toBe(renewed);

        // Of another authority, while the former is still believed.
        const both = `${second.certificate}\n${first.certificate}\n`;
        const next = await issue(second, both);
        await expect.poll(() => shown(controller, both), WITHIN).toBe(next);
        await vi.waitUntil(() => told.includes(second.certificate.trim()), WITHIN);
        await expect(shown(controller, first.certificate)).rejects.toThrow();
        expect(await shown(controller, told)).toBe(next);

        // What cannot be used is said, and the last that could stays.
        mount({ 'tls.crt': first.certificate, 'tls.key': 'none', 'ca.crt': first.certificate });
        await vi.waitUntil(() => log.includes('certificate.failed'), WITHIN);
        expect(await shown(controller, both)).toBe(next);

        expect(connected).toBe(1);
        expect((await readinessOf(controller)).ready).toBe(true);
        expect(log).not.toContain('PRIVATE');
      } finally {
        link.close();
        token.close();
        await controller.stop();
      }
    },
  );
});
