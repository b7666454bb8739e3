import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The version in package.json, which lies above the sources and above what is built from them. */
export const VERSION: string = readVersion();

function readVersion(): string {
  for (const up of ['../..', '../../..']) {
    try {
      const { name, version } = JSON.parse(readFileSync(join(import.meta.dirname, up, 'package.json'), 'utf8')) as { name?: string; version?: string };
      if (name === 'airmesh' && version !== undefined) return version;
    } catch {
      // Not here; one folder up, then.
    }
  }
  throw new Error('package.json of airmesh was not found beside its sources');
}
