import { existsSync, readFileSync } from 'node:fs';
import { writeTrust } from '../../shell/trust/index.ts';
import type { Policies } from './feed.ts';

/** Where applications find whom to trust: the folder, and a file of authorities that are added to the mesh's. */
export interface TrustPlace {
  readonly folder: string;
  readonly othersFile?: string;
}

/** Writes whom applications are to trust, where policies say that calls are taken in. */
export function tellTrust(place: TrustPlace | undefined, { interception }: Policies, publicFile: string): void {
  if (place === undefined || interception === undefined) return;
  // Runtimes that are told of a file that is not there go on without it, and so do we.
  const others = place.othersFile !== undefined && existsSync(place.othersFile) ? readFileSync(place.othersFile, 'utf8') : '';
  writeTrust(place.folder, { publicFile, roots: interception.roots, others });
}
