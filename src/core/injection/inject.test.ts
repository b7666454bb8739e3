import { describe, expect, it } from 'vitest';
import { injectPod, patchOf } from './index.ts';
import type { Contributor, Pod, SecurityContext } from './index.ts';
import { LABELLED, SETTINGS, podWith } from './pods.test-support.ts';

const inject = (pod: Pod, isLabelled = true): ReturnType<typeof injectPod> => injectPod(pod, { ...LABELLED, isLabelled }, SETTINGS);

function injected(pod: Pod, contributors: readonly Contributor[] = []): Pod {
  const verdict = injectPod(pod, LABELLED, SETTINGS, contributors);
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
    ['the sidecar’s user for the pod', podWith({ securityContext: { runAsUser: 1533 } }), 'runAsUser 1533 of the pod'],
    ['the sidecar’s user for a container', app({ securityContext: { runAsUser: 1533 } }), 'container app has runAsUser 1533'],
    ['the sidecar’s group for the pod', podWith({ securityContext: { runAsGroup: 1533 } }), 'runAsGroup 1533 of the pod'],
    ['the sidecar’s group for a container', app({ securityContext: { runAsGroup: 1533 } }), 'container app has runAsGroup 1533'],
    ['the sidecar’s group for files', podWith({ securityContext: { fsGroup: 1533 } }), 'fsGroup 1533 of the pod'],
    ['the sidecar’s group beside others', podWith({ securityContext: { supplementalGroups: [7, 1533] } }), 'supplementalGroups 1533 of the pod'],
    [
      'the sidecar’s user for an init container',
      podWith({ initContainers: [{ name: 'thief', securityContext: { runAsUser: 1533 } }] }),
      'container thief has runAsUser 1533',
    ],
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
    ['authorities that are none', annotated('authorities', 'a/b'), '"a/b" is not the name of a ConfigMap'],
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

describe('a container that could get around its sidecar', () => {
  const intercepting = { ...SETTINGS, intercept: true };
  const warningsOf = (pod: Pod, settings = intercepting): readonly string[] => {
    const verdict = injectPod(pod, LABELLED, settings);
    if (verdict.kind !== 'injected') throw new Error(JSON.stringify(verdict));
    return verdict.warnings;
  };
  const app = (securityContext: SecurityContext, spec: Partial<Pod['spec']> = {}): Pod => podWith({ ...spec, containers: [{ name: 'app', securityContext }] });
  it.each<[what: string, pod: Pod, words: string]>([
    ['privileged', app({ privileged: true }), 'app is privileged'],
    ['a capability', app({ capabilities: { add: ['NET_ADMIN', 'CHOWN'] } }), 'app has NET_ADMIN'],
    ['a capability by its long name', app({ capabilities: { drop: ['ALL'], add: ['CAP_SETUID'] } }), 'app has SETUID'],
    ['root', app({ runAsUser: 0 }), 'app runs as root'],
    ['root by its pod', app({}, { securityContext: { runAsUser: 0 } }), 'app runs as root'],
    ['an init container', podWith({ initContainers: [{ name: 'first', securityContext: { privileged: true } }] }), 'first is privileged'],
  ])('is told of: %s', (_what, pod, words) => {
    expect(warningsOf(pod)).toEqual([expect.stringContaining(words)]);
    expect(warningsOf(pod, SETTINGS)).toEqual([]);
  });

  it.each<[what: string, pod: Pod]>([
    ['another user', app({ runAsUser: 1000 }, { securityContext: { runAsUser: 0 } })],
    ['root without capabilities', app({ runAsUser: 0, capabilities: { drop: ['ALL'] } })],
    ['a harmless capability', app({ capabilities: { add: ['NET_BIND_SERVICE'] } })],
  ])('is not: %s', (_what, pod) => expect(warningsOf(pod)).toEqual([]));
});

describe('where Pod Security allows no redirection', () => {
  const redirect: Contributor = (_pod, _settings, { intercept }) => (intercept ? { initContainers: [{ name: 'airmesh-init', image: 'x' }] } : {});
  const take = (pod: Pod, allowsNetAdmin = false, settings: object = {}): { readonly pod: Pod; readonly warnings: readonly string[] } => {
    const verdict = injectPod(pod, { isLabelled: true, allowsNetAdmin }, { ...SETTINGS, intercept: true, ...settings }, [redirect]);
    if (verdict.kind !== 'injected') throw new Error(JSON.stringify(verdict));
    return verdict;
  };
  const initContainersOf = ({ spec }: Pod): readonly string[] => (spec.initContainers ?? []).map(({ name }) => name);
  const envOf = ({ spec }: Pod): readonly string[] => (spec.containers[0]?.env ?? []).map(({ name }) => name);
  const annotated = (annotations: Readonly<Record<string, string>>): Pod => podWith({}, { annotations });

  it('base URLs are told instead, and it is said', () => {
    const { pod, warnings } = take(podWith());
    expect(initContainersOf(pod)).toEqual(['airmesh-sidecar']);
    expect(envOf(pod)).toContain('OPENAI_BASE_URL');
    expect(pod.metadata.annotations).toEqual({ 'airmesh.dev/not-intercepted': 'pod-security' });
    expect(warnings).toEqual([expect.stringContaining('allows no NET_ADMIN')]);
    expect(take(pod)).toMatchObject({ pod, warnings });
    expect(warnings.every((warning) => warning.length <= 256)).toBe(true);
  });

  it('nothing else is told where it does', () => {
    const { pod, warnings } = take(podWith(), true);
    expect(initContainersOf(pod)).toEqual(['airmesh-init', 'airmesh-sidecar']);
    expect(envOf(pod)).not.toContain('OPENAI_BASE_URL');
    expect(pod.metadata.annotations).toBeUndefined();
    expect(warnings).toEqual([]);
    // Whoever copies a pod into another namespace copies what was said of it.
    expect(take(annotated({ 'airmesh.dev/not-intercepted': 'pod-security' }), true).pod.metadata.annotations).toEqual({});
  });

  it.each<[what: string, annotations: Readonly<Record<string, string>>, init: readonly string[], hasUrl: boolean, count: number]>([
    ['that asks for it all the same', { 'airmesh.dev/intercept': 'enabled' }, ['airmesh-init', 'airmesh-sidecar'], false, 0],
    ['that wants none', { 'airmesh.dev/intercept': 'disabled' }, ['airmesh-sidecar'], false, 0],
    ['that wants no base URL either', { 'airmesh.dev/base-urls': 'disabled' }, ['airmesh-sidecar'], false, 1],
    ['that wants base URLs anyway', { 'airmesh.dev/base-urls': 'forced' }, ['airmesh-sidecar'], true, 1],
  ])('a pod %s', (_what, annotations, init, hasUrl, count) => {
    const { pod, warnings } = take(annotated(annotations));
    expect(initContainersOf(pod)).toEqual(init);
    expect(envOf(pod).includes('OPENAI_BASE_URL')).toBe(hasUrl);
    expect(warnings).toHaveLength(count);
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
    expect(injectPod(pod, LABELLED, SETTINGS, [redirect]).kind).toBe('refused');
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
