/**
 * Three controllers on one PostgreSQL: the one that leads is killed, one is drained, and a service calls on all the while.
 * One story: each test begins where the one before ended.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { TestAuthority } from '../support/certificates.ts';
import { apply, attempt, get, kubectl, until } from './commands.ts';
import { POSTGRES_IMAGE } from './images.ts';
import { KEYS, POD, SECURE, SHOP, SYSTEM, application, clear, install, saidIn, setKey } from './story.ts';
import type { Said } from './story.ts';

const PASSWORD = 'planted-store-password';
const CONTROLLERS = ['-n', SYSTEM, '-l', 'app.kubernetes.io/component=controller'] as const;
const HOST = `postgres.${SYSTEM}.svc`;

interface Pods {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
    readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
  }[];
}

/** What it does in the end, it does by the chart's own values. */
async function startPostgres(): Promise<void> {
  const authority = await TestAuthority.create('store');
  const { certificate, key } = await authority.issue({ dns: [HOST] });
  const labels = { app: 'postgres', 'airmesh.dev/inject': 'disabled' };
  const secret = (name: string, stringData: object): object => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: SYSTEM }, stringData });
  await kubectl('create', 'namespace', SYSTEM);
  await apply(
    secret('postgres-tls', { 'tls.crt': certificate, 'tls.key': key }),
    secret('store-authority', { 'ca.crt': authority.certificate }),
    secret('store', { url: `postgres://airmesh:${PASSWORD}@${HOST}/postgres?sslmode=verify-full&sslrootcert=/etc/airmesh-store/ca.crt` }),
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'postgres', namespace: SYSTEM }, spec: { selector: labels, ports: [{ port: 5432 }] } },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'postgres', namespace: SYSTEM, labels },
      spec: {
        ...POD,
        containers: [
          {
            name: 'postgres',
            image: POSTGRES_IMAGE,
            env: [{ name: 'PGPASSWORD', value: PASSWORD }],
            readinessProbe: { tcpSocket: { port: 5432 }, periodSeconds: 1 },
            securityContext: SECURE,
            volumeMounts: [
              { name: 'tmp', mountPath: '/tmp' },
              { name: 'tls', mountPath: '/tls', readOnly: true },
            ],
          },
        ],
        volumes: [
          { name: 'tmp', emptyDir: {} },
          { name: 'tls', secret: { secretName: 'postgres-tls' } },
        ],
      },
    },
  );
  await kubectl('wait', '--for=condition=Ready', 'pod/postgres', '-n', SYSTEM, '--timeout=60s');
}

beforeAll(async () => {
  await clear();
  await startPostgres();
  await install('store.kind=postgres', 'store.postgres.urlSecret.name=store', 'store.postgres.caSecret.name=store-authority');
  await kubectl('create', 'namespace', SHOP);
  await kubectl('label', 'namespace', SHOP, 'airmesh.dev/inject=enabled', 'pod-security.kubernetes.io/enforce=restricted');
  await setKey(KEYS.first);
  await kubectl('apply', ...['provider', 'route', 'budget', 'keys', 'simulator'].flatMap((name) => ['-f', `examples/kubernetes/${name}.yaml`]));
  await kubectl('rollout', 'status', 'deployment/provider', '-n', SHOP, '--timeout=90s');
  await apply(application('checkout', ['on']));
  await kubectl('rollout', 'status', 'deployment/checkout', '-n', SHOP, '--timeout=90s');
});

afterAll(async () => {
  if (process.env['AIRMESH_TEST_KEEP'] === undefined) await clear();
});

/** What the service said of its calls, up to now. */
async function calls(): Promise<Said[]> {
  const log = await kubectl('logs', '-n', SHOP, 'deployment/checkout', '-c', 'app');
  return log.split('\n').flatMap((line) => saidIn(line) ?? []);
}

/** Once the service has made so many more, all of them answered. */
async function goesOn(more: number): Promise<void> {
  const before = (await calls()).length;
  const said = await until(calls, ({ length }) => length >= before + more, 60_000);
  expect(said.filter(({ ok }) => !ok)).toEqual([]);
}

const controllers = async (): Promise<string[]> =>
  (await get<Pods>('pods', ...CONTROLLERS)).items
    .filter(
      ({ metadata, status }) => metadata.deletionTimestamp === undefined && status.conditions?.some((one) => one.type === 'Ready' && one.status === 'True'),
    )
    .map(({ metadata }) => metadata.name);

