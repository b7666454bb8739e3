import { podAnnotations } from './annotations.ts';
import { MESH_LABEL, MESH_SOCKET, asksProcessor } from './mesh.ts';
import type { Mesh, PodPorts } from './mesh.ts';

type Words = Readonly<Record<string, string>>;
// Types rather than interfaces: injection's have room for fields that it does not read.
type Mount = { readonly name: string; readonly mountPath: string };
type Volume = { readonly name: string; readonly emptyDir: { readonly medium: string; readonly sizeLimit: string } };

/** A pod, as far as it is read. */
interface Described {
  readonly metadata: { readonly labels?: Words; readonly annotations?: Words };
}

export interface MeshAdditionSettings {
  readonly mesh: Mesh;
  readonly ports: PodPorts;
  /** Whether our own Envoy runs in the pod as well. */
  readonly hasEnvoy: boolean;
}

/** What a mesh adds to a pod, in the shape of injection's additions. */
export interface MeshAddition {
  readonly labels: Words;
  readonly annotations: Words;
  readonly privateVolumes: readonly Volume[];
  readonly sidecar: { readonly command?: 'processor'; readonly args: readonly string[]; readonly volumeMounts: readonly Mount[] };
  readonly others: readonly { readonly name: string; readonly volumeMounts: readonly Mount[] }[];
  readonly after: readonly string[];
  readonly reservedUsers: readonly { readonly uid: number; readonly whose: string }[];
  readonly problems: readonly string[];
}

/** Sockets take no room. */
const VOLUME_SIZE = '1Mi';

/** Whether a pod says of itself that this mesh has no part in it. */
export function isLeftAlone({ words: { leftAlone } }: Mesh, { metadata: { labels = {}, annotations = {} } }: Described): boolean {
  return [labels, annotations].some((words) => Object.hasOwn(words, leftAlone.key) && words[leftAlone.key] === leftAlone.value);
}

/**
 * The processor for the mesh's proxy, and what the mesh's injector and redirection are to be told. Its containers are not the
 * application's. Where the mesh's injector came first, its proxy is given the socket's volume here, and otherwise by the mesh.
 */
export function meshAddition({ metadata }: Described, { mesh, ports, hasEnvoy }: MeshAdditionSettings): MeshAddition {
  const { containers, title, proxyUid } = mesh;
  const asks = asksProcessor(mesh);
  const annotations = podAnnotations(mesh, ports, metadata.annotations ?? {});
  const mount: Mount = { name: MESH_SOCKET.volume, mountPath: MESH_SOCKET.folder };
  const socket = `unix:${MESH_SOCKET.file}`;
  return {
    labels: asks ? { [MESH_LABEL]: 'enabled' } : {},
    annotations: annotations.ok ? annotations.value : {},
    privateVolumes: asks ? [{ name: MESH_SOCKET.volume, emptyDir: { medium: 'Memory', sizeLimit: VOLUME_SIZE } }] : [],
    sidecar: {
      ...(asks && !hasEnvoy ? { command: 'processor' } : {}),
      args: asks ? (hasEnvoy ? ['--mesh-listen', socket] : ['--listen', socket, '--any-user']) : [],
      volumeMounts: asks ? [mount] : [],
    },
    others: [
      { name: containers.proxy, volumeMounts: asks ? [mount] : [] },
      ...[...containers.first, ...containers.others].map((name) => ({ name, volumeMounts: [] })),
    ],
    after: [containers.proxy, ...containers.first],
    reservedUsers: hasEnvoy ? [{ uid: proxyUid, whose: `that of ${title}'s proxy, whose connections are not redirected` }] : [],
    problems: annotations.ok ? [] : [annotations.error],
  };
}
