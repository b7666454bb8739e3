/** The files that Envoy is given: as they were agreed upon, and as the oldest and the newest Envoy take them. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { renderEnvoy } from '../../src/core/envoyconfig/index.ts';
import type { EnvoySettings, Json, OutboundSettings } from '../../src/core/envoyconfig/index.ts';
import { ensureEnvoy, trustedCaFile, writeConfiguration } from '../../src/shell/envoy/index.ts';
import { TestAuthority } from '../support/certificates.ts';

const upstream = {
  timeouts: { connectMs: 5000, requestMs: 0, idleMs: 300_000 },
  retries: { attempts: 2, baseIntervalMs: 500, maxIntervalMs: 30_000 },
  circuitBreaker: { maxConnections: 1024, maxPendingRequests: 1024, maxRequests: 4096 },
  outlierDetection: { consecutive5xx: 10, intervalMs: 10_000, baseEjectionTimeMs: 10_000 },
};

type Leaf = NonNullable<OutboundSettings['hosts'][number]['leaf']>;

const outbound = (egress: OutboundSettings['egress'], leaf: Leaf): OutboundSettings => ({
  workload: 'default/checkout',
  addresses: [
    { host: '127.0.0.1', port: 15_401 },
    { host: '::1', port: 15_401 },
  ],
  hosts: [
    { host: 'api.openai.com', leaf },
    { host: 'vllm.models.svc.cluster.local', addresses: ['10.96.0.7', 'fd00::7'] },
  ],
  ports: [8000],
  passedHosts: ['pinned.example.com', '*.internal.example.com'],
  refusedHosts: ['refused.example.com'],
  webSocketHosts: ['api.openai.com', 'not-taken-in.example.com'],
  egress,
});

const ENFORCED: OutboundSettings['egress'] = { kind: 'Enforced', networks: ['10.0.0.0/8', 'fd00::/8'] };

const NO_LEAF: Leaf = { certificate: 'certificate of the host', key: 'its key' };

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
  placeholderKey: 'airmesh-injected',
  headersRead: ['content-encoding', 'content-type', 'x-team'],
  maxRequestBytes: 33_554_432,
  maxHeapBytes: 440_401_920,
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

  it.each([
    ['open', { kind: 'Open' }],
    ['enforced', ENFORCED],
  ] as const)('are what was agreed upon where connections are redirected, and egress is %s', async (name, egress) => {
    const files = renderEnvoy({ ...settings('/run/airmesh', '/etc/ssl/certs/ca.pem'), listeners: [], outbound: outbound(egress, NO_LEAF) });
    expect([...files.keys()]).toEqual(['bootstrap.json', 'cds.json', 'rds-default_checkout.json', 'leaf-api.openai.com.json', 'lds.json']);
    // Read once, when nobody may know yet whether anything is redirected.
    const plain = renderEnvoy(settings('/run/airmesh', '/etc/ssl/certs/ca.pem'));
    expect(files.get('bootstrap.json')).toEqual(plain.get('bootstrap.json'));
    for (const file of ['cds.json', 'leaf-api.openai.com.json', 'lds.json']) {
      const content = `${JSON.stringify(withoutReplies(files.get(file) ?? null), undefined, 2)}\n`;
      await expect(content).toMatchFileSnapshot(`../golden/envoyconfig/outbound-${name}/${file}`);
    }
  });

  it.each([
    ['1.40.0', undefined],
    ['1.40.0', { kind: 'Open' }],
    ['1.40.0', ENFORCED],
    ['1.36.4', undefined],
    ['1.36.4', { kind: 'Open' }],
    ['1.36.4', ENFORCED],
  ] as const)('are taken by Envoy %s, with connections redirected: %o', async (version, egress) => {
    const envoy = await ensureEnvoy({ version, environment: process.env, onStep: () => undefined });
    const leaf = await (await TestAuthority.create('mesh')).issue({ dns: ['api.openai.com'] });
    const files = renderEnvoy({
      ...settings(folder, trustedCaFile(process.env)),
      ...(egress === undefined ? {} : { outbound: outbound(egress, leaf) }),
    });
    writeConfiguration(folder, files);
    const { dynamic_resources: _dynamic, ...rest } = files.get('bootstrap.json') as { readonly [name: string]: Json };
    const resources = (name: string): readonly Json[] =>
      (files.get(name) as { resources: readonly Json[] }).resources.map((each) => strip(inlined(each, files)));
    const whole = { ...rest, static_resources: { listeners: resources('lds.json'), clusters: resources('cds.json') } };
    writeConfiguration(folder, new Map([['whole.json', whole]]));
    const output = execFileSync(envoy.path, ['--mode', 'validate', '-c', join(folder, 'whole.json'), '--log-level', 'error'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    expect(output).toContain('OK');
  });
});

/** Validation reads what it is given, not the files that are watched; so it is given all in one. */
function inlined(value: Json, files: ReadonlyMap<string, Json>): Json {
  if (Array.isArray(value)) return value.map((each: Json) => inlined(each, files));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value as { readonly [name: string]: Json }).map(([name, field]): [string, Json] => {
      if (name === 'rds') return ['route_config', strip(resourceIn(fileOf(field), files))];
      if (name !== 'tls_certificate_sds_secret_configs') return [name, inlined(field, files)];
      const secrets = (field as readonly Json[]).map((each) => resourceIn(fileOf(each), files) as { readonly tls_certificate: Json });
      return ['tls_certificates', secrets.map(({ tls_certificate }) => tls_certificate)];
    }),
  );
}

/** The name of the one file that a source of configuration names. */
const fileOf = (source: Json): string => /"path":"[^"]*\/([^"/]+)"/.exec(JSON.stringify(source))?.[1] ?? '';

const resourceIn = (file: string, files: ReadonlyMap<string, Json>): Json => (files.get(file) as { resources: readonly Json[] }).resources[0] ?? null;

/** In static resources the type is known by the place, and no longer says so; nested types stay. */
function strip(resource: Json): Json {
  const { '@type': _type, ...rest } = resource as { readonly [name: string]: Json };
  return rest;
}

/** What Envoy answers by itself is the same in each listener, and in the golden files of the first. */
function withoutReplies(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutReplies);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value as { readonly [name: string]: Json }).filter(([name]) => name !== 'local_reply_config');
  return Object.fromEntries(fields.map(([name, field]) => [name, withoutReplies(field)]));
}
