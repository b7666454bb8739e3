/** Bad input through a real Envoy: a clear error, nothing lost, nothing else stopped. */
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSimulator } from '../../src/shell/simulator/index.ts';
import type { Simulator } from '../../src/shell/simulator/index.ts';
import { startTestMesh, until } from '../support/mesh.ts';
import type { TestMesh } from '../support/mesh.ts';

const KEY = 'hs_0123456789abcdef0123456789abcdef';
const MAX_REQUEST_BYTES = 32 * 1024 * 1024;

let simulator: Simulator;
let mesh: TestMesh;

beforeAll(async () => {
  simulator = await startSimulator({ host: '127.0.0.1', port: 0, keys: [KEY] });
  mesh = await startTestMesh({
    resources: `
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: relay}
spec: {type: OpenAICompatible, baseUrl: "${simulator.url}/v1", auth: {apiKey: {value: ${KEY}}}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: all}
spec: {workloads: ["*"], rules: [{match: {models: [gpt-4.1]}, backends: [{provider: relay, weight: 90}, {provider: relay, model: deepseek-v3.2, weight: 10}]}]}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: life}
spec: {limit: {usd: "1000"}, window: {lifetime: true}}
`,
  });
});

afterAll(async () => {
  await mesh?.stop();
  await simulator?.close();
});

async function post(
  body: string | Uint8Array<ArrayBuffer>,
  headers: Record<string, string> = { 'content-type': 'application/json' },
): Promise<{ status: number; code: string | undefined; model: string | null }> {
  const answer = await fetch(`${mesh.baseURL}/chat/completions`, { method: 'POST', headers, body, signal: AbortSignal.timeout(30_000) });
  const text = await answer.text();
  const parsed = JSON.parse(text) as { error?: { code?: string } };
  return { status: answer.status, code: parsed.error?.code, model: answer.headers.get('x-airmesh-model') };
}

const messages = '"messages":[{"role":"user","content":"hi"}]';

describe('a bad body', () => {
  it.each<[string, string, number, string]>([
    ['nothing', '', 400, 'empty_body'],
    ['no JSON', '{', 400, 'invalid_json'],
    ['JSON and more', `{"model":"gpt-4.1",${messages}} x`, 400, 'invalid_json'],
    ['a field twice', `{"model":"gpt-4.1","model":"gpt-4",${messages}}`, 400, 'invalid_json'],
    ['deep nesting', `{"model":"gpt-4.1","messages":${'['.repeat(5000)}${']'.repeat(5000)}}`, 400, 'invalid_json'],
    ['no model', `{${messages}}`, 400, 'invalid_value'],
    ['model null', `{"model":null,${messages}}`, 400, 'invalid_value'],
    ['model as an array', `{"model":["gpt-4.1"],${messages}}`, 400, 'invalid_value'],
    ['a model of 10 kB', `{"model":"${'m'.repeat(10_000)}",${messages}}`, 400, 'invalid_value'],
    ['stream as text', `{"model":"gpt-4.1","stream":"true",${messages}}`, 400, 'invalid_value'],
    ['a huge cap', `{"model":"gpt-4.1","max_tokens":1e300,${messages}}`, 400, 'invalid_value'],
    ['a cap as text', `{"model":"gpt-4.1","max_tokens":"10",${messages}}`, 400, 'invalid_value'],
  ])('%s', async (_name, body, status, code) => {
    expect(await post(body)).toMatchObject({ status, code });
  });

  it('that is not UTF-8', async () => {
    expect(await post(new Uint8Array(Buffer.from(`{"model":"gpt-4.1","user":"\xff",${messages}}`, 'latin1')))).toMatchObject({
      status: 400,
      code: 'invalid_json',
    });
  });

  it('of another content type, or compressed', async () => {
    const body = `{"model":"gpt-4.1",${messages}}`;
    expect(await post(body, { 'content-type': 'application/x-www-form-urlencoded' })).toMatchObject({ status: 415, code: 'unsupported_content_type' });
    expect(await post(body, { 'content-type': 'application/json', 'content-encoding': 'gzip' })).toMatchObject({
      status: 415,
      code: 'unsupported_content_encoding',
    });
  });

  it('on both sides of the limit', async () => {
    const body = (bytes: number): string => {
      const start = `{"model":"gpt-4.1","max_tokens":5,"user":"`;
      const end = `",${messages}}`;
      return start + 'a'.repeat(bytes - start.length - end.length) + end;
    };
    expect(await post(body(MAX_REQUEST_BYTES - 1024))).toMatchObject({ status: 200 });
    expect(await post(body(MAX_REQUEST_BYTES + 1024))).toMatchObject({ status: 413, code: 'request_too_large' });
  });
});

describe('forged headers', () => {
  it('choose no provider, model or workload', async () => {
    const answer = await post(`{"model":"gpt-99",${messages}}`, {
      'content-type': 'application/json',
      'x-airmesh-backend': 'default/relay',
      'x-airmesh-workload': 'default/other',
      'x-airmesh-model': 'gpt-4.1',
    });
    expect(answer).toMatchObject({ status: 404, code: 'model_not_found' });
    const empty = await fetch(`${mesh.baseURL}/chat/completions`, { method: 'POST', headers: { 'x-airmesh-backend': 'default/relay' } });
    expect(empty.status).toBe(400);
  });
});

describe('half a body', () => {
  it('and gone: nothing is held, and others are served', async () => {
    const { hostname, port } = new URL(mesh.baseURL);
    const socket = connect(Number(port), hostname);
    await new Promise<void>((resolve) => socket.once('connect', resolve));
    socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 1000\r\n\r\n{"model":"gpt-4.1"');
    await new Promise<void>((resolve) => socket.end(resolve));
    socket.destroy();
    expect(await post(`{"model":"gpt-4.1","max_tokens":5,${messages}}`)).toMatchObject({ status: 200 });
    await until('nothing is held', async () => (await mesh.spend()).budgets.every(({ pending }) => pending === '0'));
  });
});

describe('a canary', () => {
  it('gets its share, within statistics', async () => {
    const calls = 1000;
    let other = 0;
    const caller = async (): Promise<void> => {
      for (let call = 0; call < calls / 20; call++) if ((await post(`{"model":"gpt-4.1","max_tokens":2,${messages}}`)).model === 'deepseek-v3.2') other++;
    };
    await Promise.all(Array.from({ length: 20 }, caller));
    // 90/10: five standard deviations are 47 calls.
    expect(Math.abs(other - calls / 10)).toBeLessThan(48);
  });
});
