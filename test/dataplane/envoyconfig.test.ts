/** The files that Envoy is given: as they were agreed upon, and as the oldest and the newest Envoy take them. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { renderEnvoy } from '../../src/core/envoyconfig/index.ts';
import type { EnvoySettings } from '../../src/core/envoyconfig/index.ts';
import { ensureEnvoy, trustedCaFile, writeConfiguration } from '../../src/shell/envoy/index.ts';

const upstream = {
  timeouts: { connectMs: 5000, requestMs: 0, idleMs: 300_000 },
  retries: { attempts: 2, baseIntervalMs: 500, maxIntervalMs: 30_000 },
  circuitBreaker: { maxConnections: 1024, maxPendingRequests: 1024, maxRequests: 4096 },
  outlierDetection: { consecutive5xx: 10, intervalMs: 10_000, baseEjectionTimeMs: 10_000 },
};

const settings = (folder: string, trusted: string): EnvoySettings => ({
  nodeId: 'airmesh',
  processorSocket: `${folder}/processor.sock`,
  adminSocket: `${folder}/envoy.sock`,
  folder,
  listeners: [
    { workload: 'default/default', host: '127.0.0.1', port: 4000 },
    { workload: 'default/checkout', host: '::1', port: 4010 },
  ],
  upstreams: [
    { id: 'default/openai', host: 'api.openai.com', port: 443, tls: true, ...upstream },
    { id: 'default/local', host: '127.0.0.1', port: 8000, tls: false, ...upstream, retries: { ...upstream.retries, attempts: 0 } },
  ],
  headersRead: ['content-encoding', 'content-type', 'x-team'],
  maxRequestBytes: 33_554_432,
  messageTimeoutMs: 330_000,
  gracefulGrpcClose: true,
  trustedCaFile: trusted,
});

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'airmesh-envoy-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the files that Envoy is given', () => {
  it('are what was agreed upon', async () => {
    const files = renderEnvoy(settings('/run/airmesh', '/etc/ssl/certs/ca.pem'));
    expect([...files.keys()]).toEqual(['bootstrap.json', 'cds.json', 'rds-default_default.json', 'rds-default_checkout.json', 'lds.json']);
    for (const [name, content] of files) await expect(`${JSON.stringify(content, undefined, 2)}\n`).toMatchFileSnapshot(`../golden/envoyconfig/${name}`);
  });

  it.each(['1.40.0', '1.36.4'])('are taken by Envoy %s', async (version) => {
    const envoy = await ensureEnvoy({ version, environment: process.env, onStep: () => undefined });
    const files = renderEnvoy(settings(folder, trustedCaFile(process.env)));
    writeConfiguration(folder, files);
    // Validation reads what it is given, not the files that are watched; so it is given all in one.
    const resources = (name: string): unknown => (files.get(name) as { resources: unknown }).resources;
    const bootstrap = files.get('bootstrap.json') as Record<string, unknown>;
    const { dynamic_resources: _dynamic, ...rest } = bootstrap;
    const listeners = (resources('lds.json') as { filter_chains: { filters: { typed_config: Record<string, unknown> }[] }[]; name: string }[]).map(
      (listener) => {
        const copy = structuredClone(listener);
        const manager = copy.filter_chains[0]?.filters[0]?.typed_config;
        if (manager === undefined) throw new Error('a listener without a connection manager');
        delete manager['rds'];
        manager['route_config'] = (resources(`rds-${copy.name.replace('/', '_')}.json`) as unknown[])[0];
        return strip(copy);
      },
    );
    const whole = { ...rest, static_resources: { listeners, clusters: (resources('cds.json') as object[]).map(strip) } };
    writeConfiguration(folder, new Map([['whole.json', whole as never]]));
    const output = execFileSync(envoy.path, ['--mode', 'validate', '-c', join(folder, 'whole.json'), '--log-level', 'error'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    expect(output).toContain('OK');
  });
});

/** In static resources the type is known by the place, and no longer says so; nested types stay. */
function strip(resource: object): object {
  const { '@type': _type, ...rest } = resource as Record<string, unknown>;
  const route = rest as { filter_chains?: { filters: { typed_config: { route_config?: Record<string, unknown> } }[] }[] };
  const nested = route.filter_chains?.[0]?.filters[0]?.typed_config.route_config;
  if (nested !== undefined) delete nested['@type'];
  return rest;
}
