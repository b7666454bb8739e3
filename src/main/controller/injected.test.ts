import { describe, expect, it } from 'vitest';
import { injectorOf, istioInjector } from '../../../test/support/meshes/injectors.ts';
import type { Style } from '../../../test/support/meshes/injectors.ts';
import { injectPod, patchOf } from '../../core/injection/index.ts';
import type { Container, InjectionSettings, Pod, Verdict } from '../../core/injection/index.ts';
import { LABELLED, SETTINGS, podWith } from '../../core/injection/pods.test-support.ts';
import { MESHES } from '../../core/meshes/index.ts';
import type { MeshName } from '../../core/meshes/index.ts';
import { besideApplication } from './injected.ts';

interface Wishes extends Partial<Pick<InjectionSettings, 'intercept' | 'baseUrls'>> {
  readonly mesh?: MeshName;
  readonly interceptedPorts?: readonly number[];
}

function verdictOn(pod: Pod, { mesh, interceptedPorts = [], ...settings }: Wishes): Verdict {
  const beside = { imagePullPolicy: 'IfNotPresent', interceptedPorts, controllers: ['airmesh-controllers.airmesh-system.svc:15010'] };
  return injectPod(pod, LABELLED, { ...SETTINGS, ...settings }, [besideApplication(beside, mesh)]);
}

function injected(pod: Pod, wishes: Wishes): Pod {
  const verdict = verdictOn(pod, wishes);
  if (verdict.kind !== 'injected') throw new Error(JSON.stringify(verdict));
  return verdict.pod;
}

const named = ({ spec }: Pod, name: string): Container | undefined => [...(spec.initContainers ?? []), ...spec.containers].find((each) => each.name === name);
const argsOf = (pod: Pod, name: string): string => ((named(pod, name)?.['args'] ?? []) as readonly string[]).join(' ');
const order = ({ spec }: Pod): string => (spec.initContainers ?? []).map(({ name }) => name).join(' ');
const annotation = (pod: Pod, words: keyof (typeof MESHES)['istio']['words'] & `${'in' | 'out'}boundPorts`, mesh: MeshName): string | undefined =>
  pod.metadata.annotations?.[MESHES[mesh].words[words]];

const SOCKET = 'unix:/run/airmesh/processor.sock';
const [SIDECAR, PROCESSOR] = ['sidecar --log-level info --log-format json --concurrency 2', 'processor --log-level info --log-format json'];

