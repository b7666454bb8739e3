import { expect, it } from 'vitest';
import type { WorkloadSnapshot } from '../../core/policy/index.ts';
import { describeSnapshot } from './index.ts';

const PLANTED = 'planted-secret';

const snapshot: WorkloadSnapshot = {
  version: '7',
  workload: { namespace: 'shop', name: 'checkout' },
  providers: new Map([
    [
      'shop/openai',
      {
        id: 'shop/openai',
        type: 'OpenAI',
        back: 'openai',
        apiVersion: undefined,
        baseUrl: { tls: true, host: 'api.openai.com', port: 443, basePath: '/v1' },
        caCertificates: undefined,
        key: `${PLANTED}-ref`,
        models: new Map([['gpt-4.1', { name: 'gpt-4.1', price: { input: 2_000_000_000n, output: 8_000_000_000n, source: 'airmesh-catalog/1' } }]]),
        unknownPrice: 'Refuse',
        timeouts: { connectMs: 1, requestMs: 0, idleMs: 1 },
        retries: { attempts: 0, baseIntervalMs: 1, maxIntervalMs: 1 },
        circuitBreaker: { maxConnections: 1, maxPendingRequests: 1, maxRequests: 1 },
        outlierDetection: { consecutive5xx: 1, intervalMs: 1, baseEjectionTimeMs: 1 },
      },
    ],
  ]),
  rules: [
    {
      id: 'shop/route#1',
      match: { models: ['gpt-*'], paths: [], headers: [{ name: 'x-team', value: PLANTED }] },
      backends: [{ provider: 'shop/openai', model: undefined, weight: 1, priority: 0 }],
      failover: { consecutiveFailures: 3, ejectionTimeMs: 1, maxEjectionTimeMs: 1 },
      sticky: undefined,
      transform: {
        systemPrompt: PLANTED,
        defaultMaxOutputTokens: undefined,
        maxOutputTokens: 100,
        headers: { set: [['x-portal-token', PLANTED]], add: [['x-other', PLANTED]], remove: ['cookie'] },
        body: { set: { user: PLANTED }, remove: [] },
      },
      limits: undefined,
      cache: undefined,
      mergeEmbeddings: undefined,
    },
  ],
  budgets: [
    {
      id: 'shop/daily',
      unit: 'usd',
      limit: 25_000_000_000n,
      window: { kind: 'lifetime' },
      mode: 'Strict',
      nearLimit: 'Shrink',
      floorOutputTokens: 16,
      waitMs: 0,
      alerts: [50, 80, 100],
      per: [],
      models: [],
      providers: [],
      headers: [{ name: 'x-team', value: PLANTED }],
    },
  ],
  hosts: [],
  aliases: new Map([['gpt-4', 'gpt-4.1']]),
  knownModels: new Map(),
};

it('shows policies without keys, prompts and header values', () => {
  const shown = JSON.stringify(describeSnapshot(snapshot));
  expect(shown).not.toContain(PLANTED);
  expect(JSON.parse(shown)).toMatchObject({
    providers: [{ id: 'shop/openai', baseUrl: 'https://api.openai.com:443/v1', takesKey: true, models: [{ name: 'gpt-4.1', inputUsdPerMillion: '2' }] }],
    rules: [{ transform: { systemPrompt: '[redacted]', maxOutputTokens: 100, headers: { set: [['x-portal-token', '[redacted]']], remove: ['cookie'] } } }],
    budgets: [{ limit: '25', mode: 'Strict' }],
    aliases: { 'gpt-4': 'gpt-4.1' },
  });
});
