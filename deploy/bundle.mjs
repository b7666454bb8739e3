/**
 * What was built, with the packages that it runs by, in a few files: `bundle(FOLDER)` writes FOLDER/dist.
 *
 * A pod waits for its sidecar. Of some 1,100 modules to be found, read and compiled, each with a bit of memory of its own, it
 * would hold most for a part that it never runs. Which command needs what is left to the imports in the sources: a command's
 * own modules are imported when it is run.
 */
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const root = fileURLToPath(new URL('..', import.meta.url));
const built = `${root}dist/`;

/** The program, and what it starts as threads, by their places in dist/. */
const ENTRIES = ['main/cli', 'main/mesh/simulator-thread', 'shell/stores/sqlite/worker', 'shell/stores/sqlite/ledger/worker'];

/** Packages that stay as they are: this one is asked for its own package.json. */
export const LEFT_ALONE = ['@pydantic/genai-prices'];

/** Our modules do nothing when they are loaded but say what they have; these do, and are imported for that. */
const DOES_SOMETHING = ['shell/certs/reflect.js'];

/** What a module says of its own place must hold wherever its text has come to lie: proto/, package.json and threads are found by it. */
const places = {
  name: 'places',
  transform(code, id) {
    if (!id.startsWith(built) || !code.includes('import.meta.')) return undefined;
    const place = id.slice(built.length);
    return code.replaceAll('import.meta.url', `__url__("${place}")`).replaceAll('import.meta.dirname', `__folder__("${place}")`);
  },
  renderChunk(code, { fileName }) {
    const up = '../'.repeat(fileName.split('/').length - 1);
    const placed = code
      .replaceAll(/__url__\("([^"]+)"\)/g, (_, place) => `new URL("./${up}${place}", import.meta.url).href`)
      .replaceAll(
        /__folder__\("([^"]+)"\)/g,
        (_, place) => `process.getBuiltinModule("node:url").fileURLToPath(new URL("./${up}${place}/..", import.meta.url)).slice(0, -1)`,
      );
    if (/__(?:url|folder)__\(/.test(placed)) throw new Error(`${fileName} has a place that was not found`);
    return placed;
  },
};

/** An import of node:http reads all that it exports, which loads the client behind `fetch`: 30 ms and 4 MiB for nothing. */
const lazyHttp = {
  name: 'lazy-http',
  resolveId: (source, importer) => (source === 'node:http' && importer?.startsWith(built) === true ? '\0http' : undefined),
  load: (id) => (id === '\0http' ? "export const { Agent, createServer, request } = process.getBuiltinModule('node:http');" : undefined),
};

/** Deterministic: the same sources and packages give the same bytes. Names are kept, as stack traces are for people. */
export async function bundle(folder) {
  const bundling = await rolldown({
    cwd: root,
    input: Object.fromEntries(ENTRIES.map((entry) => [entry, `${built}${entry}.js`])),
    platform: 'node',
    external: LEFT_ALONE,
    treeshake: { moduleSideEffects: (id) => (id.startsWith(built) && !DOES_SOMETHING.includes(id.slice(built.length)) ? false : undefined) },
    plugins: [places, lazyHttp],
  });
  await bundling.write({
    dir: `${folder}/dist`,
    format: 'esm',
    entryFileNames: '[name].js',
    chunkFileNames: 'chunks/[name]-[hash].js',
    minify: { mangle: false, compress: false, codegen: { removeWhitespace: true } },
  });
  await bundling.close();
}
