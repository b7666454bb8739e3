import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const fromRoot = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** From the sources, or what was built (memory and speed are of that); as `npm start` runs it. */
const PROGRAMS = {
  sources: ['--max-semi-space-size=8', fromRoot('src/main/cli.ts')],
  built: ['--max-semi-space-size=8', fromRoot('dist/main/cli.js')],
} as const;

/** What comes before a command's own arguments, after Node. */
export const PROGRAM: readonly string[] = PROGRAMS.sources;

/** Options of a command, by name, as it is told them. */
export const flagged = (flags: Readonly<Record<string, string | number | undefined>>): string[] =>
  Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);

export interface AirmeshProcess {
  readonly child: ChildProcess;
  readonly output: () => string;
  /** As a power cut would, for the process: nothing is closed or flushed. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/** What each command says when it is ready. */
const READY = /Airmesh is ready|sidecar\.started|The ledger service listens at|The simulated provider listens at/;

/** The real program in a process of its own, ready or not. */
export function spawnAirmesh(args: readonly string[], environment: NodeJS.ProcessEnv = {}, program: keyof typeof PROGRAMS = 'sources'): AirmeshProcess {
  const child = spawn(process.execPath, [...PROGRAMS[program], ...args], { env: { ...process.env, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    child,
    output: () => output,
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
    stop: async () => {
      child.kill('SIGINT');
      await exited;
    },
  };
}

/** The same; resolves when it says that it is ready. */
export async function startAirmesh(
  args: readonly string[],
  environment: NodeJS.ProcessEnv = {},
  program: keyof typeof PROGRAMS = 'sources',
): Promise<AirmeshProcess> {
  const started = spawnAirmesh(args, environment, program);
  const { child } = started;
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr]) stream?.on('data', () => READY.test(started.output()) && resolve());
    child.once('exit', (code) => reject(new Error(`airmesh ended with ${code}:\n${started.output()}`)));
  });
  return started;
}
