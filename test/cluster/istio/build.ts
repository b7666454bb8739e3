import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ensureEnvoy } from '../../../src/shell/envoy/index.ts';
import { imageMaker } from '../images.ts';

const run = promisify(execFile);

/** Istio as its Go module has it; it calls itself 1.31. */
const MODULE = 'istio.io/istio';
const REVISION = 'v0.0.0-20260827124520-eed52ebb66ad';
const VERSION = '1.31';
const PROGRAMS = ['pilot-discovery', 'pilot-agent'] as const;

/** Where its charts find its images: `HUB/pilot:TAG`, `HUB/proxyv2:TAG`. */
export const IMAGES = { hub: 'airmesh-test-istio', tag: VERSION } as const;

/** A cold build takes seven minutes on two processors, and its download what the network takes. */
const BUILD_MS = 1_800_000;
const DOWNLOAD_MS = 300_000;

/** The module's source, in which its charts are. */
export async function sourceFolder(): Promise<string> {
  const { stdout } = await run('go', ['mod', 'download', '-json', `${MODULE}@${REVISION}`], { cwd: '/', timeout: DOWNLOAD_MS });
  return (JSON.parse(stdout) as { readonly Dir: string }).Dir;
}

/** Its control plane and agent: what was built before, else built here. */
async function ensurePrograms(environment: NodeJS.ProcessEnv, onStep: (message: string) => void): Promise<string> {
  const cache = environment['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const folder = join(cache, 'airmesh', `istio-${REVISION}`);
  if (PROGRAMS.every((program) => existsSync(join(folder, program)))) return folder;
  onStep(`building Istio ${VERSION}, once; it takes some minutes`);
  const unfinished = `${folder}.${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  try {
    const packages = PROGRAMS.map((program) => `${MODULE}/pilot/cmd/${program}@${REVISION}`);
    await run('go', ['install', '-ldflags=-s -w', ...packages], { cwd: '/', env: { ...environment, CGO_ENABLED: '0', GOBIN: unfinished }, timeout: BUILD_MS });
    rmSync(folder, { recursive: true, force: true });
    renameSync(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return folder;
}

/**
 * Makes Istio's two images, as its own Dockerfiles do, but for Envoy: that is everybody's, as Istio's own build of it is in no
 * package registry. With `AIRMESH_TEST_IMAGES=present` they are there already: of test/cluster/istio/Dockerfile, or Istio's own.
 */
export async function ensureIstioImages(environment: NodeJS.ProcessEnv, onStep: (message: string) => void): Promise<void> {
  if (environment['AIRMESH_TEST_IMAGES'] === 'present') return;
  const image = imageMaker(onStep);
  if (image === undefined)
    throw new Error(`Build ${IMAGES.hub}/pilot:${IMAGES.tag} and ${IMAGES.hub}/proxyv2:${IMAGES.tag} (test/cluster/istio/Dockerfile), and load them.`);
  const [programs, source, envoy] = [await ensurePrograms(environment, onStep), await sourceFolder(), await ensureEnvoy({ environment, onStep })];
  const program = (name: (typeof PROGRAMS)[number]): string[] => {
    const path = `/usr/local/bin/${name}`;
    return ['--copy', `${join(programs, name)}:${path}`, '--entrypoint', JSON.stringify([path])];
  };
  const bootstrap = `${join(source, 'tools/packaging/common/envoy_bootstrap.json')}:/var/lib/istio/envoy/envoy_bootstrap_tmpl.json`;
  await image(`${IMAGES.hub}/pilot:${IMAGES.tag}`, ...program('pilot-discovery'), '--user', '1337:1337');
  await image(`${IMAGES.hub}/proxyv2:${IMAGES.tag}`, ...program('pilot-agent'), '--envoy', envoy.path, '--copy', bootstrap);
}
