import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StoreUnreachable } from './store.ts';
import type { AuthorityStore, Kept } from './store.ts';

const NAME = /^authority-(\d{9})\.json$/;

const nameOf = (revision: number): string => `authority-${String(revision).padStart(9, '0')}.json`;

/**
 * Files in a folder that only their owner can read. Each state is a file with a number of its own, which exactly one writer can
 * make (`link` refuses a name that is there); the highest counts. The former ones are removed.
 */
export class FolderAuthorityStore implements AuthorityStore {
  readonly place: string;
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
    this.place = `folder ${folder}`;
  }

  async read(): Promise<Kept | undefined> {
    for (;;) {
      const newest = (await this.#revisions()).at(-1);
      if (newest === undefined) return undefined;
      try {
        return { text: await readFile(join(this.#folder, nameOf(newest)), 'utf8'), revision: String(newest) };
      } catch (error) {
        // Replaced since it was listed.
        if (codeOf(error) !== 'ENOENT') throw this.#unreachable(error);
      }
    }
  }

  async replace(expected: string | undefined, text: string): Promise<boolean> {
    const revision = Number(expected ?? '0') + 1;
    const written = join(this.#folder, `.new-${randomUUID()}`);
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      await writeDurably(written, text);
      await link(written, join(this.#folder, nameOf(revision)));
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false;
      throw this.#unreachable(error);
    } finally {
      await rm(written, { force: true });
    }
    const revisions = await this.#revisions();
    // Whoever was so late that the file with its number was removed again changed nothing.
    const isNewest = revisions.at(-1) === revision;
    const dead = isNewest ? revisions.slice(0, -1) : [revision];
    await Promise.all(dead.map((each) => rm(join(this.#folder, nameOf(each)), { force: true })));
    return isNewest;
  }

  async #revisions(): Promise<number[]> {
    try {
      const names = await readdir(this.#folder);
      return names
        .flatMap((name) => NAME.exec(name)?.[1] ?? [])
        .map(Number)
        .toSorted((one, other) => one - other);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return [];
      throw this.#unreachable(error);
    }
  }

  #unreachable(error: unknown): StoreUnreachable {
    return new StoreUnreachable(`${this.place}: ${codeOf(error) ?? 'unknown error'}`);
  }
}

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;
