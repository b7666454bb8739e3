import { cutsStreams, headersReadBy } from '../../core/call/index.ts';
import { PLACEHOLDER_KEY } from '../../core/control/index.ts';
import { MESH_SOCKET, usesOf } from '../../core/meshes/index.ts';
import type { MeshInput } from '../../core/meshes/index.ts';
import type { WorkloadSnapshot } from '../../core/policy/index.ts';
import { MAX_REQUEST_BYTES, MESSAGE_TIMEOUT_MS } from './settings.ts';

/** What meshes' own Envoys are told for these workloads, as `envoySettings` is what ours are. */
export const meshInputOf = (snapshots: readonly WorkloadSnapshot[]): MeshInput => ({
  uses: usesOf(snapshots, cutsStreams),
  settings: {
    processorSocket: MESH_SOCKET.file,
    headersRead: headersReadBy(snapshots),
    placeholderKey: PLACEHOLDER_KEY,
    maxRequestBytes: MAX_REQUEST_BYTES,
    messageTimeoutMs: MESSAGE_TIMEOUT_MS,
  },
});
