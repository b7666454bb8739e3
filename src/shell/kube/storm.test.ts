/** A thousand sidecars that acknowledge within a second, and 300 routes whose statuses say so: how much is written, on a clock that is set. */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { NO_PLAN, differenceOf, draftOf, findingsWith, labelOf, observe, planOf, reachOf, readPod, statusOf } from '../../core/control/index.ts';
import type { CustomObject, Observed, Plan, SidecarView, Status } from '../../core/control/index.ts';
import type { Kind } from '../../core/policy/index.ts';
import { checkKey } from '../keys/index.ts';
import type { ApiAnswer } from './apiserver.ts';
import { EventWriter } from './eventwriter.ts';
import { StatusWriter } from './statuswriter.ts';

const [SIDECARS, ROUTES] = [1_000, 300];
/** As the governor makes statuses: soon after a sidecar has said something, and now and then. */
const [REPORT_MS, LOOK_MS] = [250, 2_000];
/** Until an informer has what was written. */
const WATCH_MS = 30;
const SETTINGS = {
  rootNamespace: 'airmesh-system',
  known: { openai: [], anthropic: [], google: [], deepseek: [] },
  simulatedUrl: undefined,
  readCertificates: (pem: string) => ({ ok: true, value: pem }) as const,
  checkKey,
};

const custom = (kind: Kind, name: string, spec: unknown, generation: number): CustomObject & { readonly kind: Kind } => ({
  kind,
  apiVersion: 'airmesh.dev/v1alpha1',
  metadata: { name, namespace: 'shop', uid: name, generation, resourceVersion: '1' },
  spec,
});
const resources = (baseUrl: string, generation: number): (CustomObject & { readonly kind: Kind })[] => [
  custom('AIProvider', 'relay', { type: 'OpenAICompatible', baseUrl, models: [{ name: 'house' }] }, generation),
  ...Array.from({ length: ROUTES }, (_, index) =>
    custom('AIRoute', `route-${index}`, { workloads: [`app-${index}`], rules: [{ backends: [{ provider: 'relay' }] }] }, 1),
  ),
];
const pods = Array.from({ length: SIDECARS }, (_, index) =>
  readPod({
    metadata: {
      namespace: 'shop',
      name: `pod-${index}`,
      uid: `pod-${index}`,
      labels: { 'airmesh.dev/sidecar': '0.1.0' },
      ownerReferences: [{ kind: 'StatefulSet', name: `app-${index % ROUTES}`, controller: true }],
    },
    status: { phase: 'Running' },
  }),
);

/** A cluster, its sidecars, and the controller that writes; time passes by fake timers. */
class Storm {
  readonly writes: number[] = [];
  readonly #statuses = new Map<string, { readonly status: Status; readonly version: number }>();
  readonly #views = new Map<string, SidecarView>();
  readonly #writer: StatusWriter;
  #resources: readonly Observed[] = [];
  #plan: Plan | undefined;

  constructor() {
    const api = {
      send: (_method: string, path: string, { body }: { readonly body?: unknown } = {}): Promise<ApiAnswer> => {
        if (path.endsWith('/status')) this.#write(body as { readonly kind: string; readonly metadata: { readonly name: string }; readonly status: Status });
        return Promise.resolve({ status: path.endsWith('/status') ? 200 : 201, body: {} });
      },
    };
    const clock = { epochMs: () => Date.now(), monotonicMs: () => Date.now() };
    const events = new EventWriter({ api, identity: 'test', clock, onFault: () => undefined });
    this.#writer = new StatusWriter({ api, events, now: () => Date.now(), mayWrite: () => true, onFault: () => undefined });
  }

