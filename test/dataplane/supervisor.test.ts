/** A real Envoy that is handed one configuration after the other. */
import { mkdtempSync, readFileSync, rmSync, watch } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Json } from '../../src/core/envoyconfig/index.ts';
import { EnvoySupervisor, ensureEnvoy } from '../../src/shell/envoy/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'airmesh-supervised-'));
const adminSocket = join(folder, 'admin.sock');
const WITHIN_MS = 20_000;
let envoy: EnvoySupervisor;

const source = (name: string): Json => ({ path_config_source: { path: join(folder, name) } });
const bootstrap: Json = {
  node: { id: 'test', cluster: 'test' },
  admin: { address: { pipe: { path: adminSocket } } },
  dynamic_resources: { cds_config: source('cds.json'), lds_config: source('lds.json') },
};
const typed = (type: string, fields: { readonly [name: string]: Json }): Json => ({ '@type': `type.googleapis.com/${type}`, ...fields });
const cluster = (name: string): Json =>
  typed('envoy.config.cluster.v3.Cluster', { name, type: 'STATIC', connect_timeout: '1s', load_assignment: { cluster_name: name, endpoints: [] } });
/** Routes are checked when a listener is taken: the cluster must be known. */
const listener = (to: string): Json =>
  typed('envoy.config.listener.v3.Listener', {
    name: 'api',
    address: { pipe: { path: join(folder, 'api.sock') } },
    filter_chains: [
      {
        filters: [
          {
            name: 'http',
            typed_config: typed('envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager', {
              stat_prefix: 'api',
              route_config: {
                name: 'routes',
                validate_clusters: true,
                virtual_hosts: [{ name: 'all', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster: to } }] }],
              },
              http_filters: [{ name: 'envoy.filters.http.router', typed_config: typed('envoy.extensions.filters.http.router.v3.Router', {}) }],
            }),
          },
        ],
      },
    ],
  });

const files = (clusters: readonly string[], to: string): ReadonlyMap<string, Json> =>
  new Map([
    ['bootstrap.json', bootstrap],
    ['cds.json', { version_info: clusters.join(), resources: clusters.map(cluster) }],
    ['lds.json', { version_info: to, resources: [listener(to)] }],
  ]);

beforeAll(async () => {
  const { path: binary } = await ensureEnvoy({ environment: process.env, onStep: () => undefined });
  envoy = new EnvoySupervisor({ binary, folder, adminSocket, concurrency: 1, onEvent: () => undefined });
  await envoy.start(files(['first'], 'first'));
  expect(await envoy.whenReady(WITHIN_MS)).toEqual({ ready: true });
});

afterAll(async () => {
  await envoy.stop(0, () => 0);
  rmSync(folder, { recursive: true, force: true });
});

describe('a configuration', () => {
  it('whose listener refers to a new cluster is taken, each time', { timeout: 120_000 }, async () => {
    for (let round = 0; round < 30; round += 1) {
      await envoy.apply(files([`cluster-${round}`], `cluster-${round}`));
      expect(await envoy.whenReady(WITHIN_MS), `round ${round}`).toEqual({ ready: true });
    }
  });

  it('is written in the order in which it is needed: no listener before its cluster is taken, however slow Envoy is', { timeout: 120_000 }, async () => {
    const written = (name: string): string => readFileSync(join(folder, name), 'utf8');
    const isHeldBack = async (name: string): Promise<boolean> => {
      const former = written('lds.json');
      const watching = watch(folder);
      const stopped = new Promise<void>((resolve) => {
        watching.on('change', (_kind, file) => {
          if (file !== 'cds.json' || !written('cds.json').includes(name)) return;
          watching.close();
          process.kill(envoy.pid ?? 0, 'SIGSTOP');
          resolve();
        });
      });
      const applying = envoy.apply(files([name], name));
      await stopped;
      // Long enough for whoever would not wait.
      await delay(300);
      const meanwhile = written('lds.json');
      process.kill(envoy.pid ?? 0, 'SIGCONT');
      await applying;
      expect(await envoy.whenReady(WITHIN_MS)).toEqual({ ready: true });
      return meanwhile === former;
    };
    // Envoy may have taken the cluster before it is stopped: then there was nothing to wait for. Not each time.
    let attempts = 0;
    while (!(await isHeldBack(`slow-${attempts}`))) expect(++attempts).toBeLessThan(20);
  });

  it('that is refused is told, and no more once a good one has taken its place', { timeout: 60_000 }, async () => {
    await envoy.apply(files(['first'], 'nowhere'));
    expect(await envoy.whenReady(1_000)).toMatchObject({ ready: false, reason: expect.stringContaining("unknown cluster 'nowhere'") });
    await envoy.apply(files(['first'], 'first'));
    expect(await envoy.whenReady(WITHIN_MS)).toEqual({ ready: true });
  });
});
