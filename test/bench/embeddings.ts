/**
 * What merging calls for embeddings adds and saves: the same calls with and without it, in turn, through one Envoy, at a
 * provider that takes 60 ms. `node test/bench/embeddings.ts`
 */
import { Agent, request } from 'node:http';
import { startSimulator } from '../../src/shell/simulator/index.ts';
import { startTestMesh } from '../support/mesh.ts';

const KEY = 'hs_0123456789abcdef0123456789abcdef';
const ROUNDS = 5;
const LONE = 40;
const AT_ONCE = 200;
const PROVIDER_DELAY = '60ms';

const simulator = await startSimulator({ host: '127.0.0.1', port: 0, keys: [KEY] });
const mesh = await startTestMesh({
  resources: `
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: relay}
spec:
  type: OpenAICompatible
  baseUrl: "${simulator.url}/v1"
  auth: {apiKey: {value: ${KEY}}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: all}
spec:
  workloads: ["*"]
  rules:
  - {name: merged, match: {models: [text-embedding-3-small]}, backends: [{provider: relay}], mergeEmbeddings: {}}
  - {name: plain, match: {models: [text-embedding-3-large]}, backends: [{provider: relay}]}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: dollars}
spec: {limit: {usd: "100"}, window: {lifetime: true}}
`,
});
const MODELS = { merged: 'text-embedding-3-small', plain: 'text-embedding-3-large' } as const;
type Kind = keyof typeof MODELS;
const KINDS: readonly Kind[] = ['merged', 'plain'];
const agent = new Agent({ keepAlive: true, maxSockets: AT_ONCE });
const url = new URL(`${mesh.baseURL}/embeddings`);

/** Milliseconds until the whole answer was there. */
function call(kind: Kind, input: string): Promise<number> {
  const body = JSON.stringify({ model: MODELS[kind], input, dimensions: 256, encoding_format: 'base64' });
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), 'x-simulate': `delay=${PROVIDER_DELAY}` };
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', agent, headers }, (response) => {
      if (response.statusCode !== 200) reject(new Error(`status ${response.statusCode}`));
      response.resume().once('end', () => resolve(performance.now() - began));
    });
    sent.once('error', reject).end(body);
  });
}

const median = (values: readonly number[]): number => values.toSorted((one, other) => one - other)[values.length >> 1] ?? 0;
const worst = (values: readonly number[]): number => Math.max(...values);
const upstream = (kind: Kind): number => (simulator.books.toJSON() as { models: Record<string, { requests: number }> }).models[MODELS[kind]]?.requests ?? 0;

const lone: Record<Kind, number[]> = { merged: [], plain: [] };
const pairs: Record<Kind, number[]> = { merged: [], plain: [] };
const bursts: Record<Kind, { readonly ms: number[]; readonly wallMs: number[]; readonly cpuMs: number[]; readonly calls: number[] }> = {
  merged: { ms: [], wallMs: [], cpuMs: [], calls: [] },
  plain: { ms: [], wallMs: [], cpuMs: [], calls: [] },
};
for (const kind of KINDS) await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => call(kind, `warm ${index}`)));
for (let round = 0; round < ROUNDS; round++) {
  for (const kind of round % 2 === 0 ? KINDS : KINDS.toReversed()) {
    for (let index = 0; index < LONE; index++) lone[kind].push(await call(kind, `lone ${round} ${index}`));
    for (let index = 0; index < LONE; index++)
      pairs[kind].push(...(await Promise.all([call(kind, `pair ${round} ${index}`), call(kind, `other ${round} ${index}`)])));
    const { ms, wallMs, cpuMs, calls } = bursts[kind];
    const [before, began, cpu] = [upstream(kind), performance.now(), process.cpuUsage()];
    ms.push(...(await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => call(kind, `burst ${round} ${index}`)))));
    const used = process.cpuUsage(cpu);
    wallMs.push(performance.now() - began);
    cpuMs.push((used.user + used.system) / 1000);
    calls.push(upstream(kind) - before);
  }
}
const ms = (value: number): string => `${value.toFixed(1)} ms`;
for (const kind of KINDS) {
  const { ms: each, wallMs, cpuMs, calls } = bursts[kind];
  console.log(
    `${kind.padEnd(6)}  lone p50 ${ms(median(lone[kind]))}  pairs p50 ${ms(median(pairs[kind]))} worst ${ms(worst(pairs[kind]))}  ` +
      `${AT_ONCE} at once: ${median(calls)} calls upstream, all within ${ms(median(wallMs))}, p50 ${ms(median(each))}, ` +
      `processor, provider and callers ${ms(median(cpuMs))} of CPU`,
  );
}
agent.destroy();
await mesh.stop();
await simulator.close();
