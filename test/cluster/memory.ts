import { kubectl } from './commands.ts';
import { SHOP } from './story.ts';

/** In megabytes. */
export interface SidecarMemory {
  /** Of all of its processes, their programs' files included. */
  readonly resident: number;
  /** What of it is of no file. */
  readonly anonymous: number;
  /** What its state folder takes, which is memory as well. */
  readonly state: number;
}

const STATE = '/var/lib/airmesh/state';
const BYTES_PER_MB = 1_000_000;

/** Runs in the container, whose image has Node and no shell. */
function measure(folder: string): void {
  const { readFileSync, readdirSync, lstatSync } = require('node:fs') as typeof import('node:fs');
  const fieldOf = (pid: string, field: string): number =>
    Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0) * 1024;
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid);
  const sum = (field: string): number => pids.reduce((total, pid) => total + fieldOf(pid, field), 0);
  const sizeOf = (path: string): number =>
    lstatSync(path).isDirectory() ? readdirSync(path).reduce((total, name) => total + sizeOf(`${path}/${name}`), 0) : lstatSync(path).blocks * 512;
  process.stdout.write(JSON.stringify([sum('VmRSS'), sum('RssAnon'), sizeOf(folder)]));
}

/** Of the sidecar beside `checkout`, now. */
export async function memoryOfSidecar(): Promise<SidecarMemory> {
  const script = `(${measure.toString()})(${JSON.stringify(STATE)})`;
  const said = await kubectl('exec', '-n', SHOP, 'deployment/checkout', '-c', 'airmesh-sidecar', '--', 'node', '-e', script);
  const [resident = Number.NaN, anonymous = Number.NaN, state = Number.NaN] = (JSON.parse(said) as number[]).map((bytes) => Math.round(bytes / BYTES_PER_MB));
  return { resident, anonymous, state };
}
