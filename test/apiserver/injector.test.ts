/** The webhook as an API server asks it: registered by the rendered chart, in namespaces with Restricted Pod Security. */
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { injectPod } from '../../src/core/injection/index.ts';
import type { Contributor, InjectionSettings, Pod } from '../../src/core/injection/index.ts';
import { SETTINGS } from '../../src/core/injection/pods.test-support.ts';
import { interceptionAddition } from '../../src/core/interception/index.ts';
import { startWebhook } from '../../src/shell/injector/index.ts';
import type { RunningWebhook, WebhookEvent } from '../../src/shell/injector/index.ts';
import { connect } from '../support/apiserver/client.ts';
import type { Answer } from '../support/apiserver/client.ts';
import { manifests, placeOf } from '../support/apiserver/manifests.ts';
import { refusalOf } from '../support/apiserver/resources.ts';
import type { KubernetesObject } from '../support/apiserver/resources.ts';
import { TestAuthority } from '../support/certificates.ts';

const client = connect(inject('apiserver'));
const authority = await TestAuthority.create('injector');
const events: WebhookEvent[] = [];
let webhook: RunningWebhook;
let settings: InjectionSettings = SETTINGS;
const redirection: Contributor = (_pod, _settings, { intercept, image, authorities }) =>
  intercept ? interceptionAddition({ image, imagePullPolicy: 'IfNotPresent', ports: [], authorities }) : {};

interface Registered extends KubernetesObject {
  readonly webhooks: readonly { readonly clientConfig: { readonly service: { readonly path: string } }; readonly failurePolicy: string }[];
}

const applied = async (object: KubernetesObject): Promise<void> => {
  const answer = await client.send('PATCH', `${placeOf(object)}?fieldManager=tests&force=true`, { body: object, type: 'application/apply-patch+yaml' });
  expect(refusalOf(answer)).toBeUndefined();
};

const namespace = async (name: string, labels: Readonly<Record<string, string>> = {}): Promise<void> => {
  await applied({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } } as KubernetesObject);
  // What a controller manager would make: pods name it.
  await applied({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: name } });
};

beforeAll(async () => {
  webhook = await startWebhook({
    host: '127.0.0.1',
    port: 0,
    identity: await authority.issue({ ips: ['127.0.0.1'] }),
    inject: (pod, namespace) => injectPod(pod, namespace, settings, [redirection]),
    onEvent: (event) => events.push(event),
  });
  const registered = manifests().find(({ kind }) => kind === 'MutatingWebhookConfiguration') as Registered;
  // Its Service does not exist here; all else is as it ships.
  const webhooks = registered.webhooks.map(({ clientConfig, ...rest }) => ({
    ...rest,
    clientConfig: { url: `https://127.0.0.1:${webhook.port}${clientConfig.service.path}`, caBundle: Buffer.from(authority.certificate).toString('base64') },
  }));
  await applied({ ...registered, webhooks } as KubernetesObject);
  const restricted = { 'pod-security.kubernetes.io/enforce': 'restricted' };
  await namespace('injected', { 'airmesh.dev/inject': 'enabled', ...restricted });
  await namespace('plain', restricted);
  for (const profile of ['privileged', 'baseline', 'restricted'])
    await namespace(`redirected-${profile}`, { 'airmesh.dev/inject': 'enabled', 'pod-security.kubernetes.io/enforce': profile });
  await namespace('redirected-unsaid', { 'airmesh.dev/inject': 'enabled' });
  await namespace('airmesh-system', { 'airmesh.dev/inject': 'enabled' });
  // The API server hears of its own objects a moment later.
  await vi.waitUntil(async () => (await create('injected', {})).status === 201 && events.length > 0, { timeout: 40_000 });
}, 60_000);

afterAll(async () => {
  const registered = manifests().find(({ kind }) => kind === 'MutatingWebhookConfiguration');
  if (registered !== undefined) await client.send('DELETE', placeOf(registered));
  await webhook?.stop();
});

const SECURE = {
  securityContext: {
    allowPrivilegeEscalation: false,
    capabilities: { drop: ['ALL'] },
    runAsNonRoot: true,
    runAsUser: 1000,
    seccompProfile: { type: 'RuntimeDefault' },
  },
};

function create(where: string, metadata: object, spec: object = {}): Promise<Answer> {
  const body = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { generateName: 'checkout-', ...metadata },
    spec: { containers: [{ name: 'app', image: 'app:1', ...SECURE }], ...spec },
  };
  return client.send('POST', `/api/v1/namespaces/${where}/pods?dryRun=All`, { body });
}

const initContainersOf = ({ body }: Answer): readonly string[] => ((body as Pod).spec.initContainers ?? []).map(({ name }) => name);

