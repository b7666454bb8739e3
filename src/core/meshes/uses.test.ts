import { expect, it } from 'vitest';
import type { WorkloadSnapshot } from '../policy/index.ts';
import { MESHES, usesOf } from './index.ts';
import type { NamespaceUse } from './index.ts';

const upstream: NamespaceUse['providers'][number] = {
  id: 'shop/openai',
  host: 'api.openai.com',
  port: 443,
  tls: true,
  timeouts: { connectMs: 1, requestMs: 1, idleMs: 1 },
  retries: { attempts: 0, baseIntervalMs: 1, maxIntervalMs: 1 },
  circuitBreaker: { maxConnections: 1, maxPendingRequests: 1, maxRequests: 1 },
  outlierDetection: { consecutive5xx: 1, intervalMs: 1, baseEjectionTimeMs: 1 },
};
const settings = { processorSocket: '/run/airmesh/processor.sock', headersRead: [], maxRequestBytes: 1, messageTimeoutMs: 1 };

/** Of a workload that uses no provider there is nothing to say. */
const snapshot = (namespace: string): WorkloadSnapshot => ({
  version: '1',
  workload: { namespace, name: 'one' },
  providers: new Map(),
  rules: [],
  budgets: [],
  hosts: [],
  aliases: new Map(),
  knownModels: new Map(),
});

it('is of those alone that use a provider', () => {
  expect(usesOf([snapshot('shop')], () => true)).toEqual([]);
});

it.each(['istio', 'kuma'] as const)('%s: answers may be ended in the namespaces where a budget says so, and nowhere else', (name) => {
  const use = (namespace: string, endsAnswers: boolean): NamespaceUse => ({ namespace, providers: [upstream], hosts: [], endsAnswers });
  const { objects } = MESHES[name].render({ uses: [use('lab', false), use('shop', true)], settings });
  const ending = objects
    .filter((object) => JSON.stringify(object).includes('FULL_DUPLEX_STREAMED'))
    .map(({ kind, metadata }) => `${kind} ${metadata.namespace}`);
  expect(ending).toEqual([name === 'istio' ? 'EnvoyFilter shop' : 'MeshProxyPatch shop']);
});
