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

/** A program that goes on until its input ends, and writes a dot for each step. */
export interface GoingOn<Told> {
  /** Resolves when so many more dots have come, or it has ended. */
  more(dots: number): Promise<void>;
  /** What it said at its end, as JSON. */
  end(): Promise<Told>;
}

/** Of test/support/interception/programs/load.mjs: `faults` are the first few, `kinds` all that there were. */
export interface LoadTold {
  readonly calls: number;
  readonly total: number;
  readonly faults: readonly string[];
  readonly kinds: readonly string[];
}

export function startGoingOn<Told>(command: string, args: readonly string[]): GoingOn<Told> {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let [out, err, dots] = ['', '', 0];
  child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString('utf8').replaceAll('.', '');
    dots += chunk.toString('utf8').split('.').length - 1;
  });
  return {
    more: async (more) => {
      const enough = dots + more;
      await until(
        () => Promise.resolve(dots),
        (now) => now >= enough || child.exitCode !== null,
        60_000,
      );
    },
    end: async () => {
      child.stdin.end();
      await ended;
      if (!out.startsWith('{')) throw new Error(`it said nothing: ${out}${err}`);
      return JSON.parse(out) as Told;
    },
  };
}
