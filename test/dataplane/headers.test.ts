/** Which headers reach a provider: what the caller said, the provider's key, and nothing that Envoy adds. Through a real Envoy. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestMesh } from '../support/mesh.ts';
import type { TestMesh } from '../support/mesh.ts';

const KEY = 'hs_0123456789abcdef0123456789abcdef';

const resources = (url: string): string => `
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: relay}
spec: {type: OpenAICompatible, baseUrl: "${url}/v1", auth: {apiKey: {value: ${KEY}}}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: all}
spec: {workloads: ["*"], rules: [{name: chat, match: {models: [gpt-4.1]}, backends: [{provider: relay}]}]}
`;

const ANSWER = JSON.stringify({
  id: 'x',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-4.1',
  choices: [{ index: 0, message: { role: 'assistant', content: 'hi' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 },
});

describe.each(['1.36.4', '1.40.0'])('a provider behind Envoy %s', (envoyVersion) => {
  let provider: Server;
  let mesh: TestMesh;
  let arrived: readonly (readonly [name: string, value: string])[] = [];

  beforeAll(async () => {
    provider = createServer((request, response) => {
      const { rawHeaders } = request;
      arrived = rawHeaders.flatMap((name, index) => (index % 2 === 0 ? [[name.toLowerCase(), rawHeaders[index + 1] ?? ''] as const] : []));
      request.resume().on('end', () => response.writeHead(200, { 'content-type': 'application/json' }).end(ANSWER));
    }).listen(0, '127.0.0.1');
    await once(provider, 'listening');
    mesh = await startTestMesh({ resources: resources(`http://127.0.0.1:${(provider.address() as AddressInfo).port}`), envoyVersion });
  });
  afterAll(async () => {
    await mesh.stop();
    provider.close();
  });

  const names = async (headers: Readonly<Record<string, string>>): Promise<readonly string[]> => {
    const body = JSON.stringify({ model: 'gpt-4.1', messages: [{ role: 'user', content: 'hi' }] });
    const answer = await fetch(`${mesh.baseURL}/chat/completions`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });
    expect(answer.status).toBe(200);
    return arrived.map(([name]) => name).toSorted();
  };
  /** What fetch says by itself, the key, and how Envoy passes a body on that may be edited. */
  const USUAL = ['accept', 'accept-encoding', 'accept-language', 'authorization', 'content-type', 'host', 'sec-fetch-mode', 'transfer-encoding', 'user-agent'];

  it('is told nothing that the caller did not say', async () => {
    expect(await names({})).toEqual(USUAL);
  });

  it('is told a caller’s own x-request-id as it is, and not where the call came by', async () => {
    expect(await names({ 'x-request-id': 'mine', 'x-forwarded-proto': 'https' })).toEqual([...USUAL, 'x-request-id'].toSorted());
    expect(arrived.find(([name]) => name === 'x-request-id')).toEqual(['x-request-id', 'mine']);
  });
});
