import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { trustedCaFile } from '../../shell/envoy/index.ts';
import { envoyHeapBytes } from './memory.ts';
import type { MeshPlace } from './settings.ts';

/** Makes a folder for sockets, which goes with the process; Envoy's files are in the state folder. */
export const openPlace = (stateDir: string, environment: NodeJS.ProcessEnv): MeshPlace => ({
  envoyFolder: join(stateDir, 'envoy'),
  socketFolder: mkdtempSync(join(tmpdir(), 'airmesh-')),
  trustedCaFile: trustedCaFile(environment),
  maxHeapBytes: envoyHeapBytes(environment),
});
