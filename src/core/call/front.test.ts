import { describe, expect, it } from 'vitest';
import { compile, parseResource } from '../policy/index.ts';
import type { Resource } from '../policy/index.ts';
import { frontOfCall } from './front.ts';

const resource = (kind: string, name: string, spec: object): Resource => {
  const parsed = parseResource({ apiVersion: 'airmesh.dev/v1alpha1', kind, metadata: { name }, spec });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
};

const snapshot = compile(
  [
    resource('AIProvider', 'relay', { type: 'OpenAICompatible', baseUrl: 'https://relay.example/api/v1' }),
    resource('AIProvider', 'inner', { type: 'OpenAICompatible', baseUrl: 'https://relay.example/api/inner/v1' }),
    resource('AIProvider', 'vllm', { type: 'OpenAICompatible', baseUrl: 'http://vllm.models.svc:8000/v1' }),
    resource('AIRoute', 'all', { workloads: ['*'], rules: [{ backends: [{ provider: 'relay' }, { provider: 'inner' }, { provider: 'vllm' }] }] }),
  ],
  [{ namespace: 'default', name: 'app' }],
  {
    own: [],
    known: { openai: [], anthropic: [], google: [], deepseek: [] },
    simulatedUrl: undefined,
    readCertificates: (pem: string) => ({ ok: true, value: pem }) as const,
  },
).snapshots.get('default/app');

const text = new TextEncoder();
const front = (host: string | undefined, path: string, body = '{"model":"m","n":1}', headers: Record<string, string> = {}) =>
  frontOfCall(
    {
      workload: 'default/app',
      method: 'POST',
      path,
      body: text.encode(body),
      headers: new Map(Object.entries(headers)),
      ...(host === undefined ? {} : { host }),
    },
    snapshot,
  );

describe('a call', () => {
  it.each([
    // As the official SDKs send them.
    ['api.openai.com', '/v1/chat/completions', 'openai', '/v1/chat/completions'],
    ['API.OpenAI.com:443', '/v1/models', 'openai', '/v1/models'],
    ['api.anthropic.com', '/v1/messages?beta=true', 'anthropic', '/v1/messages?beta=true'],
    ['api.anthropic.com.', '/v1/models', 'anthropic', '/v1/models'],
    ['api.anthropic.com', '/v1/chat/completions', 'openai', '/v1/chat/completions'],
    [
      'generativelanguage.googleapis.com',
      '/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse',
      'gemini',
      '/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse',
    ],
    ['generativelanguage.googleapis.com', '/v1beta/openai/chat/completions', 'openai', '/chat/completions'],
    ['generativelanguage.googleapis.com', '/v1beta/openaiX/chat', 'gemini', '/v1beta/openaiX/chat'],
    ['api.deepseek.com', '/chat/completions', 'openai', '/chat/completions'],
    ['api.deepseek.com', '/v1/chat/completions', 'openai', '/v1/chat/completions'],
    ['api.deepseek.com', '/beta/completions', 'openai', '/completions'],
    ['api.deepseek.com', '/anthropic/v1/messages', 'anthropic', '/v1/messages'],
    ['team.openai.azure.com', '/openai/v1/chat/completions', 'openai', '/v1/chat/completions'],
    ['team.openai.azure.com', '/openai/responses?api-version=preview&x=1', 'openai', '/v1/responses?x=1'],
    ['team.openai.azure.com', '/elsewhere', 'openai', '/elsewhere'],
    // As a provider that the workload may call has it.
    ['relay.example', '/api/v1/chat/completions', 'openai', '/v1/chat/completions'],
    ['relay.example', '/api/inner/v1/chat/completions', 'openai', '/v1/chat/completions'],
    ['relay.example', '/other/v1/chat/completions', 'openai', '/other/v1/chat/completions'],
    ['vllm.models.svc:8000', '/v1/chat/completions', 'openai', '/v1/chat/completions'],
    // By a base URL.
    ['127.0.0.1:4000', '/v1/messages', 'anthropic', '/v1/messages'],
    ['127.0.0.1:4000', '/openai/deployments/d/chat/completions', 'openai', '/openai/deployments/d/chat/completions'],
    [undefined, '/v1/models', 'openai', '/v1/models'],
  ])('to %s at %s is one of %s at %s', (host, path, dialect, below) => {
    const found = front(host, path);
    expect([found.dialect.name, found.request.path]).toEqual([dialect, below]);
    expect(new TextDecoder().decode(found.request.body)).toBe('{"model":"m","n":1}');
  });

  it.each([
    ['{"model":"m","n":1}', '{"model":"gpt-4o mini","n":1}'],
    ['{"n":1}', '{"n":1,"model":"gpt-4o mini"}'],
    ['no JSON', 'no JSON'],
    ['[]', '[]'],
  ])('to a deployment at Azure with the body %s names the model: %s', (body, expected) => {
    const found = front('team.openai.azure.com', '/openai/deployments/gpt-4o%20mini/chat/completions?api-version=2024-10-21', body);
    expect(found.request.path).toBe('/v1/chat/completions');
    expect(new TextDecoder().decode(found.request.body)).toBe(expected);
  });

  it('to Anthropic is told apart by its headers where the host does not', () => {
    expect(front('relay.example', '/api/v1/models', '', { 'anthropic-version': '2023-06-01' }).dialect.name).toBe('anthropic');
  });
});
