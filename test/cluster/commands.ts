import { execFile, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface Done {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** Runs a command to its end, however it ends. */
export function attempt(command: string, args: readonly string[], input?: string): Promise<Done> {
  return new Promise((resolve, reject) => {
    const child = execFile(command, args, { cwd: ROOT, maxBuffer: 64 * 1024 * 1024, timeout: 300_000 }, (error, out, err) => {
      if (error !== null && typeof error.code !== 'number') return reject(error);
      resolve({ code: error === null ? 0 : Number(error.code), out, err });
    });
    child.stdin?.end(input);
  });
}

/** What it wrote; rejects with what it said where it fails. */
async function must(command: string, args: readonly string[], input?: string): Promise<string> {
  const { code, out, err } = await attempt(command, args, input);
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${err}${out}`);
  return out;
}

export const kubectl = (...args: readonly string[]): Promise<string> => must('kubectl', args);
export const helm = (...args: readonly string[]): Promise<string> => must('helm', args);

/** `kubectl apply` of objects. */
export const apply = (...objects: readonly object[]): Promise<string> =>
  must('kubectl', ['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }));

export async function get<Value>(...args: readonly string[]): Promise<Value> {
  return JSON.parse(await kubectl('get', ...args, '-o', 'json')) as Value;
}

/** Asks again until the answer is as wanted; what was seen last, where it never is. */
export async function until<Value>(ask: () => Promise<Value>, isWanted: (value: Value) => boolean, withinMs = 30_000): Promise<Value> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const value = await ask();
    if (isWanted(value)) return value;
    if (performance.now() > deadline) throw new Error(`after ${withinMs} ms it is still ${JSON.stringify(value, undefined, 1)}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

/** A command that goes on beside the test; its lines so far, and all of them at its end. */
export function follow(command: string, args: readonly string[]): { readonly lines: readonly string[]; readonly ended: Promise<void>; stop(): void } {
  const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'ignore'] });
  const lines: string[] = [];
  let rest = '';
  child.stdout.setEncoding('utf8');
  child.stdout.on('data', (text: string) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
  });
  return { lines, ended: new Promise((resolve) => child.once('close', () => resolve())), stop: () => void child.kill() };
}

/** Calls that go on until they are told to end, by test/support/interception/programs/load.mjs. */
export interface Load {
  /** Resolves when so many more have ended. */
  more(calls: number): Promise<void>;
  /** `faults` are the first few, `kinds` all that there were. */
  end(): Promise<{ readonly calls: number; readonly total: number; readonly faults: readonly string[]; readonly kinds: readonly string[] }>;
}

export function startLoad(command: string, args: readonly string[]): Load {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let out = '';
  let ended = 0;
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => (ended += chunk.toString('utf8').split('.').length - 1));
  return {
    more: async (calls) => {
      const enough = ended + calls;
      await until(
        () => Promise.resolve(ended),
        (now) => now >= enough || child.exitCode !== null,
        60_000,
      );
    },
    end: () => {
      child.stdin.end();
      return new Promise((resolve) => child.once('close', () => resolve(JSON.parse(out) as Awaited<ReturnType<Load['end']>>)));
    },
  };
}
