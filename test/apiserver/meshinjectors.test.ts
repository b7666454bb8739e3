/** Our webhook and a mesh's, asked by a real API server in either order; the mesh's is a stand-in for Istio's, and is called as Istio's is. */
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { injectPod } from '../../src/core/injection/index.ts';
import type { Container, Pod } from '../../src/core/injection/index.ts';
import { SETTINGS } from '../../src/core/injection/pods.test-support.ts';
import { besideApplication } from '../../src/main/controller/injected.ts';
import { startWebhook } from '../../src/shell/injector/index.ts';
import type { RunningWebhook } from '../../src/shell/injector/index.ts';
import { connect } from '../support/apiserver/client.ts';
import { manifests, placeOf } from '../support/apiserver/manifests.ts';
import { refusalOf } from '../support/apiserver/resources.ts';
import type { KubernetesObject } from '../support/apiserver/resources.ts';
import { TestAuthority } from '../support/certificates.ts';
import { istioInjector } from '../support/meshes/injectors.ts';
import type { Style } from '../support/meshes/injectors.ts';

const NAMESPACE = 'meshed';
const client = connect(inject('apiserver'));
const authority = await TestAuthority.create('injectors');
const beside = besideApplication({ imagePullPolicy: 'IfNotPresent', interceptedPorts: [], controllers: [...SETTINGS.controllers] }, 'istio');
const settings = { ...SETTINGS, intercept: true };
const running: RunningWebhook[] = [];
/** Who was asked, in turn. */
let asked: string[] = [];
let style: Style = 'native';

interface Registered extends KubernetesObject {
  readonly webhooks: readonly { readonly name: string; readonly clientConfig: { readonly service: { readonly path: string } } }[];
}
const ours = manifests().find(({ kind }) => kind === 'MutatingWebhookConfiguration') as Registered;

const applied = async (object: object): Promise<void> => {
  const path = `${placeOf(object as KubernetesObject)}?fieldManager=tests&force=true`;
  expect(refusalOf(await client.send('PATCH', path, { body: object, type: 'application/apply-patch+yaml' }))).toBeUndefined();
};

async function serve(injectInto: Parameters<typeof startWebhook>[0]['inject']): Promise<(path: string) => object> {
  const webhook = await startWebhook({
    host: '127.0.0.1',
    port: 0,
    identity: await authority.issue({ ips: ['127.0.0.1'] }),
    inject: injectInto,
    onEvent: () => undefined,
  });
  running.push(webhook);
  return (path) => ({ url: `https://127.0.0.1:${webhook.port}${path}`, caBundle: Buffer.from(authority.certificate).toString('base64') });
}

/** As Istio's chart has it, under a name of which the order depends. */
const istioRegistration = (name: string, reinvocationPolicy: string, clientConfig: object): object => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingWebhookConfiguration',
  metadata: { name },
  webhooks: [
    {
      name: 'namespace.sidecar-injector.istio.io',
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      failurePolicy: 'Fail',
      reinvocationPolicy,
      clientConfig,
      rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'], scope: 'Namespaced' }],
      namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': NAMESPACE } },
    },
  ],
});

async function created(): Promise<Pod> {
  asked = [];
  const body = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { generateName: 'checkout-' },
    spec: { initContainers: [{ name: 'own', image: 'own:1' }], containers: [{ name: 'app', image: 'app:1' }] },
  };
  const answer = await client.send('POST', `/api/v1/namespaces/${NAMESPACE}/pods?dryRun=All`, { body });
  expect(refusalOf(answer)).toBeUndefined();
  return answer.body as Pod;
}

const containersOf = ({ spec }: Pod): ReadonlyMap<string, Container> =>
  new Map([...(spec.initContainers ?? []), ...spec.containers].map((each) => [each.name, each]));
const argsOf = (container: Container | undefined): readonly string[] => (container?.['args'] ?? []) as readonly string[];
const airmeshMounts = (container: Container | undefined): readonly string[] =>
  (container?.volumeMounts ?? []).filter(({ name }) => name.startsWith('airmesh')).map(({ mountPath }) => mountPath);

