/** A call through a real Envoy becomes a span at a collector, as its caller's child. */
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startSimulator } from '../../src/shell/simulator/index.ts';
import type { Simulator } from '../../src/shell/simulator/index.ts';
import { startTestMesh } from '../support/mesh.ts';
import type { TestMesh } from '../support/mesh.ts';

const KEY = 'hs_0123456789abcdef0123456789abcdef';
const TRACE = '0af7651916cd43dd8448eb211c80319c';
const resources = (url: string): string => `
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: relay}
spec: {type: OpenAICompatible, baseUrl: "${url}/v1", auth: {apiKey: {value: ${KEY}}}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: all}
spec: {workloads: ["*"], rules: [{backends: [{provider: relay}]}]}
`;

const received: Buffer[] = [];
let collector: Server;
let simulator: Simulator;
let mesh: TestMesh | undefined;

beforeAll(async () => {
  collector = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => received.push(chunk));
    request.on('end', () => response.end());
  });
  await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
  process.env['OTEL_EXPORTER_OTLP_ENDPOINT'] = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
  simulator = await startSimulator({ host: '127.0.0.1', port: 0, keys: [KEY] });
  mesh = await startTestMesh({ resources: resources(simulator.url) });
});

afterAll(async () => {
  delete process.env['OTEL_EXPORTER_OTLP_ENDPOINT'];
  await mesh?.stop();
  await simulator.close();
  collector.close();
});

it('is told by the time that the mesh has stopped, without prompt and key', async () => {
  const answer = await fetch(`${mesh?.baseURL}/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', traceparent: `00-${TRACE}-b7ad6b7169203331-01` },
    body: JSON.stringify({ model: 'gpt-4.1', max_tokens: 8, messages: [{ role: 'user', content: 'planted-prompt' }] }),
  });
  expect(answer.status).toBe(200);
  await answer.text();
  await mesh?.stop();
  mesh = undefined;
  const spans = Buffer.concat(received);
  expect(spans.includes(Buffer.from(TRACE, 'hex'))).toBe(true);
  expect(spans.includes('gen_ai.usage.output_tokens')).toBe(true);
  expect(spans.includes('default/default')).toBe(true);
  for (const secret of ['planted-prompt', KEY]) expect(spans.includes(secret)).toBe(false);
});
