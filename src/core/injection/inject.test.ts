import { describe, expect, it } from 'vitest';
import { injectPod, patchOf } from './index.ts';
import type { Contributor, Pod } from './index.ts';
import { SETTINGS, podWith } from './pods.test-support.ts';

const inject = (pod: Pod, isLabelled = true): ReturnType<typeof injectPod> => injectPod(pod, isLabelled, SETTINGS);

function injected(pod: Pod, contributors: readonly Contributor[] = []): Pod {
  const verdict = injectPod(pod, true, SETTINGS, contributors);
  if (verdict.kind !== 'injected') throw new Error(JSON.stringify(verdict));
  return verdict.pod;
}

const key = 'airmesh.dev/inject';

describe('whom it is for', () => {
  it.each<[label: string | undefined, annotation: string | undefined, isNamespaceLabelled: boolean, kind: 'injected' | 'left' | 'refused']>([
    [undefined, undefined, true, 'injected'],
    [undefined, undefined, false, 'left'],
    ['enabled', undefined, false, 'injected'],
    ['disabled', undefined, true, 'left'],
    [undefined, 'disabled', true, 'left'],
    [undefined, 'enabled', true, 'injected'],
    ['enabled', 'enabled', true, 'injected'],
    ['enabled', 'disabled', true, 'refused'],
    ['true', undefined, true, 'refused'],
    [undefined, 'yes', true, 'refused'],
    [undefined, '', true, 'refused'],
  ])('label %j, annotation %j, namespace labelled %j: %s', (label, annotation, isNamespaceLabelled, kind) => {
    const metadata = {
      ...(label === undefined ? {} : { labels: { [key]: label } }),
      ...(annotation === undefined ? {} : { annotations: { [key]: annotation } }),
    };
    expect(inject(podWith({}, metadata), isNamespaceLabelled).kind).toBe(kind);
  });

  it.each([
    ['its node’s network', podWith({ hostNetwork: true })],
    ['Windows', podWith({ os: { name: 'windows' } })],
  ])('leaves a pod on %s, and says so', (what, pod) => {
    expect(inject(pod)).toMatchObject({ kind: 'left', warnings: [expect.stringContaining(what) as unknown] });
  });
});

describe('refuses', () => {
  const app = (container: object): Pod => podWith({ containers: [{ name: 'app', ...container }] });
  const annotated = (name: string, value: string): Pod => podWith({}, { annotations: { [`airmesh.dev/${name}`]: value } });
  it.each<[what: string, pod: Pod, words: string]>([
    ['a shared process namespace', podWith({ shareProcessNamespace: true }), 'shareProcessNamespace would let'],
    ['the node’s processes', podWith({ hostPID: true }), 'hostPID would let'],
    ['the sidecar’s user for the pod', podWith({ securityContext: { runAsUser: 1533 } }), 'user 1533'],
    ['the sidecar’s user for a container', app({ securityContext: { runAsUser: 1533 } }), 'container app runs as user 1533'],
    ['the state in the application', app({ volumeMounts: [{ name: 'airmesh-state', mountPath: '/x' }] }), 'mounts volume airmesh-state'],
    ['the token in the application', app({ volumeMounts: [{ name: 'airmesh-token', mountPath: '/x' }] }), 'mounts volume airmesh-token'],
    ['the state as a device', app({ volumeDevices: [{ name: 'airmesh-state', devicePath: '/x' }] }), 'mounts volume airmesh-state'],
    [
      'the token in an init container',
      podWith({ initContainers: [{ name: 'thief', volumeMounts: [{ name: 'airmesh-token', mountPath: '/x' }] }] }),
      'container thief mounts volume airmesh-token',
    ],
    [
      'another token for the controller',
      podWith({ volumes: [{ name: 'mine', projected: { sources: [{ serviceAccountToken: { audience: 'airmesh', path: 't' } }] } }] }),
      'volume mine holds a token',
    ],
    ['the sidecar’s port', app({ ports: [{ containerPort: 15480 }] }), 'container app uses port 15480'],
    ['an image that is none', annotated('sidecar-image', 'Not An Image'), 'airmesh.dev/sidecar-image: "Not An Image" is not'],
    ['a log level that is none', annotated('sidecar-log-level', 'loud'), '"loud" is not one of'],
    ['threads that are none', annotated('sidecar-concurrency', '0'), '"0" is not a number from 1 to 128'],
    ['CPU that is none', annotated('sidecar-cpu-limit', '-1'), '"-1" is not a CPU quantity'],
    ['memory that is none', annotated('sidecar-memory-limit', '128MB'), '"128MB" is not a memory quantity'],
    ['interception by another word', annotated('intercept', 'yes'), '"yes" is not "enabled" or "disabled"'],
    ['a switch that is none', annotated('base-urls', 'true'), '"true" is not "enabled"'],
    ['a request above its limit', annotated('sidecar-memory-request', '1Gi'), 'memory request of 1Gi is above its limit of 512Mi'],
  ])('%s', (_what, pod, words) => {
    expect(inject(pod)).toEqual({ kind: 'refused', problems: [expect.stringContaining(words)] });
  });

  it('with each thing that is wrong', () => {
    const pod = podWith({}, { annotations: { 'airmesh.dev/sidecar-cpu-limit': 'x', 'airmesh.dev/base-urls': 'x', 'airmesh.dev/inject': 'enabled' } });
    expect(inject(pod)).toMatchObject({ kind: 'refused', problems: [expect.anything() as unknown, expect.anything() as unknown] });
  });

  it('with no more of a value than finds it', () => {
    expect(JSON.stringify(inject(annotated('sidecar-image', `${'x'.repeat(10_000)} `)))).not.toContain('x'.repeat(61));
  });
});