beforeAll(async () => {
  await applied({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE, labels: { 'airmesh.dev/inject': 'enabled' } } });
  await applied({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: NAMESPACE } });
  const clientConfig = await serve((pod, isLabelled) => {
    asked.push('airmesh');
    return injectPod(pod, isLabelled, settings, [beside]);
  });
  await applied({ ...ours, webhooks: ours.webhooks.map((each) => ({ ...each, clientConfig: clientConfig(each.clientConfig.service.path) })) });
}, 60_000);

afterAll(async () => {
  await client.send('DELETE', placeOf(ours));
  for (const webhook of running) await webhook.stop();
});

describe.each([
  ['as both are named by their charts', 'istio-sidecar-injector', 'Never', ['airmesh', 'istio', 'airmesh']],
  ['where Istio’s wants to be asked again as well', 'istio-sidecar-injector', 'IfNeeded', ['airmesh', 'istio', 'airmesh', 'istio']],
  ['where Istio’s is asked first', 'a-sidecar-injector', 'Never', ['istio', 'airmesh', 'airmesh']],
  ['where Istio’s is asked first, and again', 'a-sidecar-injector', 'IfNeeded', ['istio', 'airmesh', 'istio', 'airmesh']],
] as const)('a pod, %s', (_what, name, reinvocation, order) => {
  const registration = (clientConfig: object): object => istioRegistration(name, reinvocation, clientConfig);

  beforeAll(async () => {
    const clientConfig = await serve((pod) => {
      asked.push('istio');
      return { kind: 'injected', pod: istioInjector(pod, style), warnings: [] };
    });
    await applied(registration(clientConfig('/inject/pod')));
    // The API server hears of its own objects a moment later.
    await vi.waitUntil(async () => (await created()) && asked.includes('istio') && asked.includes('airmesh'), { timeout: 20_000 });
  }, 30_000);

  afterAll(async () => {
    await client.send('DELETE', placeOf(registration({}) as KubernetesObject));
    await vi.waitUntil(async () => (await created()) && !asked.includes('istio'), { timeout: 20_000 });
  }, 30_000);

  it.each<Style>(['native', 'classic', 'cni'])('has all that both need (%s)', async (which) => {
    style = which;
    const pod = await created();
    expect(asked).toEqual(order);
    const containers = containersOf(pod);
    expect(airmeshMounts(containers.get('istio-proxy'))).toEqual(['/run/airmesh']);
    expect(containers.get('istio-proxy')?.env).toBeUndefined();
    expect(argsOf(containers.get('airmesh-sidecar')).slice(-2)).toEqual(['--mesh-listen', 'unix:/run/airmesh/processor.sock']);
    expect(argsOf(containers.get('airmesh-init')).slice(-4)).toEqual(['--ports', '443', '--except-mesh', '1337']);
    expect(airmeshMounts(containers.get('app'))).toEqual(['/etc/airmesh/trust']);
    expect(pod.metadata).toMatchObject({
      labels: { 'airmesh.dev/processor': 'enabled' },
      annotations: { 'traffic.sidecar.istio.io/excludeOutboundPorts': '443,15010', 'traffic.sidecar.istio.io/excludeInboundPorts': '15420' },
    });
    // What Istio's init container was told is what it read when it was asked.
    if (order[0] === 'airmesh' && which !== 'cni') expect(argsOf(containers.get('istio-init'))).toContain('443,15010');
    const names = [...containers.keys()];
    expect(names.indexOf('airmesh-sidecar')).toBeLessThan(names.indexOf('own'));
    if (which === 'native' && order.at(-1) === 'airmesh') expect(names.indexOf('istio-proxy')).toBeLessThan(names.indexOf('airmesh-sidecar'));
    if (order.at(-1) === 'airmesh') expect(containers.get('airmesh-sidecar')?.['startupProbe']).toMatchObject({ httpGet: { port: 15_420 } });
  });
});
