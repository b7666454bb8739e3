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
  for (let round = 0; round < ROUNDS; round++) for (const [name, run] of Object.entries(rows)) seen.get(name)?.push(await run());
  const of = (name: keyof typeof rows, at: keyof Measured): readonly number[] => (seen.get(name) ?? []).map((each) => each[at]);
  const added = (name: keyof typeof rows, over: keyof typeof rows, at: keyof Measured): number =>
    median(of(name, at).map((value, round) => value - (of(over, at)[round] ?? Number.NaN)));
  for (const at of ['p50', 'p10'] as const) {
    for (const name of Object.keys(rows) as (keyof typeof rows)[]) console.log(`${name}: ${at} ${median(of(name, at))} µs (${of(name, at).join(', ')})`);
    console.log(`added to a call in HTTPS: ${added('intercepted HTTPS', 'direct', at)} µs; by a base URL: ${added('base URL', 'direct', at)} µs`);
    console.log(`added to TCP that passes: ${added('TCP passed', 'TCP direct', at)} µs\n`);
  }
  const [processor, envoy] = world.residentMib();
  console.log(`resident: processor ${processor} MiB, Envoy ${envoy} MiB`);
} finally {
  await world.stop();
}
