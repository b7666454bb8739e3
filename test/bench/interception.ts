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

async function p50(uid: number, kind: 'call' | 'echo', where: string, count: number): Promise<number> {
  const { out, err, code } = await world.run([process.execPath, program('measure.mjs'), kind, where, String(count), KEYS.openai], {
    uid,
    env: uid === SIDECAR ? { NODE_EXTRA_CA_CERTS: world.publicCa } : {},
    timeoutMs: 200_000,
  });
  if (code !== 0) throw new Error(err);
  return (JSON.parse(out) as { readonly p50: number }).p50;
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

const PATH = '/v1/chat/completions';
const rows = {
  direct: () => p50(SIDECAR, 'call', `https://api.openai.com${PATH}`, CALLS),
  'base URL': () => p50(APPLICATION, 'call', `http://127.0.0.1:15480${PATH}`, CALLS),
  'intercepted HTTP': () => p50(APPLICATION, 'call', `http://api.openai.com${PATH}`, CALLS),
  'intercepted HTTPS': () => p50(APPLICATION, 'call', `https://api.openai.com${PATH}`, CALLS),
  'TCP direct': () => p50(SIDECAR, 'echo', `${OUTSIDE.cluster}:5432`, ECHOES),
  'TCP passed': () => p50(APPLICATION, 'echo', `${OUTSIDE.cluster}:5432`, ECHOES),
};

try {
  const seen = new Map<string, number[]>(Object.keys(rows).map((name) => [name, []]));
  for (let round = 0; round < ROUNDS; round++) for (const [name, measure] of Object.entries(rows)) seen.get(name)?.push(await measure());
  const of = (name: keyof typeof rows): readonly number[] => seen.get(name) ?? [];
  const added = (name: keyof typeof rows, over: keyof typeof rows): number => median(of(name).map((value, round) => value - (of(over)[round] ?? Number.NaN)));
  for (const name of Object.keys(rows) as (keyof typeof rows)[]) console.log(`${name}: p50 ${median(of(name))} µs (${of(name).join(', ')})`);
  console.log(
    `added by interception in HTTPS: ${added('intercepted HTTPS', 'direct')} µs; of it Envoy, processor and books: ${added('base URL', 'direct')} µs`,
  );
  console.log(`added to TCP that passes: ${added('TCP passed', 'TCP direct')} µs`);
  const memory = await world.run(['sh', '-c', `ps -o rss=,comm= -u ${SIDECAR}`], { uid: 0 });
  console.log(`resident, KiB:\n${memory.out}`);
} finally {
  await world.stop();
}