/** The pod of the controller that writes statuses, and keeps the ledger. */
async function leader(): Promise<string> {
  const { spec } = await get<{ readonly spec?: { readonly holderIdentity?: string } }>('lease/airmesh', '-n', SYSTEM);
  return spec?.holderIdentity?.split('_')[0] ?? '';
}

const evict = async (pod: string): Promise<number> => {
  const eviction = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: pod, namespace: SYSTEM } };
  return (await attempt('kubectl', ['create', '--raw', `/api/v1/namespaces/${SYSTEM}/pods/${pod}/eviction`, '-f', '-'], JSON.stringify(eviction))).code;
};

const posted = async (): Promise<number> => Number(await kubectl('get', 'aibudget/checkout', '-n', SHOP, '-o', 'jsonpath={.status.posted}'));

it('are three, that know their store by its certificate, one of which leads', async () => {
  expect(await until(controllers, ({ length }) => length === 3)).toContain(await until(leader, (name) => name !== ''));
  await goesOn(3);
  await kubectl('wait', '--for=condition=Programmed', 'airoute/chat', '-n', SHOP, '--timeout=60s');
  const described = await kubectl('get', 'deployment/airmesh', ...CONTROLLERS.slice(0, 2), '-o', 'yaml');
  expect(described + (await kubectl('logs', ...CONTROLLERS, '--tail=-1'))).not.toContain(PASSWORD);
});

it('go on when the one that leads is killed: calls, leases, statuses', async () => {
  const before = { leader: await leader(), posted: await until(posted, (sum) => sum > 0) };
  await kubectl('delete', `pod/${before.leader}`, '-n', SYSTEM, '--grace-period=0', '--force');
  await goesOn(10);
  expect(await until(leader, (name) => name !== '' && name !== before.leader)).not.toBe(before.leader);
  await until(posted, (sum) => sum > before.posted, 60_000);
  await kubectl('patch', 'airoute/chat', '-n', SHOP, '--type=merge', '-p', JSON.stringify({ spec: { workloads: ['checkout', 'another'] } }));
  await kubectl('wait', '--for=condition=Programmed', '--for=jsonpath={.status.observedGeneration}=2', 'airoute/chat', '-n', SHOP, '--timeout=60s');
});

it('are drained one at a time', async () => {
  const [first = '', second = ''] = await until(controllers, ({ length }) => length === 3, 60_000);
  expect(await evict(first)).toBe(0);
  // One is away, so no other may go.
  expect(await evict(second)).not.toBe(0);
  await goesOn(6);
  expect(await until(controllers, (names) => names.length === 3 && !names.includes(first), 60_000)).toContain(second);
});

it('have lost no spend: the provider’s books, the records and the budget say the same', async () => {
  // What it holds is settled and given back when its pod ends.
  const said = await calls();
  await kubectl('scale', 'deployment/checkout', '-n', SHOP, '--replicas=0');
  await until(
    () => get<Pods>('pods', '-n', SHOP, '-l', 'app=checkout'),
    ({ items }) => items.length === 0,
    60_000,
  );
  const from = async <Value>(namespace: string, deployment: string, container: string, url: string): Promise<Value> => {
    const program = `fetch(${JSON.stringify(url)}).then((answer) => answer.text()).then(console.log)`;
    return JSON.parse(await kubectl('exec', '-n', namespace, `deployment/${deployment}`, '-c', container, '--', 'node', '-e', program)) as Value;
  };
  const books = await from<{ readonly models: Readonly<Record<string, { readonly requests: number; readonly costNanoUsd: string }>> }>(
    SHOP,
    'provider',
    'provider',
    'http://127.0.0.1:4010/simulator/books',
  );
  const billed = books.models['gpt-4.1'];
  const { records } = await from<{ readonly records: readonly { readonly posted: readonly { readonly amount: string }[] }[] }>(
    SYSTEM,
    'airmesh',
    'controller',
    'http://127.0.0.1:15012/records',
  );
  expect(records.length).toBe(billed?.requests);
  expect(records.length).toBeGreaterThanOrEqual(said.length);
  const recorded = records.flatMap(({ posted: parts }) => parts.map(({ amount }) => BigInt(amount))).reduce((sum, amount) => sum + amount, 0n);
  expect(String(recorded)).toBe(billed?.costNanoUsd);
  await until(posted, (sum) => Math.round(sum * 1e9) === Number(recorded), 60_000);
  await until(
    () => kubectl('get', 'aibudget/checkout', '-n', SHOP, '-o', 'jsonpath={.status.pending}'),
    (pending) => pending === '0',
    60_000,
  );
});
