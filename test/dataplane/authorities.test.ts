/** Providers whose certificates no public authority made: each is believed by the authorities that it names, and by no others. Through a real Envoy. */
import { request as httpRequest } from 'node:http';
import { createServer } from 'node:https';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkProvider } from '../../src/shell/check/index.ts';
import { startSimulator } from '../../src/shell/simulator/index.ts';
import type { Simulator } from '../../src/shell/simulator/index.ts';
import { TestAuthority } from '../support/certificates.ts';
import { startTestMesh } from '../support/mesh.ts';
import type { TestMesh } from '../support/mesh.ts';

const KEY = 'hs_0123456789abcdef0123456789abcdef';

/** Each serves the model of its own name. */
const provider = (name: string, baseUrl: string, caCertificates: readonly string[]): string =>
  JSON.stringify({
    apiVersion: 'airmesh.dev/v1alpha1',
    kind: 'AIProvider',
    metadata: { name },
    spec: {
      type: 'OpenAICompatible',
      baseUrl,
      auth: { apiKey: { value: KEY } },
      retries: { attempts: 0 },
      models: [{ name, providerModel: 'gpt-4.1', price: { inputPerMillion: 1, outputPerMillion: 1 } }],
      ...(caCertificates.length === 0 ? {} : { tls: { caCertificates: caCertificates.join('') } }),
    },
  });

const route = (names: readonly string[]): string =>
  JSON.stringify({
    apiVersion: 'airmesh.dev/v1alpha1',
    kind: 'AIRoute',
    metadata: { name: 'all' },
    spec: { workloads: ['*'], rules: names.map((name) => ({ name, match: { models: [name] }, backends: [{ provider: name }] })) },
  });

let simulator: Simulator;
let front: Server;
let mesh: TestMesh;
let company: TestAuthority;
const reached: (string | undefined)[] = [];

beforeAll(async () => {
  simulator = await startSimulator({ host: '127.0.0.1', port: 0, keys: [KEY] });
  company = await TestAuthority.create('company');
  const stranger = await TestAuthority.create('stranger');
  const { certificate, key } = await company.issue({ ips: ['127.0.0.1'] });
  front = createServer({ cert: certificate, key }, ({ method, url, headers }, answer) => {
    reached.push(headers.authorization);
    httpRequest(`${simulator.url}${url}`, { method, headers }, (from) => {
      answer.writeHead(from.statusCode ?? 500, from.headers);
      from.pipe(answer);
    }).end(method === 'GET' ? '' : '{"model":"gpt-4.1","messages":[{"role":"user","content":"hi"}]}');
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  mesh = await startTestMesh({
    resources: [
      provider('own', url(), [company.certificate]),
      provider('several', url(), [stranger.certificate, company.certificate]),
      provider('strangers', url(), [stranger.certificate]),
      provider('public', url(), []),
      provider('misnamed', url().replace('127.0.0.1', 'localhost'), [company.certificate]),
      route(['own', 'several', 'strangers', 'public', 'misnamed']),
    ].join('\n---\n'),
  });
});
afterAll(async () => {
  await mesh?.stop();
  front?.close();
  await simulator?.close();
});

const url = (): string => `https://127.0.0.1:${(front.address() as AddressInfo).port}/v1`;

it.each([
  ['own', 200],
  ['several', 200],
  ['strangers', 503],
  ['public', 503],
  ['misnamed', 503],
])('%s: %i', async (model, status) => {
  reached.length = 0;
  const body = JSON.stringify({ model, max_tokens: 8, messages: [{ role: 'user', content: 'hi' }] });
  const answer = await fetch(`${mesh.baseURL}/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const text = await answer.text();
  expect(answer.status, text).toBe(status);
  // No key goes to who does not prove itself.
  expect(reached).toEqual(status === 200 ? [`Bearer ${KEY}`] : []);
  if (status !== 200) {
    expect(JSON.parse(text)).toMatchObject({ error: { code: 'provider_untrusted' } });
    expect(answer.headers.get('x-should-retry')).toBe('false');
  }
});

it('`check` believes the same', async () => {
  const asked = { baseUrl: url(), back: 'compatible', key: KEY, timeoutMs: 5_000 } as const;
  expect(await checkProvider({ ...asked, caCertificates: company.certificate })).toMatchObject({ kind: 'accepted' });
  expect(await checkProvider(asked)).toMatchObject({ kind: 'problem', code: 'tls', hint: expect.stringContaining('spec.tls.caCertificates') });
});
