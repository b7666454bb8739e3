import type { TestProject } from 'vitest/node';
import { ensureBinaries } from '../support/apiserver/binaries.ts';
import { startApiServer } from '../support/apiserver/server.ts';
import type { ApiServerAccess } from '../support/apiserver/server.ts';

declare module 'vitest' {
  interface ProvidedContext {
    readonly apiserver: ApiServerAccess;
  }
}

/** One API server for all files of this project. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const binaries = await ensureBinaries(process.env, (message) => process.stderr.write(`${message}\n`));
  const { stop, ...access } = await startApiServer(binaries);
  project.provide('apiserver', access);
  return stop;
}