describe('names that are the mesh’s', () => {
  it('do not stay somebody else’s', () => {
    const pod = injected(
      podWith({
        initContainers: [{ name: 'airmesh-sidecar', image: 'evil:1' }],
        containers: [{ name: 'app' }, { name: 'airmesh-init', image: 'evil:1' }],
        volumes: [{ name: 'airmesh-state', hostPath: { path: '/' } }],
      }),
    );
    expect(JSON.stringify(pod)).not.toMatch(/evil|hostPath/);
  });

  it('are no words of JavaScript’s', () => {
    const pod = podWith({}, { annotations: { 'airmesh.dev/constructor': 'x', 'airmesh.dev/__proto__': 'x' } });
    expect(inject(pod)).toMatchObject({
      kind: 'injected',
      warnings: [expect.stringContaining('constructor') as unknown, expect.stringContaining('__proto__') as unknown],
    });
  });
});

describe('another concern', () => {
  const redirect: Contributor = (pod) => ({
    initContainers: [{ name: 'airmesh-init', image: 'x' }],
    sharedVolumes: [{ name: 'airmesh-trust', emptyDir: {} }],
    privateVolumes: [{ name: 'airmesh-sockets', emptyDir: {} }],
    sidecar: { env: [{ name: 'A', value: '1' }], volumeMounts: [{ name: 'airmesh-trust', mountPath: '/trust' }], args: ['--intercept'] },
    application: () => ({
      env: [{ name: 'SSL_CERT_FILE', value: '/trust/ca.pem' }],
      volumeMounts: [{ name: 'airmesh-trust', mountPath: '/trust', readOnly: true }],
      warnings: [],
    }),
    warnings: [`it has ${pod.spec.containers.length}`],
  });

  it('has its part in each place, and comes before the sidecar', () => {
    const pod = injected(podWith({ initContainers: [{ name: 'own' }] }), [redirect]);
    expect(pod.spec.initContainers?.map(({ name }) => name)).toEqual(['airmesh-init', 'airmesh-sidecar', 'own']);
    expect(pod.spec.initContainers?.[1]).toMatchObject({
      args: ['sidecar', '--log-level', 'info', '--log-format', 'json', '--concurrency', '2', '--intercept'],
    });
    for (const container of [pod.spec.initContainers?.[2], pod.spec.containers[0]])
      expect(container?.volumeMounts).toEqual([{ name: 'airmesh-trust', mountPath: '/trust', readOnly: true }]);
    expect(injected(pod, [redirect])).toEqual(pod);
  });

  it('overwrites nothing that the application set', () => {
    const own = { name: 'app', env: [{ name: 'SSL_CERT_FILE', value: '/own.pem' }], volumeMounts: [{ name: 'own', mountPath: '/trust' }] };
    const [container] = injected(podWith({ containers: [own] }), [redirect]).spec.containers;
    expect(container?.volumeMounts).toEqual(own.volumeMounts);
    expect(container?.env?.filter(({ name }) => name === 'SSL_CERT_FILE')).toEqual(own.env);
  });

  it('has private volumes that are the sidecar’s alone', () => {
    const pod = podWith({ containers: [{ name: 'app', volumeMounts: [{ name: 'airmesh-sockets', mountPath: '/x' }] }] });
    expect(injectPod(pod, true, SETTINGS, [redirect]).kind).toBe('refused');
  });
});

describe('a patch', () => {
  it('of what is injected already is empty', () => {
    const pod = injected(podWith());
    expect(patchOf(pod, injected(pod))).toEqual([]);
  });

  it('dresses containers that another webhook put in meanwhile', () => {
    const pod = injected(podWith());
    const grown: Pod = { ...pod, spec: { ...pod.spec, containers: [...pod.spec.containers, { name: 'late' }] } };
    expect(patchOf(grown, injected(grown)).map(({ path }) => path)).toEqual(['/spec/containers']);
    expect(injected(grown).spec.containers[1]?.env?.length).toBe(4);
  });
});
