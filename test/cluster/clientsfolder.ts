import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, realpathSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const fromRoot = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const program = (name: string): string => fromRoot(`test/support/interception/programs/${name}`);

const PYTHON_PACKAGES = ['openai', 'anthropic', 'google-genai', 'requests'];
/** Of Python's own library, what no client needs. */
const LEFT_OUT = /\/(?:site-packages|test|tests|idlelib|turtledemo|ensurepip|tkinter|_tkinter[^/]*|__pycache__|config-[^/]*|lib2to3)$/;
/** The C library and what belongs to it are the image's own. */
const OF_THE_BASE = /\/(?:libc|libm|libdl|libpthread|librt|libutil|libresolv)\.so/;
const MAKING_MS = 280_000;

/**
 * Clients in several languages, each with its runtime, for an image that has none: what test/cluster/clients/Dockerfile puts
 * in /clients. Made once, and kept beside other downloads.
 */
export async function clientsFolder(onStep: (message: string) => void): Promise<string> {
  const folder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'airmesh', `test-clients-${edition()}`);
  if (existsSync(folder)) return folder;
  const fresh = `${folder}.${process.pid}`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  onStep('making clients in Node, Python, Go and Java, once');
  try {
    await Promise.all([node(fresh), python(fresh), go(fresh), java(fresh), wget(fresh)]);
    await libraries(fresh);
    await run('chmod', ['-R', 'a+rX', fresh]);
    renameSync(fresh, folder);
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
  return folder;
}

/** By what it is made of. */
function edition(): string {
  const hash = createHash('sha256').update(nodePackages().join());
  for (const file of [fileURLToPath(import.meta.url), program('client.go'), program('Client.java')]) hash.update(readFileSync(file));
  return hash.digest('hex').slice(0, 12);
}

/** Of the versions that the other tests have. */
function nodePackages(): readonly string[] {
  const { devDependencies } = JSON.parse(readFileSync(fromRoot('package.json'), 'utf8')) as { readonly devDependencies: Readonly<Record<string, string>> };
  return ['openai', '@anthropic-ai/sdk', '@google/genai'].map((name) => `${name}@${devDependencies[name]}`);
}

async function node(folder: string): Promise<void> {
  await run('npm', ['install', '--silent', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix', folder, ...nodePackages()], { timeout: MAKING_MS });
}

async function python(folder: string): Promise<void> {
  const asked = 'import sys, sysconfig; print(sys.base_prefix, sysconfig.get_path("stdlib"), sys._base_executable, sep="\\n")';
  const [prefix = '', library = '', binary = ''] = (await run('python3', ['-c', asked])).stdout.trim().split('\n');
  const home = join(folder, 'python');
  mkdirSync(join(home, 'bin'), { recursive: true });
  cpSync(realpathSync(binary), join(home, 'bin/python3'));
  const own = readdirSync(library).filter((name) => !LEFT_OUT.test(`/${name}`));
  for (const name of own)
    cpSync(join(library, name), join(home, library.slice(prefix.length), name), { recursive: true, dereference: true, filter: (path) => !LEFT_OUT.test(path) });
  const packages = join(folder, 'packages');
  await run('python3', ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--no-compile', '--target', packages, ...PYTHON_PACKAGES], {
    timeout: MAKING_MS,
  });
  // Nothing is compiled where nothing can be written.
  await run('python3', ['-m', 'compileall', '-q', '-j', '0', '--invalidation-mode', 'unchecked-hash', home, packages], { timeout: MAKING_MS }).catch(
    () => undefined,
  );
}

async function go(folder: string): Promise<void> {
  const env = { ...process.env, CGO_ENABLED: '0' };
  await run('go', ['build', '-ldflags=-s', '-o', join(folder, 'go-client'), program('client.go')], { env, timeout: MAKING_MS });
}

/** A runtime of the modules that the client uses, and no more. */
async function java(folder: string): Promise<void> {
  const parts = ['--add-modules', 'java.net.http,jdk.crypto.ec', '--strip-debug', '--no-man-pages', '--no-header-files'];
  await run('jlink', [...parts, '--output', join(folder, 'java')], { timeout: MAKING_MS });
  await run('javac', ['-d', join(folder, 'java-client'), program('Client.java')], { timeout: MAKING_MS });
}

async function wget(folder: string): Promise<void> {
  const { stdout } = await run('sh', ['-c', 'command -v wget']);
  cpSync(realpathSync(stdout.trim()), join(folder, 'wget'));
  chmodSync(join(folder, 'wget'), 0o755);
}

/** Shared libraries that those programs and Python's modules ask the system for. */
async function libraries(folder: string): Promise<void> {
  const into = join(folder, 'libraries');
  mkdirSync(into);
  const modules = readdirSync(join(folder, 'python'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.so'))
    .map((entry) => join(entry.parentPath, entry.name));
  for (const binary of [join(folder, 'python/bin/python3'), join(folder, 'wget'), ...modules]) {
    const { stdout } = await run('ldd', [binary]);
    for (const [, path = ''] of stdout.matchAll(/=> (\/\S+) /g)) if (!OF_THE_BASE.test(path)) cpSync(realpathSync(path), join(into, basename(path)));
  }
}
