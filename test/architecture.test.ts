/** Holds the tree itself to ARCHITECTURE.md. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const sources = filesBelow('src').filter((file) => file.endsWith('.ts'));
const own = sources.filter((file) => !file.endsWith('.test.ts') && !file.endsWith('.test-support.ts'));

function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

const read = (file: string): string => readFileSync(join(root, file), 'utf8');

interface Import {
  readonly target: string;
  readonly typeOnly: boolean;
}

function importsOf(file: string): Import[] {
  return [...read(file).matchAll(/^(?:import|export)( type)?[^;'"]*? from '(\.[^']+)';$/gm)].map(([, type, target = '']) => ({
    target: relative(root, join(root, dirname(file), target)),
    typeOnly: type !== undefined,
  }));
}

/** `src/core/call` of `src/core/call/begin.ts`. */
const roomOf = (file: string): string =>
  file
    .split('/')
    .slice(0, file.startsWith('src/shell/stores') ? 4 : 3)
    .join('/');

describe('imports', () => {
  const layers = ['src/core', 'src/shell', 'src/main'];
  const layerOf = (file: string): number => layers.findIndex((layer) => file.startsWith(`${layer}/`));

  it('go down: main → shell → core', () => {
    const up = own.flatMap((file) =>
      importsOf(file)
        .filter(({ target }) => layerOf(target) > layerOf(file))
        .map(({ target }) => `${file} → ${target}`),
    );
    expect(up).toEqual([]);
  });

  it('enter another room by its index.ts', () => {
    const around = own.flatMap((file) =>
      importsOf(file)
        .filter(({ target }) => layerOf(target) < 2 && roomOf(target) !== roomOf(file) && !target.endsWith('/index.ts'))
        .map(({ target }) => `${file} → ${target}`),
    );
    expect(around).toEqual([]);
  });

  it('for what a module does are what the image’s bundle keeps, which drops what only has something to say', () => {
    const forEffect = own.flatMap((file) =>
      [...read(file).matchAll(/^import '(\.[^']+)';$/gm)].map(([, target = '']) => relative(root, join(root, dirname(file), target))),
    );
    const [, kept = ''] = /^const DOES_SOMETHING = \[(.*)\];$/m.exec(read('deploy/bundle.mjs')) ?? [];
    expect(new Set(forEffect)).toEqual(new Set([...kept.matchAll(/'([^']+)\.js'/g)].map(([, name]) => `src/${name}.ts`)));
    expect(forEffect.length).toBeGreaterThan(0);
  });

  it('of core rooms lead to units and json, to types, and to what ARCHITECTURE.md names', () => {
    const allowed: Readonly<Record<string, readonly string[]>> = {
      'src/core/control': ['src/core/policy'],
      'src/core/crds': ['src/core/policy'],
      'src/core/envoyconfig': ['src/core/dialects'],
      'src/core/injection': ['src/core/control'],
      'src/core/interception': ['src/core/control'],
      'src/core/leases': ['src/core/ledger'],
      'src/core/meshes': ['src/core/envoyconfig'],
      'src/core/policy': ['src/core/catalog', 'src/core/ledger'],
      'src/core/call': ['src/core/catalog', 'src/core/dialects', 'src/core/ledger', 'src/core/policy'],
    };
    const foundations = new Set(['src/core/units', 'src/core/json']);
    const astray = own
      .filter((file) => file.startsWith('src/core/'))
      .flatMap((file) =>
        importsOf(file)
          .filter(
            ({ target, typeOnly }) =>
              !typeOnly && roomOf(target) !== roomOf(file) && !foundations.has(roomOf(target)) && allowed[roomOf(file)]?.includes(roomOf(target)) !== true,
          )
          .map(({ target }) => `${file} → ${target}`),
      );
    expect(astray).toEqual([]);
  });
});

describe('rooms', () => {
  it('say at their door what they own and must never do', () => {
    const doors = own.filter((file) => /^src\/(?:core|shell)\/[^/]+\/index\.ts$/.test(file) || file === 'src/shell/stores/sqlite/index.ts');
    expect(doors.length).toBeGreaterThan(15);
    expect(
      doors.filter((door) => !/^\/\*\*[\s\S]*?Owns[\s\S]*?\b[Mm]ust never\b[\s\S]*?\*\//.test(read(door)) && !/never/.test(read(door).slice(0, 600))),
    ).toEqual([]);
  });

  it('of dialects have the same files', () => {
    const rooms = readdirSync(join(root, 'src/core/dialects'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(rooms.length).toBeGreaterThan(0);
    for (const { name } of rooms) {
      const files = readdirSync(join(root, 'src/core/dialects', name));
      expect(files, name).toEqual(
        expect.arrayContaining([
          'endpoints.ts',
          'request.ts',
          'edit.ts',
          'response.ts',
          'stream.ts',
          'ending.ts',
          'usage.ts',
          'error.ts',
          'auth.ts',
          'index.ts',
          'translate',
        ]),
      );
    }
  });

  it('of meshes have the same files', () => {
    const rooms = readdirSync(join(root, 'src/core/meshes'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    expect(rooms.length).toBe(4);
    for (const { name } of rooms)
      expect(readdirSync(join(root, 'src/core/meshes', name)), name).toEqual(expect.arrayContaining(['index.ts', 'objects.ts', 'pods.ts']));
  });

  it('have files of a size that is one thought', () => {
    expect(own.filter((file) => read(file).split('\n').length > 400)).toEqual([]);
  });
});

describe('documents', () => {
  it('explain every refusal, and no other', () => {
    const union = /export type RefusalCode =([\s\S]*?);/.exec(read('src/core/dialects/types.ts'))?.[1] ?? '';
    const codes = [...union.matchAll(/'([a-z_]+)'/g)].map(([, code]) => code).toSorted();
    const sections = [...read('docs/errors.md').matchAll(/^## ([a-z_]+)$/gm)].map(([, code]) => code).toSorted();
    expect(codes.length).toBeGreaterThan(20);
    expect(sections).toEqual(codes);
  });

  it('name paths that exist in docs/add-a-provider.md', () => {
    const named = [...read('docs/add-a-provider.md').matchAll(/`((?:src|test)\/[^`]+)`/g)].map(([, path = '']) => path);
    expect(named.length).toBeGreaterThan(10);
    expect(named.filter((path) => !existsSync(join(root, path)))).toEqual([]);
  });

  it('link to what exists', () => {
    const missing = ['README.md', 'ARCHITECTURE.md'].flatMap((document) =>
      [...read(document).matchAll(/\]\(([^)#:]+)\)/g)]
        .map(([, target = '']) => target)
        .filter((target) => {
          try {
            readdirSync(join(root, dirname(target)));
            return !readdirSync(join(root, dirname(target))).includes(target.split('/').at(-1) ?? '');
          } catch {
            return true;
          }
        }),
    );
    expect(missing).toEqual([]);
  });
});

describe('tests', () => {
  it('are none of them left out', () => {
    const tests = [...sources, ...filesBelow('test')].filter((file) => file.endsWith('.test.ts') && !file.endsWith('architecture.test.ts'));
    expect(tests.length).toBeGreaterThan(10);
    expect(tests.filter((file) => /\b(?:it|test|describe)\.(?:skip|only|todo|fails)\b|\.(?:skipIf|runIf)\(/.test(read(file)))).toEqual([]);
  });
});