describe('who runs where', () => {
  it.each<[what: string, wishes: Wishes, runs: string, init: string, outbound: string | undefined]>([
    ['no mesh', {}, SIDECAR, '', undefined],
    ['no mesh, redirected', { intercept: true, interceptedPorts: [8000] }, SIDECAR, '--ports 80,443,8000', undefined],
    ['Istio alone', { mesh: 'istio' }, `${PROCESSOR} --listen ${SOCKET} --any-user`, '', '15010'],
    [
      'Istio, HTTPS ours',
      { mesh: 'istio', intercept: true },
      `${SIDECAR} --mesh-listen ${SOCKET}`,
      '--reached 15420 --ports 443 --except-mesh 1337',
      '443,15010',
    ],
    [
      'Istio, more of it ours',
      { mesh: 'istio', intercept: true, interceptedPorts: [8443] },
      `${SIDECAR} --mesh-listen ${SOCKET}`,
      '--reached 15420 --ports 443,8443 --except-mesh 1337',
      '443,8443,15010',
    ],
    ['Istio, called by a base URL as well', { mesh: 'istio', baseUrls: true }, `${SIDECAR} --mesh-listen ${SOCKET}`, '', '443,15010'],
    ['Kuma alone', { mesh: 'kuma' }, `${PROCESSOR} --listen ${SOCKET} --any-user`, '', '15010'],
    [
      'Kuma, HTTPS ours',
      { mesh: 'kuma', intercept: true },
      `${SIDECAR} --mesh-listen ${SOCKET}`,
      '--reached 15420 --ports 443 --except-mesh 5678',
      '443,15010',
    ],
    ['Consul', { mesh: 'consul' }, SIDECAR, '', '443,15010'],
    [
      'Consul, redirected',
      { mesh: 'consul', intercept: true, interceptedPorts: [8000] },
      SIDECAR,
      '--reached 15420 --ports 443,8000 --except-mesh 5995',
      '443,8000,15010',
    ],
    ['Linkerd', { mesh: 'linkerd' }, SIDECAR, '', '443,15010'],
    ['Linkerd, redirected', { mesh: 'linkerd', intercept: true }, SIDECAR, '--reached 15420 --ports 443 --except-mesh 2102', '443,15010'],
  ])('%s', (_what, wishes, runs, init, outbound) => {
    const pod = injected(podWith(), wishes);
    expect(argsOf(pod, 'airmesh-sidecar')).toBe(runs);
    expect(argsOf(pod, 'airmesh-init').replace('init --to-port 15401 --except 1533 ', '')).toBe(init);
    expect(annotation(pod, 'outboundPorts', wishes.mesh ?? 'istio')).toBe(outbound);
    expect(annotation(pod, 'inboundPorts', wishes.mesh ?? 'istio')).toBe(outbound === undefined ? undefined : '15420');
    const isAsked = runs.includes(SOCKET);
    expect(pod.metadata.labels?.['airmesh.dev/processor']).toBe(isAsked ? 'enabled' : undefined);
    expect(named(pod, 'airmesh-sidecar')?.volumeMounts?.some(({ mountPath }) => mountPath === '/run/airmesh')).toBe(isAsked);
    expect(named(pod, 'app')?.volumeMounts?.some(({ name }) => name === 'airmesh-processor') ?? false).toBe(false);
  });

  it.each<[what: string, metadata: Pod['metadata'], mesh: MeshName]>([
    ['by its label', { labels: { 'sidecar.istio.io/inject': 'false' } }, 'istio'],
    ['by its annotation', { annotations: { 'sidecar.istio.io/inject': 'false' } }, 'istio'],
    ['of Kuma’s', { labels: { 'kuma.io/sidecar-injection': 'disabled' } }, 'kuma'],
    ['of Consul’s', { annotations: { 'consul.hashicorp.com/connect-inject': 'false' } }, 'consul'],
    ['of Linkerd’s', { annotations: { 'linkerd.io/inject': 'disabled' } }, 'linkerd'],
    ['by a word to us', { annotations: { 'airmesh.dev/mesh': 'disabled' } }, 'istio'],
  ])('a pod that its mesh leaves alone is all ours: %s', (_what, metadata, mesh) => {
    const pod = injected(podWith({}, metadata), { mesh, intercept: true });
    const without = injected(podWith({}, metadata), { intercept: true });
    expect(pod).toEqual(without);
    expect(argsOf(pod, 'airmesh-init')).toContain('--ports 80,443');
  });
});

describe('refuses beside a mesh', () => {
  const istio: Wishes = { mesh: 'istio', intercept: true };
  it.each<[what: string, pod: Pod, wishes: Wishes, words: string]>([
    [
      'the socket in the application',
      podWith({ containers: [{ name: 'app', volumeMounts: [{ name: 'airmesh-processor', mountPath: '/x' }] }] }),
      istio,
      'mounts volume airmesh-processor',
    ],
    [
      'the state in the mesh’s proxy',
      podWith({ containers: [{ name: 'istio-proxy', volumeMounts: [{ name: 'airmesh-state', mountPath: '/x' }] }] }),
      istio,
      'container istio-proxy mounts volume airmesh-state',
    ],
    [
      'the socket in what redirects',
      podWith({ initContainers: [{ name: 'istio-init', volumeMounts: [{ name: 'airmesh-processor', mountPath: '/x' }] }] }),
      istio,
      'container istio-init mounts',
    ],
    [
      'the mesh’s user, whose connections nobody takes',
      podWith({ containers: [{ name: 'app', securityContext: { runAsUser: 1337 } }] }),
      istio,
      "which is that of Istio's proxy",
    ],
    ['that user for the pod', podWith({ securityContext: { runAsUser: 1337 } }), istio, "user 1337 of the pod's securityContext"],
    ['mounts that cannot be read', podWith({}, { annotations: { 'sidecar.istio.io/userVolumeMount': 'x' } }), istio, 'no JSON array or object'],
    ['a word that is none', podWith({}, { annotations: { 'airmesh.dev/mesh': 'no' } }), istio, '"no" is not "enabled" or "disabled"'],
  ])('%s', (_what, pod, wishes, words) => {
    expect(verdictOn(pod, wishes)).toMatchObject({ kind: 'refused', problems: [expect.stringContaining(words)] });
  });
});