describe('a pod', () => {
  it('of a labelled namespace gets its sidecar, and stays within Restricted Pod Security', async () => {
    const answer = await create('injected', {});
    expect(refusalOf(answer)).toBeUndefined();
    const { spec, metadata } = answer.body as Pod;
    const [sidecar] = spec.initContainers ?? [];
    expect(sidecar).toMatchObject({ name: 'airmesh-sidecar', restartPolicy: 'Always' });
    expect(metadata.labels).toMatchObject({ 'airmesh.dev/sidecar': '0.1.0' });
    expect(spec.containers[0]?.env).toContainEqual({ name: 'OPENAI_API_KEY', value: 'airmesh-injected' });
  });

  it('has the application’s token for the API server nowhere in its sidecar', async () => {
    const { spec } = (await create('injected', {})).body as Pod;
    const mountsOf = (name: string): readonly string[] =>
      [...(spec.initContainers ?? []), ...spec.containers].find((each) => each.name === name)?.volumeMounts?.map((mount) => mount.mountPath) ?? [];
    expect(mountsOf('app')).toEqual(['/var/run/secrets/kubernetes.io/serviceaccount']);
    const token = spec.volumes?.find(({ name }) => name.startsWith('kube-api-access'))?.name;
    expect(token).toBeDefined();
    expect(spec.initContainers?.[0]?.volumeMounts?.filter(({ name }) => name === token)).toEqual([]);
  });

  it.each<[what: string, where: string, metadata: object, sidecars: readonly string[]]>([
    ['that says no by a label', 'injected', { labels: { 'airmesh.dev/inject': 'disabled' } }, []],
    ['that says no by an annotation', 'injected', { annotations: { 'airmesh.dev/inject': 'disabled' } }, []],
    ['of another namespace', 'plain', {}, []],
    ['of another namespace that asks for it', 'plain', { labels: { 'airmesh.dev/inject': 'enabled' } }, ['airmesh-sidecar']],
    ['of the controller’s own namespace', 'airmesh-system', { labels: { 'airmesh.dev/inject': 'enabled' } }, []],
  ])('%s', async (_what, where, metadata, sidecars) => {
    const answer = await create(where, metadata);
    expect(refusalOf(answer)).toBeUndefined();
    expect(initContainersOf(answer)).toEqual(sidecars);
  });

  it('that has to be changed is refused in words for whoever creates it', async () => {
    const answer = await create('injected', { annotations: { 'airmesh.dev/sidecar-memory-limit': 'much' } });
    expect(answer.status).toBe(422);
    expect(refusalOf(answer)?.message).toContain('airmesh: annotation airmesh.dev/sidecar-memory-limit: "much" is not a memory quantity such as "512Mi"');
  });

  it('comes with warnings that kubectl shows', async () => {
    const { warnings } = await create('injected', { annotations: { 'airmesh.dev/sidecar-colour': 'blue' } });
    expect(warnings).toEqual([expect.stringContaining('airmesh.dev/sidecar-colour has no effect')]);
  });
});

describe('where connections are redirected', () => {
  beforeAll(() => {
    settings = { ...SETTINGS, intercept: true };
  });
  afterAll(() => {
    settings = SETTINGS;
  });

  it.each(['privileged', 'unsaid'])('a pod gets its init container where Pod Security is %s', async (profile) => {
    const answer = await create(`redirected-${profile}`, {});
    expect(refusalOf(answer)).toBeUndefined();
    expect(initContainersOf(answer)).toEqual(['airmesh-init', 'airmesh-sidecar']);
    expect(answer.warnings.filter((warning) => warning.startsWith('airmesh'))).toEqual([]);
  });

  it.each(['baseline', 'restricted'])('a pod is told base URLs where Pod Security is %s, rather than refused', async (profile) => {
    const answer = await create(`redirected-${profile}`, {});
    expect(refusalOf(answer)).toBeUndefined();
    expect(initContainersOf(answer)).toEqual(['airmesh-sidecar']);
    const { spec, metadata } = answer.body as Pod;
    expect(spec.containers[0]?.env).toContainEqual({ name: 'OPENAI_BASE_URL', value: 'http://127.0.0.1:15480/v1' });
    expect(metadata.annotations).toMatchObject({ 'airmesh.dev/not-intercepted': 'pod-security' });
    expect(answer.warnings).toEqual([expect.stringContaining('allows no NET_ADMIN')]);
    // Without that, it would be refused.
    const stubborn = await create(`redirected-${profile}`, { annotations: { 'airmesh.dev/intercept': 'enabled' } });
    expect(refusalOf(stubborn)?.message).toMatch(/violates PodSecurity.*airmesh-init.*NET_ADMIN/);
  });

  it('a pod that asks for a sidecar in a namespace that does not is told them as well', async () => {
    expect(initContainersOf(await create('plain', { labels: { 'airmesh.dev/inject': 'enabled' } }))).toEqual(['airmesh-sidecar']);
  });

  it.each([
    ['runAsGroup', { securityContext: { runAsGroup: 1533 } }],
    ['fsGroup', { securityContext: { fsGroup: 1533 } }],
    ['supplementalGroups', { securityContext: { supplementalGroups: [1533] } }],
  ])('a pod with the sidecar’s %s is refused', async (field, spec) => {
    expect(refusalOf(await create('redirected-unsaid', {}, spec))?.message).toContain(`${field} 1533 of the pod's securityContext is the sidecar's own`);
  });

  it('whoever creates a pod that could get around its sidecar is told', async () => {
    const powerful = { containers: [{ name: 'app', image: 'app:1', securityContext: { capabilities: { add: ['NET_ADMIN'] } } }] };
    const { warnings, status } = await create('redirected-privileged', {}, powerful);
    expect(status).toBe(201);
    expect(warnings).toEqual(['airmesh: container app has NET_ADMIN: it could get around its sidecar']);
  });
});

describe('without an injector', () => {
  beforeAll(() => webhook.stop());

  it('pods of labelled namespaces wait; those that say no, and all others, do not', async () => {
    expect(refusalOf(await create('injected', {}))?.message).toMatch(/failed calling webhook "confined\.namespace\.inject\.airmesh\.dev"/);
    expect((await create('injected', { labels: { 'airmesh.dev/inject': 'disabled' } })).status).toBe(201);
    expect((await create('plain', {})).status).toBe(201);
    expect((await create('plain', { labels: { 'airmesh.dev/inject': 'enabled' } })).status).toBe(201);
  });
});
