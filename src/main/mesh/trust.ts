import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { writeTrust } from '../../shell/trust/index.ts';
import type { Policies } from './feed.ts';

/** Where applications find whom to trust: the folder, and authorities that are added to the mesh's: a file, or each file of a folder. */
export interface TrustPlace {
  readonly folder: string;
  readonly others?: string;
}

/** Writes whom applications are to trust, where policies say that calls are taken in. Returns whether that has changed. */
export function tellTrust(place: TrustPlace | undefined, { interception }: Policies, publicFile: string): boolean {
  if (place === undefined || interception === undefined) return false;
  return writeTrust(place.folder, { publicFile, roots: interception.roots, others: place.others === undefined ? '' : read(place.others) });
}

/** Runtimes that are told of a file that is not there go on without it, and so do we. */
function read(path: string): string {
  if (!existsSync(path)) return '';
  if (!statSync(path).isDirectory()) return readFileSync(path, 'utf8');
  // Kubelets keep what they mount in hidden folders, and show it by links.
  const names = readdirSync(path).filter((name) => !name.startsWith('.'));
  return names
    .toSorted()
    .map((name) => read(join(path, name)))
    .join('\n');
}
