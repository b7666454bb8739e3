import { join } from 'node:path';
import { trustedCaFile } from '../../shell/envoy/index.ts';
import { envoyHeapBytes } from './memory.ts';
import type { MeshPlace } from './settings.ts';

/** Envoy's files are in the state folder. The folder for sockets is of whoever has that one, and opened then. */
export const placeOf = (stateDir: string, environment: NodeJS.ProcessEnv): MeshPlace => ({
  envoyFolder: join(stateDir, 'envoy'),
  socketFolder: '',
  trustedCaFile: trustedCaFile(environment),
  maxHeapBytes: envoyHeapBytes(environment),
});
