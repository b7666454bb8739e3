import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { writeTrust } from '../../shell/trust/index.ts';
import type { Policies } from './feed.ts';

/** Where applications find whom to trust: the folder, and authorities that are added to the mesh's: a file, or each file of a folder. */
export interface TrustPlace {
  readonly folder: string;
  readonly others?: string;
}

/** Whom applications are to trust, written where policies say that calls are taken in. */
export class ToldTrust {
  readonly #place: TrustPlace | undefined;
  readonly #publicFile: string;
  /** What the files were made from last: making them takes longer than reading that. */
  #from: readonly string[] | undefined;

  /** `place` absent: there is nobody to tell. */
  constructor(place: TrustPlace | undefined, publicFile: string) {
    this.#place = place;
    this.#publicFile = publicFile;
  }

  /** Whether it has changed. Throws what the file system does. */
  tell({ interception }: Policies): boolean {
    if (this.#place === undefined || interception === undefined) return false;
    const { folder, others: path } = this.#place;
    const { roots } = interception;
    const others = path === undefined ? '' : read(path);
    const from = [roots, others, markOf(this.#publicFile)];
    if (this.#from?.every((part, index) => part === from[index]) === true) return false;
    const hasChanged = writeTrust(folder, { publicFile: this.#publicFile, roots, others });
    this.#from = from;
    return hasChanged;
  }
}

/** Changes with a file that is written anew. */
function markOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? '' : `${found.ino} ${found.size} ${found.mtimeMs}`;
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
