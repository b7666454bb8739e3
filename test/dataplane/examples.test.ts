/** The programs of examples/clients, as they stand, against `airmesh run examples/quickstart`: no key of whoever runs this is used. */
import { execFile, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { flagged, startAirmesh } from '../support/airmesh-process.ts';
import type { AirmeshProcess } from '../support/airmesh-process.ts';
import { freePorts } from '../support/mesh.ts';

const run = promisify(execFile);
const examples = fileURLToPath(new URL('../../examples', import.meta.url));
const clients = join(examples, 'clients');
const names = readdirSync(clients, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

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
  airmesh = await startAirmesh(['run', join(examples, 'quickstart'), ...flagged({ listen, admin, state: join(folder, 'state'), concurrency: 1 })]);
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

/** What a model said, of an answer as curl prints it: one JSON document, or events. */
function spoken(printed: string): string {
  const documents = printed.startsWith('{')
    ? [printed]
    : printed
        .split('\n')
        .filter((line) => line.startsWith('data: {'))
        .map((line) => line.slice('data: '.length));
  return documents.map((document) => textsIn(JSON.parse(document))).join('');
}

/** The members that hold text in one API or another. */
const TEXTS: ReadonlySet<string> = new Set(['content', 'text']);

function textsIn(value: unknown): string {
  if (typeof value !== 'object' || value === null) return '';
  return Object.entries(value)
    .map(([name, member]) => (typeof member === 'string' ? (TEXTS.has(name) ? member : '') : textsIn(member)))
    .join('');
}

describe.each(names)('%s', (name) => {
  it(`says the same by node, by curl${withPython.includes(name) ? ' and by python' : ''}`, async () => {
    const byNode = (await output(process.execPath, `${name}/main.mjs`)).trim();
    // The simulated provider answers in words.
    expect(byNode).toMatch(/^(?:[a-z]+[ .]?){10,}$/);
    expect(spoken(await output('sh', `${name}/curl.sh`)).trim()).toBe(byNode);
    if (withPython.includes(name)) expect((await output('python3', `${name}/main.py`)).trim()).toBe(byNode);
  });
});

it(`python's programs can be read; run where its SDKs are installed (${withPython.join(', ') || 'none is'})`, () => {
  for (const name of names) expect(spawnSync('python3', ['-m', 'py_compile', join(clients, name, 'main.py')]).status).toBe(0);
  for (const name of ['.', ...names]) rmSync(join(clients, name, '__pycache__'), { recursive: true, force: true });
});
