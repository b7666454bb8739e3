/** The programs of examples/clients, as they stand, against what `npm start` runs. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAirmesh } from '../support/airmesh-process.ts';
import type { AirmeshProcess } from '../support/airmesh-process.ts';
import { freePorts } from '../support/mesh.ts';

const run = promisify(execFile);
const clients = fileURLToPath(new URL('../../examples/clients', import.meta.url));
const names = readdirSync(clients, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name);

/** Python's SDKs are run where they are installed, and named where they are not. */
const MODULES: Readonly<Record<string, string>> = { 'openai-chat': 'openai', 'openai-responses': 'openai', anthropic: 'anthropic', gemini: 'google.genai' };
const hasModule = (name: string): boolean => spawnSync('python3', ['-c', `import ${MODULES[name] ?? name}`]).status === 0;
const withPython = names.filter(hasModule);

/** The address that the examples name. */
const WRITTEN = 'http://127.0.0.1:4000';

let folder: string;
let airmesh: AirmeshProcess;
let port = 0;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'airmesh-examples-'));
  const [listen = 0, admin = 0] = await freePorts(2);
  port = listen;
  airmesh = await startAirmesh(['run', '--listen', String(listen), '--admin', String(admin), '--state', join(folder, 'state'), '--concurrency', '1']);
});

afterAll(async () => {
  await airmesh?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a program with its address moved to where this test listens; the rest is as it stands. */
async function output(command: string, program: string): Promise<string> {
  const moved = join(clients, `.${port}-${program.replaceAll('/', '-')}`);
  writeFileSync(moved, readFileSync(join(clients, program), 'utf8').replace(WRITTEN, `http://127.0.0.1:${port}`));
  try {
    return (await run(command, [moved], { timeout: 30_000 })).stdout;
  } finally {
    rmSync(moved, { force: true });
  }
}

describe.each(names)('%s', (name) => {
  it.each([
    ['node', 'main.mjs'],
    ['sh', 'curl.sh'],
  ])('by %s', async (command, program) => {
    expect((await output(command === 'node' ? process.execPath : command, `${name}/${program}`)).length).toBeGreaterThan(40);
  });
});

it(`by python, where its SDKs are installed (${withPython.join(', ') || 'none is'})`, async () => {
  for (const name of withPython) expect((await output('python3', `${name}/main.py`)).length).toBeGreaterThan(40);
  for (const name of names) expect(spawnSync('python3', ['-m', 'py_compile', join(clients, name, 'main.py')]).status).toBe(0);
  rmSync(join(clients, '__pycache__'), { recursive: true, force: true });
  for (const name of names) rmSync(join(clients, name, '__pycache__'), { recursive: true, force: true });
});
