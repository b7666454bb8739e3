/** From the bytes on the wire: nobody receives what is another workload's. */
import { inspect } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { afterEach, expect, it, vi } from 'vitest';
import type { SidecarState } from '../../core/control/index.ts';
import { Stream } from '../wire/stream.ts';
import { TestController } from './service.test-support.ts';
import { stateOf } from './states.test-support.ts';

const SOON = { timeout: 40_000, interval: 5 };
const WORKLOADS = ['shop/checkout', 'shop/search', 'bank/ledger'];
const keyOf = (workload: string, number: number): string => `sk-PLANTED-${workload.replace('/', '-')}-${number}`;
const promptOf = (workload: string): string => `PROMPT of ${workload}`;

let controller: TestController | undefined;
afterEach(async () => {
  vi.restoreAllMocks();
  await controller?.close();
});

function stateFor(workload: string, number: number): SidecarState {
  const plain = stateOf(workload);
  const provider = `${workload}-provider`;
  const transform = {
    systemPrompt: promptOf(workload),
    defaultMaxOutputTokens: undefined,
    maxOutputTokens: undefined,
    headers: { set: [], add: [], remove: [] },
    body: { set: {}, remove: [] },
  };
  const rule = {
    id: `${workload}#0`,
    match: { models: [], paths: [], headers: [] },
    backends: [],
    failover: { consecutiveFailures: 1, ejectionTimeMs: 1, maxEjectionTimeMs: 1 },
    sticky: undefined,
    transform,
    limits: undefined,
    cache: undefined,
    mergeEmbeddings: undefined,
  };
  return {
    ...plain,
    version: `${workload}@${number}`,
    snapshot: { ...plain.snapshot, rules: [rule] },
    keys: new Map([[provider, { type: 'OpenAI', value: keyOf(workload, number) }]]),
    interception: {
      hosts: [{ host: 'api', ports: [], leaf: { certificate: 'PEM', key: `LEAF ${keyOf(workload, number)}`, notAfter: 1 } }],
      roots: '',
      egress: 'Open',
    },
  };
}

/** What was sent, as it was, and with what is compressed in it in the clear. */
function readable(bytes: Buffer): string {
  const texts = [bytes.toString('latin1')];
  for (let at = bytes.indexOf('\u001f\u008b', 0, 'latin1'); at >= 0; at = bytes.indexOf('\u001f\u008b', at + 1, 'latin1')) {
    try {
      texts.push(gunzipSync(bytes.subarray(at), { finishFlush: 2 }).toString('latin1'));
    } catch {
      // Not the beginning of something compressed, after all.
    }
  }
  return texts.join('\n');
}

it('a workload’s sidecars receive its own key and policy, old and new, and nothing of another’s; no event and no view has any', async () => {
  // All that a stream sends passes here, as it goes into TLS.
  const sent = new Map<Stream, Buffer[]>();
  const send = Stream.prototype.send;
  vi.spyOn(Stream.prototype, 'send').mockImplementation(function (this: Stream, bytes) {
    sent.set(this, [...(sent.get(this) ?? []), bytes]);
    send.call(this, bytes);
  });
  controller = await TestController.start({ states: WORKLOADS.map((workload) => stateFor(workload, 1)) });
  const { cluster, distributor } = controller;
  const sidecars = WORKLOADS.flatMap((workload) => Array.from({ length: 3 }, () => controller?.sidecar(cluster.addPod(workload))));
  for (let number = 1; number <= 5; number += 1) {
    controller.publish(...WORKLOADS.map((workload) => stateFor(workload, number)));
    const versions = WORKLOADS.flatMap((workload) => Array(3).fill(`${workload}@${number}`));
    await vi.waitFor(() => expect(distributor.views().map(({ applied }) => applied)).toEqual(expect.arrayContaining(versions)), SOON);
    await vi.waitFor(() => expect(new Set(distributor.views().map(({ applied }) => applied)).size).toBe(3), SOON);
  }
  expect(sent.size).toBe(9);
  const owners = [...sent.values()].map((messages) => {
    const text = readable(Buffer.concat(messages));
    const own = WORKLOADS.filter((workload) => text.includes(promptOf(workload)));
    expect(own).toHaveLength(1);
    for (const workload of WORKLOADS) {
      const isOwn = workload === own[0];
      expect(text.includes(keyOf(workload, 5))).toBe(isOwn);
      expect(text.includes(`LEAF ${keyOf(workload, 5)}`)).toBe(isOwn);
      expect(text.includes(workload)).toBe(isOwn);
      expect(text.includes(workload.replace('/', '-'))).toBe(isOwn);
    }
    return own[0];
  });
  expect(WORKLOADS.map((workload) => owners.filter((owner) => owner === workload).length)).toEqual([3, 3, 3]);
  const shown = inspect([controller.events, distributor.views(), distributor, sidecars.map((sidecar) => sidecar?.states)], { depth: 12 });
  expect(shown).not.toContain('PLANTED');
});
