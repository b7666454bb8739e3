/** The mesh's authority in a Secret: one, whoever makes it, and it says so when it is damaged. */
import { CoreV1Api, KubeConfig } from '@kubernetes/client-node';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { AUTHORITIES, Authority, SecretAuthorityStore } from '../../src/shell/certs/index.ts';
import { connect } from '../support/apiserver/client.ts';
import { makeNamespace } from '../support/apiserver/resources.ts';

const access = inject('apiserver');
const NAMESPACE = 'authority';
const NAME = 'airmesh-interception';
const config = new KubeConfig();
config.loadFromFile(access.kubeconfig);
const api = config.makeApiClient(CoreV1Api);

const open = (name = NAME): ReturnType<typeof Authority.open> =>
  Authority.open({ store: new SecretAuthorityStore(api, { namespace: NAMESPACE, name }), terms: AUTHORITIES.interception(), now: () => Date.now() });

beforeAll(async () => {
  await makeNamespace(connect(access), NAMESPACE);
});

describe('an authority in a Secret', () => {
  it('is one for all controllers that start at once, and for those that come later', async () => {
    const opened = await Promise.all(Array.from({ length: 6 }, () => open()));
    const bundles = [...opened, await open()].map((each) => (each.ok ? each.value.bundle() : each.error));
    expect(new Set(bundles).size).toBe(1);
    expect(bundles[0]).toContain('BEGIN CERTIFICATE');
    const secret = await api.readNamespacedSecret({ namespace: NAMESPACE, name: NAME });
    expect(secret.metadata?.resourceVersion).toBeDefined();
    expect(Object.keys(secret.data ?? {})).toEqual(['authority.json']);
  });

  it('is put back when the Secret is removed from under a controller that runs', async () => {
    const opened = await open();
    if (!opened.ok) throw new Error(opened.error.reason);
    const before = opened.value.bundle();
    await api.deleteNamespacedSecret({ namespace: NAMESPACE, name: NAME });
    expect(await opened.value.tend()).toMatchObject({ ok: true });
    expect(await open()).toMatchObject({ ok: true });
    const again = await open();
    expect(again.ok && again.value.bundle()).toBe(before);
  });

  it('is refused where the Secret is something else, which stays as it is', async () => {
    const metadata = { namespace: NAMESPACE, name: 'other', labels: { team: 'shop' } };
    await api.createNamespacedSecret({ namespace: NAMESPACE, body: { metadata, stringData: { password: 'planted-secret' } } });
    const opened = await open('other');
    expect(opened).toEqual({ ok: false, error: { where: `Secret ${NAMESPACE}/other`, reason: 'it is no JSON object' } });
    const kept = await api.readNamespacedSecret({ namespace: NAMESPACE, name: 'other' });
    expect(Buffer.from(kept.data?.['password'] ?? '', 'base64').toString()).toBe('planted-secret');
  });

  it('that cannot be reached says so, and quotes nothing', async () => {
    const opened = await open('Not A Name');
    expect(opened.ok ? '' : opened.error.reason).toMatch(/the API server (?:did not answer|answered \d+)$/);
  });
});
