/**
 * `node test/bench/interception.ts [ROUNDS]`: what interception adds, and to what it adds it. Needs root and iptables. The same
 * program, as the application (redirected) and as the sidecar's user (direct), in turn; only differences within a round hold.
 */
import { program } from '../support/interception/clients.ts';
import { OUTSIDE } from '../support/interception/namespaces.ts';
import { KEYS, OPEN, World } from '../support/interception/world.ts';

const ROUNDS = Number(process.argv[2] ?? 3);
const CALLS = 500;
const ECHOES = 5000;
/** Of each stream. */
const STREAM_S = 4;
const SIDECAR = 1533;
const APPLICATION = 1000;

const world = await World.create('m', OPEN, 'all');

interface Measured {
  readonly p50: number;
  readonly p10: number;
}

async function measure(uid: number, kind: 'call' | 'echo', where: string, count: number): Promise<Measured> {
  const { out, err, code } = await world.run([process.execPath, program('measure.mjs'), kind, where, String(count), KEYS.openai], {
    uid,
    env: uid === SIDECAR ? { NODE_EXTRA_CA_CERTS: world.publicCa } : {},
    timeoutMs: 200_000,
  });
  if (code !== 0) throw new Error(err);
  return JSON.parse(out) as Measured;
}

interface Streamed {
  readonly sent: number;
  readonly received: number;
  readonly seconds: number;
}

/** Bytes there and back over one connection: as fast as they come back, or so many a second. */
async function stream(uid: number, bytesPerSecond?: number): Promise<Streamed> {
  const rate = bytesPerSecond === undefined ? [] : [String(Math.round(bytesPerSecond))];
  const command = [process.execPath, program('stream.mjs'), `${OUTSIDE.cluster}:5432`, String(STREAM_S), ...rate];
  const { out, err, code } = await world.run(command, { uid, timeoutMs: 60_000 });
  if (code !== 0) throw new Error(err);
  return JSON.parse(out) as Streamed;
}

const mib = (bytes: number): string => (bytes / 1_048_576).toFixed(1);

/** Half of what goes direct is offered to what passes: whether all of it arrives, and what Envoy computes for it. */
async function offered(): Promise<void> {
  const most = await stream(SIDECAR);
  const directBytes = most.received / most.seconds;
  const [, before = 0] = world.cpuMs();
  const passed = await stream(APPLICATION, directBytes / 2);
  const [, after = 0] = world.cpuMs();
  const [cpuMs, ratio] = [after - before, passed.received / passed.seconds / directBytes];
  const lost = passed.sent - passed.received;
  console.log(
    `passed TCP at half of what goes direct (${mib(directBytes)} MiB/s there and back): ${mib(passed.received / passed.seconds)} MiB/s, ratio ${ratio.toFixed(2)} of 0.50, lost ${lost} of ${passed.sent} bytes; Envoy ${(cpuMs / passed.seconds / 10).toFixed(0)} % of a processor, ${((cpuMs * 1_048_576) / passed.received).toFixed(2)} ms a MiB`,
  );
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const PATH = '/v1/chat/completions';
const rows = {
  direct: () => measure(SIDECAR, 'call', `https://api.openai.com${PATH}`, CALLS),
  'base URL': () => measure(APPLICATION, 'call', `http://127.0.0.1:15480${PATH}`, CALLS),
  'intercepted HTTP': () => measure(APPLICATION, 'call', `http://api.openai.com${PATH}`, CALLS),
  'intercepted HTTPS': () => measure(APPLICATION, 'call', `https://api.openai.com${PATH}`, CALLS),
  'TCP direct': () => measure(SIDECAR, 'echo', `${OUTSIDE.cluster}:5432`, ECHOES),
  'TCP passed': () => measure(APPLICATION, 'echo', `${OUTSIDE.cluster}:5432`, ECHOES),
};

try {
  const seen = new Map<string, Measured[]>(Object.keys(rows).map((name) => [name, []]));
  const [processorBefore = 0, envoyBefore = 0] = world.cpuMs();
  for (let round = 0; round < ROUNDS; round++) for (const [name, run] of Object.entries(rows)) seen.get(name)?.push(await run());
  const [processorAfter = 0, envoyAfter = 0] = world.cpuMs();
  const governed = ROUNDS * CALLS * 3;
  console.log(
    `computed for ${governed} governed calls and ${ROUNDS * ECHOES} echoes that pass: processor ${processorAfter - processorBefore} ms, Envoy ${envoyAfter - envoyBefore} ms\n`,
  );
  const of = (name: keyof typeof rows, at: keyof Measured): readonly number[] => (seen.get(name) ?? []).map((each) => each[at]);
  const added = (name: keyof typeof rows, over: keyof typeof rows, at: keyof Measured): number =>
    median(of(name, at).map((value, round) => value - (of(over, at)[round] ?? Number.NaN)));
  const ratio = (name: keyof typeof rows, over: keyof typeof rows, at: keyof Measured): string =>
    median(of(name, at).map((value, round) => value / (of(over, at)[round] ?? Number.NaN))).toFixed(2);
  for (const at of ['p50', 'p10'] as const) {
    for (const name of Object.keys(rows) as (keyof typeof rows)[]) console.log(`${name}: ${at} ${median(of(name, at))} µs (${of(name, at).join(', ')})`);
    console.log(`added to a call in HTTPS: ${added('intercepted HTTPS', 'direct', at)} µs; by a base URL: ${added('base URL', 'direct', at)} µs`);
    console.log(`added to TCP that passes: ${added('TCP passed', 'TCP direct', at)} µs`);
    console.log(
      `ratios to direct: HTTPS ${ratio('intercepted HTTPS', 'direct', at)}, HTTP ${ratio('intercepted HTTP', 'direct', at)}, base URL ${ratio('base URL', 'direct', at)}, TCP ${ratio('TCP passed', 'TCP direct', at)}\n`,
    );
  }
  for (let round = 0; round < ROUNDS; round++) await offered();
  const [processor, envoy] = world.residentMib();
  console.log(`resident: processor ${processor} MiB, Envoy ${envoy} MiB`);
} finally {
  await world.stop();
}
