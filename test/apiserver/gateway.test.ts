/** Whose a token is that a gateway is shown as an API key, by a real API server's word. */
import { KubeConfig } from '@kubernetes/client-node';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { GATEWAY_AUDIENCE, TOKEN_AUDIENCE } from '../../src/core/control/index.ts';
import { reviewerOf } from '../../src/main/gateway/reviewer.ts';
import { ApiServer } from '../../src/shell/kube/apiserver.ts';
import { connect } from '../support/apiserver/client.ts';
import { makeNamespace } from '../support/apiserver/resources.ts';

const access = inject('apiserver');
const client = connect(access);
const NAMESPACE = 'gateway';
const at = `/api/v1/namespaces/${NAMESPACE}`;
const clock = { epochMs: () => Date.now(), monotonicMs: () => performance.now() };
const config = new KubeConfig();
config.loadFromFile(access.kubeconfig);
let uid = '';

const tokenFor = async (audience: string, isBound = true): Promise<string> => {
  const spec = {
    audiences: [audience],
    expirationSeconds: 600,
    ...(isBound ? { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'checkout-0', uid } } : {}),
  };
  const answer = await client.send('POST', `${at}/serviceaccounts/checkout/token`, {
    body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec },
  });
  return (answer.body as { status: { token: string } }).status.token;
};

beforeAll(async () => {
  await makeNamespace(client, NAMESPACE);
  await client.send('POST', `${at}/serviceaccounts`, { body: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'checkout' } } });
  const owner = { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'checkout', uid: 'a', controller: true };
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'checkout-0', labels: { tier: 'gold' }, ownerReferences: [owner] },
    spec: { serviceAccountName: 'checkout', containers: [{ name: 'app', image: 'app' }] },
  };
  uid = ((await client.send('POST', `${at}/pods`, { body: pod })).body as { metadata: { uid: string } }).metadata.uid;
});

describe('a token shown to a gateway', () => {
  const reviewer = reviewerOf(new ApiServer(config), clock);

  it('names its pod’s workload, service account and labels', async () => {
    expect(await reviewer.review(await tokenFor(GATEWAY_AUDIENCE))).toMatchObject({
      ok: true,
      value: { workload: { namespace: NAMESPACE, name: 'checkout', serviceAccount: 'checkout', labels: { tier: 'gold' } } },
    });
  });

  it.each([
    ['for another audience', () => tokenFor('https://kubernetes.default.svc')],
    ['for controllers, with which its holder could ask for keys', () => tokenFor(TOKEN_AUDIENCE)],
    ['bound to no pod', () => tokenFor(GATEWAY_AUDIENCE, false)],
    ['that nobody signed', () => Promise.resolve('e30.e30.sig')],
    ['that is another’s API key', () => Promise.resolve('sk-proj-0123456789abcdefghij')],
  ])('%s is refused, and quoted nowhere', async (_name, make) => {
    const token = await make();
    const reviewed = await reviewer.review(token);
    expect(reviewed.ok).toBe(false);
    expect(JSON.stringify(reviewed)).not.toContain(token);
  });

  it('ends with its pod', async () => {
    const token = await tokenFor(GATEWAY_AUDIENCE);
    expect(await reviewer.review(token)).toMatchObject({ ok: true });
    await client.send('DELETE', `${at}/pods/checkout-0?gracePeriodSeconds=0`);
    // A gateway that was just started has nothing kept.
    expect(await reviewerOf(new ApiServer(config), clock).review(token)).toMatchObject({ ok: false });
  });
});
