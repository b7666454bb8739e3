/** How the image starts Airmesh (deploy/airmesh), with a stand-in for Node that does what each start is told. */
import { spawn } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from './support/mesh.ts';

const LAUNCHER = fileURLToPath(new URL('../deploy/airmesh', import.meta.url));
/** Says who it is and how it was started, then does the line of its turn. */
const STAND_IN = `#!${process.execPath}
const { appendFileSync, readFileSync, writeFileSync } = require('node:fs');
const at = (name) => \`\${__dirname}/\${name}\`;
const rest = () => { setInterval(() => undefined, 1_000); writeFileSync(at('ready'), ''); };
const on = (signal, code, afterMs = 0) => process.once(signal, () => setTimeout(() => process.exit(code), afterMs));
appendFileSync(at('starts'), \`\${process.pid} \${process.argv.slice(2).join(' ')}\n\`);
const turn = readFileSync(at('starts'), 'utf8').trimEnd().split('\\n').length;
eval(readFileSync(at('plan'), 'utf8').split('\\n')[turn - 1]);
`;
const dies = (signal = 'SIGKILL'): string => `process.kill(process.pid, '${signal}'); rest()`;
const SIGNAL_CODES = { SIGABRT: 134, SIGKILL: 137, SIGSEGV: 139 } as const;

const root = mkdtempSync(join(tmpdir(), 'airmesh-launcher-'));
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(root, 'it-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

interface Launched {
  readonly pid: number;
  readonly ended: Promise<number | null>;
  readonly log: () => readonly { readonly event: string; readonly how: string; readonly deaths: number; readonly level: string; readonly time: string }[];
}

/** `plan`: what each start does. */
function launch(command: string, plan: readonly string[]): Launched {
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'plan'), plan.join('\n'));
  writeFileSync(join(bin, 'node'), STAND_IN);
  chmodSync(join(bin, 'node'), 0o755);
  const child = spawn(LAUNCHER, [command, '--flag', 'two words'], {
    env: { PATH: [bin, process.env['PATH']].join(delimiter) },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let text = '';
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString('utf8')));
  const log: Launched['log'] = () =>
    text
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as ReturnType<Launched['log']>[number]);
  // With the last of its output.
  return { pid: child.pid ?? 0, log, ended: new Promise((resolve) => child.once('close', (code) => resolve(code))) };
}

const startsOf = (): string[] => {
  const file = join(folder, 'bin', 'starts');
  return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : [];
};
const pidOf = (start: number): number => Number(startsOf()[start - 1]?.split(' ')[0]);
const ready = (): Promise<void> => until('it is ready', () => existsSync(join(folder, 'bin', 'ready')));

const stateOf = (pid: number): string | undefined => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.[0];
  } catch {
    return undefined;
  }
};

describe.each(['sidecar', 'processor', 'gateway'])('%s', (command) => {
  it('that a signal ends is started anew, as it was, and then ends the container as it ends', async () => {
    const { ended, log } = launch(command, [dies(), dies('SIGABRT'), 'process.exit(3)']);
    expect(await ended).toBe(3);
    expect(log()).toMatchObject([
      { level: 'error', event: 'processor.died', how: 'SIGKILL', deaths: 1, time: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/) },
      { how: 'SIGABRT', deaths: 2 },
    ]);
    const commands = startsOf().map((line) => line.replace(/^\d+ /, ''));
    expect(commands).toHaveLength(3);
    expect(new Set(commands).size).toBe(1);
    expect(commands[0]).toMatch(new RegExp(`^--max-semi-space-size=.* ${dirname(LAUNCHER)}/dist/main/cli\\.js ${command} --flag two words$`));
  });

  it.each([0, 1, 2, 3, 70, 130])('that ends by itself with %i ends the container so', async (code) => {
    const { ended, log } = launch(command, [`process.exit(${code})`]);
    expect(await ended).toBe(code);
    expect([startsOf().length, log()]).toEqual([1, []]);
  });
});

it.each(Object.entries(SIGNAL_CODES))('one that %s ends again and again ends the container with that', async (signal, code) => {
  const { ended, log } = launch(
    'sidecar',
    Array.from({ length: 9 }, () => dies(signal)),
  );
  expect(await ended).toBe(code);
  expect(log().map(({ how, deaths }) => [how, deaths])).toEqual([1, 2, 3, 4, 5].map((deaths) => [signal, deaths]));
  expect(startsOf()).toHaveLength(5);
});

describe.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('told to end by %s', (signal) => {
  it('it tells Node, waits for it, and ends as it does', async () => {
    const { pid, ended } = launch('sidecar', ["on('SIGTERM', 7, 300); rest()"]);
    await ready();
    process.kill(pid, signal);
    expect(await ended).toBe(7);
    expect(startsOf()).toHaveLength(1);
  });

  it('it tells the one that it has started anew, and no zombie is left meanwhile', async () => {
    const { pid, ended } = launch('sidecar', [dies(), "on('SIGTERM', 7); rest()"]);
    await ready();
    expect(stateOf(pidOf(1))).toBeUndefined();
    process.kill(pid, signal);
    expect(await ended).toBe(7);
    expect(startsOf()).toHaveLength(2);
  });

  it('it ends at once where Node does not know that yet, or is to be started anew just then', async () => {
    const before = launch('sidecar', ['rest()']);
    await ready();
    process.kill(before.pid, signal);
    expect(await before.ended).toBe(143);
    rmSync(join(folder, 'bin'), { recursive: true });

    const between = launch(
      'sidecar',
      Array.from({ length: 9 }, () => dies()),
    );
    // The last pause ends only by being told to.
    writeFileSync(join(folder, 'bin', 'sleep'), '#!/bin/sh\n[ "$1" = 1 ] && set -- 600\nexec /bin/sleep "$1"\n', { mode: 0o755 });
    await until('it has died four times', () => between.log().length === 4);
    process.kill(between.pid, signal);
    expect(await between.ended).toBe(130);
    expect(startsOf()).toHaveLength(4);
  });
});

it('a second signal reaches Node too', async () => {
  const { pid, ended } = launch('sidecar', ["process.once('SIGTERM', () => { on('SIGTERM', 130); writeFileSync(at('told'), ''); }); rest()"]);
  await ready();
  process.kill(pid, 'SIGTERM');
  await until('it was told', () => existsSync(join(folder, 'bin', 'told')));
  process.kill(pid, 'SIGTERM');
  expect(await ended).toBe(130);
});

it('whoever else tells Node to end has ended it', async () => {
  const { ended } = launch('sidecar', ['rest()']);
  await ready();
  process.kill(pidOf(1), 'SIGTERM');
  expect(await ended).toBe(143);
  expect(startsOf()).toHaveLength(1);
});

it.each(['controller', 'init', 'run', 'version'])('%s becomes Node itself', async (command) => {
  const { pid, ended } = launch(command, [dies()]);
  expect(await ended).toBeNull();
  expect(pidOf(1)).toBe(pid);
});
