import { INJECT_LABEL, SIDECAR_PORTS, TOKEN_AUDIENCE } from '../control/index.ts';
import { borrowedIds } from './boundary.ts';
import type { Container, Pod } from './pod.ts';

export type Wish =
  | { readonly kind: 'wanted' }
  | { readonly kind: 'unwanted'; readonly reason: string }
  | { readonly kind: 'unclear'; readonly problem: string };

/** Whether a pod is to have a sidecar: by its annotation or label, else by its namespace's label. */
export function wishOf({ metadata }: Pod, isNamespaceLabelled: boolean): Wish {
  const said = [
    ['label', metadata.labels?.[INJECT_LABEL]],
    ['annotation', metadata.annotations?.[INJECT_LABEL]],
  ].filter((each): each is [string, string] => each[1] !== undefined);
  for (const [where, value] of said)
    if (value !== 'enabled' && value !== 'disabled')
      return { kind: 'unclear', problem: `${where} ${INJECT_LABEL}: ${JSON.stringify(value.slice(0, 60))} is not "enabled" or "disabled"` };
  const words = new Set(said.map(([, value]) => value));
  if (words.size > 1) return { kind: 'unclear', problem: `label and annotation ${INJECT_LABEL} contradict each other; keep one` };
  const [word] = words;
  if (word === 'disabled') return { kind: 'unwanted', reason: `${INJECT_LABEL} is "disabled" on the pod` };
  return word === 'enabled' || isNamespaceLabelled
    ? { kind: 'wanted' }
    : { kind: 'unwanted', reason: `${INJECT_LABEL} is "enabled" neither on the pod nor on its namespace` };
}

/** Why a pod cannot have a sidecar, though that is no mistake of anybody's. */
export function impossibility({ spec }: Pod): string | undefined {
  if (spec.hostNetwork === true) return 'it is on its node’s network, where a sidecar’s ports and redirections would be everybody’s';
  if (spec.os?.name === 'windows') return 'it runs on Windows';
  return undefined;
}

/** What in an application would make its sidecar no boundary, or keep it from starting. `application` is its containers, init containers included. */
export function conflicts(pod: Pod, application: readonly Container[], privateVolumes: readonly string[]): readonly string[] {
  const { spec } = pod;
  return [
    ...(spec.shareProcessNamespace === true || spec.hostPID === true
      ? [`${spec.hostPID === true ? 'hostPID' : 'shareProcessNamespace'} would let the application look into the sidecar's memory, where keys are`]
      : []),
    ...borrowedIds(pod, application),
    ...application.flatMap((container) => conflictsOf(container, privateVolumes)),
    ...(spec.volumes ?? [])
      .filter(({ projected }) => projected?.sources?.some(({ serviceAccountToken }) => serviceAccountToken?.audience === TOKEN_AUDIENCE) === true)
      .map(({ name }) => `volume ${name} holds a token for the audience ${JSON.stringify(TOKEN_AUDIENCE)}, by which it could pose as the sidecar`),
  ];
}

function conflictsOf({ name, volumeMounts = [], volumeDevices = [], ports = [] }: Container, privateVolumes: readonly string[]): string[] {
  const own: readonly number[] = Object.values(SIDECAR_PORTS);
  return [
    ...[...volumeMounts, ...volumeDevices]
      .filter((mount) => privateVolumes.includes(mount.name))
      .map((mount) => `container ${name} mounts volume ${mount.name}, which is the sidecar's alone`),
    ...ports
      .filter(({ containerPort }) => own.includes(containerPort))
      .map(({ containerPort }) => `container ${name} uses port ${containerPort}, which is the sidecar's; choose another`),
  ];
}
