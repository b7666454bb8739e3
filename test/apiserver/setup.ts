import type { TestProject } from 'vitest/node';
import { ensureBinaries } from '../support/apiserver/binaries.ts';
import type { ApiServerBinaries } from '../support/apiserver/binaries.ts';
import { startApiServer } from '../support/apiserver/server.ts';
import type { ApiServerAccess } from '../support/apiserver/server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    readonly apiserver: ApiServerAccess;
    /** For tests that kill one of their own. */
    readonly binaries: ApiServerBinaries;
  }
}

/** One API server for all files of this project. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const binaries = await ensureBinaries(process.env, (message) => process.stderr.write(`${message}\n`));
  const { stop, halt: _own, restart: _too, store: _inside, ...access } = await startApiServer(binaries);
  project.provide('apiserver', access);
  project.provide('binaries', binaries);
  return stop;
}
