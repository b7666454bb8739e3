/**
 * A processor in a process of its own, as it stands beside a mesh's Envoy: `processor.ts RESOURCES WORKLOAD SOCKET STATE`.
 * What is charged goes to the output when it is asked to stop.
 */
import { limitsOf, Merging, ProviderHealth } from '../../../src/core/call/index.ts';
import { afterMs, systemClock } from '../../../src/main/mesh/clock.ts';
import { serveCalls } from '../../../src/main/mesh/calls.ts';
import { openRoom } from '../../../src/main/mesh/memory.ts';
import { loadPolicies } from '../../../src/main/mesh/policies.ts';
import { AnswerMemory } from '../../../src/shell/answers/index.ts';
import { openBudgets } from '../../../src/shell/budgets/index.ts';
import { always } from '../../../src/shell/extproc/index.ts';
import { KeyStore } from '../../../src/shell/keys/index.ts';
import { createLogger } from '../../../src/shell/telemetry/index.ts';

const [resources = '', workload = '', socket = '', state = ''] = process.argv.slice(2);
const [namespace = '', name = ''] = workload.split('/');
const { compiled } = loadPolicies(
  { kind: 'files', paths: [resources] },
  { workloads: [{ namespace, name }], own: [], simulatedUrl: undefined, environment: process.env },
);
const keys = new KeyStore(process.env, () => performance.now());
keys.configure(new Map([...compiled.providers].flatMap(([id, { key }]) => (key === undefined ? [] : [[id, key] as const]))));
const books = await openBudgets({
  folder: state,
  clock: systemClock,
  limits: limitsOf(compiled.snapshots.values()),
  events: { failed: () => undefined, recovered: () => undefined },
});
const logger = createLogger({
  level: 'warn',
  format: 'json',
  colour: false,
  destination: { write: (text) => process.stderr.write(text), flush: () => undefined },
});
let ids = 0;
const settled: unknown[] = [];
const calls = await serveCalls(
  {
    snapshots: { current: (id) => compiled.snapshots.get(id) },
    keys,
    budgets: books.budgets,
    state: books.objects,
    answers: new AnswerMemory(() => performance.now()),
    health: new ProviderHealth(
      () => performance.now(),
      () => undefined,
    ),
    merging: new Merging(() => performance.now(), afterMs),
    clock: systemClock,
    observer: {
      refused: ({ workload, code }) => settled.push({ workload, refused: code }),
      settled: (record) =>
        settled.push({ workload: `${record.namespace}/${record.workload}`, provider: record.provider, ending: record.ending, estimated: record.estimated }),
      reused: () => undefined,
      merged: () => undefined,
    },
    random: Math.random,
    newId: () => `call-${++ids}`,
  },
  openRoom({}),
  { socketPath: socket, isForAll: true },
  logger,
  { identify: always(workload) },
);
process.stdout.write('ready\n');
process.once('SIGTERM', () => {
  void (async () => {
    await calls.close();
    await books.close();
    process.stdout.write(`${JSON.stringify(settled)}\n`);
  })();
});
