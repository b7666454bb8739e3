import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { parse } from 'yaml';

const run = promisify(execFile);

/** What is had where the machine has none; `build.sh` builds the same. */
const KUBERNETES_VERSION = '1.34.4';

const NAMES = ['etcd', 'kube-apiserver'] as const;

export type ApiServerBinaries = Readonly<Record<(typeof NAMES)[number], string>>;

/** A cluster's scripts may lie beside the checkout, or beside the folder of its worktrees. */
const SIBLINGS = ['../../../../shared/cluster', '../../../../../shared/cluster'].map((path) => fileURLToPath(new URL(path, import.meta.url)));

/** From cold, on two cores; what is fetched takes a minute. */
const LONGEST_BUILD_MS = 30 * 60_000;

/** An etcd and a kube-apiserver to run: the user's own (`KUBEBUILDER_ASSETS`), else those in the cache, else what can be had, in this order. */
export async function ensureBinaries(environment: NodeJS.ProcessEnv, onStep: (message: string) => void): Promise<ApiServerBinaries> {
  const named = environment['KUBEBUILDER_ASSETS'];
  if (named !== undefined && named !== '') {
    if (!isComplete(named))
      throw new Error(`KUBEBUILDER_ASSETS names ${named}, which lacks ${NAMES.filter((name) => !existsSync(join(named, name))).join(' and ')}`);
    return binariesIn(named);
  }
  const cache = join(environment['XDG_CACHE_HOME'] ?? join(environment['HOME'] ?? homedir(), '.cache'), 'airmesh');
  const kept = join(cache, `kubernetes-${KUBERNETES_VERSION}`);
  if (isComplete(kept)) return binariesIn(kept);
  mkdirSync(cache, { recursive: true });
  const tried: string[] = [];
  for (const [name, install] of [
    ['the cluster scripts beside this checkout', fromSibling],
    ['the official test binaries', fromRelease],
    ['Go modules', fromModules],
  ] as const) {
    const folder = mkdtempSync(`${kept}.new-`);
    try {
      onStep(`kube-apiserver and etcd from ${name} …`);
      await install(folder);
      rmSync(kept, { recursive: true, force: true });
      renameSync(folder, kept);
      return binariesIn(kept);
    } catch (error) {
      tried.push(`${name}: ${error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : String(error)}`);
      rmSync(folder, { recursive: true, force: true });
    }
  }
  throw new Error(`no kube-apiserver and etcd could be had (${tried.join('; ')}). Name a folder that holds them with KUBEBUILDER_ASSETS`);
}

const isComplete = (folder: string): boolean => NAMES.every((name) => existsSync(join(folder, name)));

const binariesIn = (folder: string): ApiServerBinaries => ({ etcd: join(folder, 'etcd'), 'kube-apiserver': join(folder, 'kube-apiserver') });

/** Asked to have its binaries ready, it says where they are; links to them are enough. */
async function fromSibling(folder: string): Promise<void> {
  const scripts = SIBLINGS.find((path) => existsSync(join(path, 'up')) && existsSync(join(path, 'env')));
  if (scripts === undefined) throw new Error('there are none');
  await run(join(scripts, 'up'), ['--binaries'], { timeout: LONGEST_BUILD_MS });
  const { stdout } = await run(join(scripts, 'env'), [], { timeout: 10_000 });
  const place = /\bKUBEBUILDER_ASSETS=(\S+)/.exec(stdout)?.[1];
  if (place === undefined || !isComplete(place)) throw new Error('they have no kube-apiserver and etcd');
  for (const name of NAMES) symlinkSync(join(place, name), join(folder, name));
}

const RELEASES = 'https://raw.githubusercontent.com/kubernetes-sigs/controller-tools/HEAD/envtest-releases.yaml';
const ARCHITECTURE: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64' };

interface Releases {
  readonly releases: Readonly<Record<string, Readonly<Record<string, { readonly hash: string; readonly selfLink: string }>>>>;
}

/** The archives that controller-runtime's envtest uses, of the same minor version, checked against the SHA-512 in their index. */
async function fromRelease(folder: string): Promise<void> {
  const index = await fetch(RELEASES, { signal: AbortSignal.timeout(5000) });
  if (!index.ok) throw new Error(`their index answered ${index.status}`);
  const { releases } = parse(await index.text()) as Releases;
  const minor = KUBERNETES_VERSION.split('.').slice(0, 2).join('.');
  const platform = `${process.platform}-${ARCHITECTURE[process.arch] ?? process.arch}`;
  const release = Object.entries(releases)
    .filter(([version]) => version.startsWith(`v${minor}.`))
    .map(([version, files]) => files[`envtest-${version}-${platform}.tar.gz`])
    .findLast((file) => file !== undefined);
  if (release === undefined) throw new Error(`there are none of Kubernetes ${minor} for ${platform}`);
  const answer = await fetch(release.selfLink, { signal: AbortSignal.timeout(300_000) });
  if (!answer.ok) throw new Error(`the download answered ${answer.status}`);
  const archive = Buffer.from(await answer.arrayBuffer());
  if (createHash('sha512').update(archive).digest('hex') !== release.hash) throw new Error('the download does not match its checksum');
  const file = join(folder, 'envtest.tar.gz');
  writeFileSync(file, archive);
  await run('tar', ['-xzf', file, '-C', folder, '--strip-components=2', ...NAMES.map((name) => `controller-tools/envtest/${name}`)], { timeout: 60_000 });
  rmSync(file);
  for (const name of NAMES) chmodSync(join(folder, name), 0o755);
}

async function fromModules(folder: string): Promise<void> {
  await run(fileURLToPath(new URL('build.sh', import.meta.url)), [folder, KUBERNETES_VERSION], { timeout: LONGEST_BUILD_MS, maxBuffer: 16 * 1024 * 1024 });
  if (!isComplete(folder)) throw new Error('the build left nothing');
}
