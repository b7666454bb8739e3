import { err, ok } from '../units/index.ts';
import type { Result } from '../units/index.ts';
import { MESH_SOCKET, asksProcessor } from './mesh.ts';
import type { Mesh, PodPorts } from './mesh.ts';

type Words = Readonly<Record<string, string>>;

/**
 * What a pod is to say to its mesh's injector, besides what it says there already: ports join those that it lists, the mount
 * those that it has. Doing it again changes nothing. The error is a sentence about an annotation that cannot be joined.
 */
export function podAnnotations(mesh: Mesh, { outbound, inbound }: PodPorts, present: Words): Result<Words, string> {
  const { outboundPorts, inboundPorts, mount } = mesh.words;
  const added: Record<string, string> = {
    [outboundPorts]: joined(present[outboundPorts], outbound.map(String)),
    [inboundPorts]: joined(present[inboundPorts], inbound.map(String)),
  };
  if (mount === undefined || !asksProcessor(mesh)) return ok(added);
  const { annotation, kind } = mount;
  if (kind === 'list') return ok({ ...added, [annotation]: joined(present[annotation], [MESH_SOCKET.volume]) });
  const mounts = withMount(present[annotation]);
  return mounts === undefined
    ? err(`annotation ${annotation} is no JSON array or object, so the processor's volume cannot be added to it`)
    : ok({ ...added, [annotation]: mounts });
}

function joined(present: string | undefined, more: readonly string[]): string {
  const there = (present ?? '').split(',').map((each) => each.trim());
  return [...new Set([...there, ...more])].filter((each) => each !== '').join(',');
}

/** Istio takes an array of mounts, or an object of them by their volumes' names. `undefined`: it is neither. */
function withMount(present: string | undefined): string | undefined {
  const mount = { name: MESH_SOCKET.volume, mountPath: MESH_SOCKET.folder };
  let mounts: unknown = [];
  try {
    if (present !== undefined && present.trim() !== '') mounts = JSON.parse(present);
  } catch {
    return undefined;
  }
  if (Array.isArray(mounts)) return JSON.stringify([...mounts.filter((each: unknown) => !isOurs(each)), mount]);
  if (typeof mounts !== 'object' || mounts === null) return undefined;
  return JSON.stringify({ ...mounts, [mount.name]: { mountPath: mount.mountPath } });
}

const isOurs = (mount: unknown): boolean => typeof mount === 'object' && mount !== null && 'name' in mount && mount.name === MESH_SOCKET.volume;