  declare(objects: readonly (CustomObject & { readonly kind: Kind })[]): void {
    this.#resources = objects.map((object) => observe(object.kind, object));
    const facts = { resources: this.#observed(), namespaces: new Map(), pods, callers: [], secrets: () => ({ kind: 'absent' }) as const };
    this.#plan = planOf(facts, draftOf(facts, SETTINGS), new Map(), this.#plan ?? NO_PLAN, SETTINGS, Date.now());
  }

  acknowledge(index: number): void {
    const workload = `shop/app-${index % ROUTES}`;
    const applied = this.#plan?.states.get(workload)?.version ?? '';
    const pod = { namespace: 'shop', name: `pod-${index}`, uid: `pod-${index}` };
    this.#views.set(pod.uid, { pod, workload, since: 0, isConnected: true, applied, keys: [], ownKeysFor: [], program: '0.1.0' });
  }

  report(): void {
    if (this.#plan === undefined) return;
    const views = [...this.#views.values()];
    const situation = {
      ...this.#plan,
      findings: findingsWith(this.#plan, views),
      reach: reachOf(pods, views, this.#plan.editions),
      views,
      accounts: undefined,
      at: Date.now(),
    };
    for (const observed of this.#observed()) {
      const status = statusOf(observed, situation);
      this.#writer.offer(observed, status, differenceOf(observed.status, status));
    }
  }

  /** Whether each says that all of its sidecars apply it. */
  get isTold(): boolean {
    return this.#observed().every(({ status }) => {
      const { sidecars } = (status ?? {}) as { readonly sidecars?: { readonly applied: number; readonly total: number } };
      return sidecars !== undefined && sidecars.total > 0 && sidecars.applied === sidecars.total;
    });
  }

  close(): void {
    this.#writer.close();
  }

  #observed(): Observed[] {
    return this.#resources.map((observed) => {
      const known = this.#statuses.get(labelOf(observed));
      return known === undefined ? observed : { ...observed, status: known.status, resourceVersion: String(known.version) };
    });
  }

  #write({ kind, metadata, status }: { readonly kind: string; readonly metadata: { readonly name: string }; readonly status: Status }): void {
    this.writes.push(Date.now());
    const label = `${kind} shop/${metadata.name}`;
    setTimeout(() => this.#statuses.set(label, { status, version: (this.#statuses.get(label)?.version ?? 1) + 1 }), WATCH_MS);
  }
}

/** The most within any second. */
const busiest = (writes: readonly number[]): number => Math.max(0, ...writes.map((from) => writes.filter((at) => at >= from && at < from + 1_000).length));

/** Lets all sidecars acknowledge, each at a moment of its own within a second, until all is told. */
async function settle(storm: Storm): Promise<void> {
  for (let index = 0; index < SIDECARS; index += 1) setTimeout(() => storm.acknowledge(index), (index * 7_919) % 1_000);
  let reporting = setInterval(() => storm.report(), REPORT_MS);
  await vi.advanceTimersByTimeAsync(2_000);
  clearInterval(reporting);
  reporting = setInterval(() => storm.report(), LOOK_MS);
  for (let waited = 0; waited < 600_000 && !storm.isTold; waited += 1_000) await vi.advanceTimersByTimeAsync(1_000);
  await vi.advanceTimersByTimeAsync(10_000);
  clearInterval(reporting);
}

let storm: Storm;
beforeEach(() => {
  vi.useFakeTimers();
  storm = new Storm();
});
afterEach(() => {
  storm.close();
  vi.useRealTimers();
});

it('five writes in a second at most, and two for each resource, also where everything is changed', { timeout: 60_000 }, async () => {
  storm.declare(resources('https://relay.example/v1', 1));
  await settle(storm);
  expect(storm.isTold).toBe(true);
  const first = storm.writes.splice(0);
  // A provider that all routes use.
  storm.declare(resources('https://other.example/v1', 2));
  await settle(storm);
  expect(storm.isTold).toBe(true);
  const second = storm.writes.splice(0);
  for (const writes of [first, second]) {
    expect(busiest(writes)).toBeLessThanOrEqual(5);
    expect(writes.length).toBeLessThanOrEqual(2 * (ROUTES + 1));
  }
  // The routes say what they said; only the provider's generation is another.
  expect(second.length).toBeLessThanOrEqual(5);
  storm.report();
  await vi.advanceTimersByTimeAsync(60_000);
  expect(storm.writes).toEqual([]);
  process.stderr.write(`status figures: ${JSON.stringify({ first: first.length, busiest_second: busiest(first), after_a_change: second.length })}\n`);
});