const INJECTORS: Readonly<Record<MeshName, (pod: Pod, style: Style) => Pod>> = {
  istio: istioInjector,
  kuma: injectorOf('kuma-sidecar', 'kuma-init', 5678),
  consul: injectorOf('consul-dataplane', 'consul-connect-inject-init', 5995),
  linkerd: injectorOf('linkerd-proxy', 'linkerd-init', 2102),
};
const COMBINATIONS = (Object.keys(INJECTORS) as MeshName[]).flatMap((mesh) =>
  (['native', 'classic', ...(mesh === 'istio' ? ['cni' as const] : [])] as const).flatMap((style) =>
    [true, false].map((intercept) => ({ mesh, style, intercept })),
  ),
);

describe.each(COMBINATIONS)('with the injector of $mesh ($style), redirected: $intercept', ({ mesh, style, intercept }) => {
  const wishes: Wishes = { mesh, intercept };
  const ours = (pod: Pod): Pod => injected(pod, wishes);
  const theirs = (pod: Pod): Pod => INJECTORS[mesh](pod, style);
  const application = podWith({ initContainers: [{ name: 'own', image: 'own:1' }] });
  const { proxy } = MESHES[mesh].containers;
  /** As API servers ask: ours again, after theirs changed the pod. */
  const first = ours(theirs(ours(application)));
  const second = ours(theirs(application));

  it.each([
    ['ours first', first],
    ['theirs first', second],
  ])('%s: the proxy has the socket and nothing else of ours, and ours start in time', (_which, pod) => {
    const container = named(pod, proxy);
    expect(container?.env).toBeUndefined();
    const isAsked = mesh === 'istio' || mesh === 'kuma';
    expect(container?.volumeMounts?.filter(({ name }) => name.startsWith('airmesh')) ?? []).toEqual(
      isAsked ? [{ name: 'airmesh-processor', mountPath: '/run/airmesh' }] : [],
    );
    // A probe that is the agent's would wait for a proxy that starts later.
    expect(named(pod, 'airmesh-sidecar')?.['startupProbe']).toMatchObject({ httpGet: { path: '/readyz', port: 15_420 } });
    const names = order(pod).split(' ');
    if (style === 'native') expect(names.indexOf('airmesh-sidecar')).toBeGreaterThan(names.indexOf(proxy));
    if (style === 'cni') expect(names[0]).toBe('istio-validation');
    if (style === 'classic') expect(names.at(-1)).not.toBe('airmesh-sidecar');
    expect(names.indexOf('own')).toBeGreaterThan(names.indexOf('airmesh-sidecar'));
    expect(pod.spec.volumes?.filter(({ name }) => name === 'airmesh-processor').length).toBe(isAsked ? 1 : 0);
  });

  it('nothing changes when it is asked again, whoever is', () => {
    for (const pod of [first, second]) {
      expect(patchOf(pod, ours(pod))).toEqual([]);
      expect(ours(theirs(pod))).toEqual(ours(theirs(ours(theirs(pod)))));
    }
  });

  it('the application has its trust and its placeholder, and no more', () => {
    for (const pod of [first, second])
      expect(
        named(pod, 'app')
          ?.env?.map(({ name }) => name)
          .includes('SSL_CERT_FILE'),
      ).toBe(intercept);
  });
});

it('tells Istio in time what is not its own, where ours comes first', () => {
  const pod = istioInjector(injected(podWith(), { mesh: 'istio', intercept: true }), 'classic');
  expect(argsOf(pod, 'istio-init')).toBe('istio-iptables -u 1337 -o 443,15010 -d 15090,15021,15020,15420');
});
