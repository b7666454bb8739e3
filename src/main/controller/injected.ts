import { SIDECAR_PORTS } from '../../core/control/index.ts';
import type { Addition, Contributor } from '../../core/injection/index.ts';
import { interceptionAddition } from '../../core/interception/index.ts';
import { MESHES, asksProcessor, isLeftAlone, meshAddition } from '../../core/meshes/index.ts';
import type { MeshName, PodPorts } from '../../core/meshes/index.ts';

const HTTPS_PORT = 443;

/** What of the chart's settings this depends on. */
export interface BesideSettings {
  readonly imagePullPolicy: string;
  readonly interceptedPorts: readonly number[] | 'all';
  /** `host:port` */
  readonly controllers: readonly string[];
}

/**
 * What a pod gets besides its sidecar: the redirection, where it is to have one; and what its mesh needs, where there is a mesh.
 * A mesh's own Envoy governs what it carries, and ours what it leaves; where nothing is left to ours, it does not run.
 */
export const besideApplication =
  (settings: BesideSettings, name: MeshName | undefined): Contributor =>
  (pod, _settings, { intercept, baseUrls, image, authorities, mesh: isMeshWanted }) => {
    const { imagePullPolicy, interceptedPorts } = settings;
    const named = name === undefined ? undefined : MESHES[name];
    const mesh = named !== undefined && isMeshWanted && !isLeftAlone(named, pod) ? named : undefined;
    const redirection = (meshUser?: number): Addition =>
      intercept ? interceptionAddition({ image, imagePullPolicy, ports: interceptedPorts, authorities, ...(meshUser === undefined ? {} : { meshUser }) }) : {};
    if (mesh === undefined) return redirection();
    const hasEnvoy = intercept || baseUrls !== 'disabled' || !asksProcessor(mesh);
    const redirected = redirection(mesh.proxyUid);
    const beside = meshAddition(pod, { mesh, hasEnvoy, ports: portsOf(settings, hasEnvoy) });
    return {
      ...redirected,
      ...beside,
      privateVolumes: [...(redirected.privateVolumes ?? []), ...beside.privateVolumes],
      sidecar: { ...beside.sidecar, volumeMounts: [...(redirected.sidecar?.volumeMounts ?? []), ...beside.sidecar.volumeMounts] },
    };
  };

function portsOf({ controllers, interceptedPorts }: BesideSettings, hasEnvoy: boolean): PodPorts {
  const taken = hasEnvoy ? [HTTPS_PORT, ...(interceptedPorts === 'all' ? [] : interceptedPorts)] : [];
  // The processor asks controllers before the mesh's proxy runs, and in TLS that is none of the mesh's.
  const ofControllers = controllers.map((address) => Number(address.slice(address.lastIndexOf(':') + 1)));
  return { outbound: [...new Set([...taken, ...ofControllers])], inbound: [SIDECAR_PORTS.admin] };
}
