/** Whatever goes wrong, and whoever notices it (the processor, Envoy, the provider), a caller is told in the language that it speaks. */
import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startSimulator } from '../../src/shell/simulator/index.ts';
import type { Simulator } from '../../src/shell/simulator/index.ts';
import { freePorts, startTestMesh } from '../support/mesh.ts';
import type { TestMesh } from '../support/mesh.ts';

const TOO_LARGE = 'x'.repeat(33 * 1024 * 1024);

interface Language {
  readonly name: string;
  readonly path: (model: string) => string;
  readonly body: (model: string, text: string) => object;
  /** Where the API has its code of an error, and its sentence. */
  readonly code: (answer: never) => unknown;
  readonly message: (answer: never) => unknown;
}

const LANGUAGES: readonly Language[] = [
  {
    name: 'OpenAI',
    path: () => '/v1/chat/completions',
    body: (model, text) => ({ model, messages: [{ role: 'user', content: text }] }),
    code: (answer: { error: { code: string } }) => answer.error.code,
    message: (answer: { error: { message: string } }) => answer.error.message,
  },
  {
    name: 'Anthropic',
    path: () => '/v1/messages',
    body: (model, text) => ({ model, max_tokens: 10, messages: [{ role: 'user', content: text }] }),
    code: (answer: { type: 'error'; error: { details?: { error_code: string } } }) => answer.error.details?.error_code,
    message: (answer: { error: { message: string } }) => answer.error.message,
  },
  {
    name: 'Gemini',
    path: (model) => `/v1beta/models/${model}:generateContent`,
    body: (_model, text) => ({ contents: [{ role: 'user', parts: [{ text }] }] }),
    code: (answer: { error: { details?: readonly { reason?: string }[] } }) =>
      answer.error.details?.find(({ reason }) => reason !== undefined)?.reason?.toLowerCase(),
    message: (answer: { error: { message: string } }) => answer.error.message,
  },
];

let simulator: Simulator;
let mesh: TestMesh;

beforeAll(async () => {
  const [deadPort = 0] = await freePorts(1);
  simulator = await startSimulator({ host: '127.0.0.1', port: 0, keys: 'any' });
  const dead = (type: string, name: string, key: string): string => `
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: ${name}}
spec: {type: ${type}, baseUrl: "http://127.0.0.1:${deadPort}", auth: {apiKey: {value: ${key}}}, retries: {attempts: 0}, models: [{name: ${name}, price: {inputPerMillion: 1, outputPerMillion: 1}}]}
---`;
  mesh = await startTestMesh({
    resources: `${dead('OpenAICompatible', 'dead-openai', 'sk-0123456789abcdef0123456789')}${dead('Anthropic', 'dead-anthropic', 'sk-ant-api03-0123456789abcdef0123456789')}${dead('Gemini', 'dead-gemini', 'AIzaSy0123456789abcdef0123456789abcdefg')}
apiVersion: airmesh.dev/v1alpha1
kind: AIProvider
metadata: {name: relay}
spec: {type: OpenAICompatible, baseUrl: "${simulator.url}/v1", retries: {attempts: 0}}
---
apiVersion: airmesh.dev/v1alpha1
kind: AIRoute
metadata: {name: all}
spec:
  workloads: ["*"]
  rules:
  - {match: {models: [gpt-4.1]}, backends: [{provider: relay}]}
  - {match: {models: [dead-openai]}, backends: [{provider: dead-openai}]}
  - {match: {models: [dead-anthropic]}, backends: [{provider: dead-anthropic}]}
  - {match: {models: [dead-gemini]}, backends: [{provider: dead-gemini}]}
`,
  });
});

afterAll(async () => {
  await mesh?.stop();
  await simulator?.close();
});

/** On a connection of its own: one whose request was too large is closed. */
function post(url: string, body: string, headers: Readonly<Record<string, string>>): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(
      url,
      { method: 'POST', agent: false, headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body), ...headers } },
      (answer) => {
        const chunks: Buffer[] = [];
        answer.on('data', (chunk: Buffer) => chunks.push(chunk));
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') }));
      },
    );
    sent.on('error', reject);
    sent.end(body);
  });
}

describe.each(LANGUAGES)('a caller who speaks $name', ({ path, body, code, message }) => {
  async function ask(
    model: string,
    text: string | undefined,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<{ status: number; code: unknown; message: unknown }> {
    const answer = await post(`${mesh.baseURL.replace(/\/v1$/, '')}${path(model)}`, text === undefined ? '' : JSON.stringify(body(model, text)), headers);
    const parsed = JSON.parse(answer.text) as never;
    return { status: answer.status, code: code(parsed), message: message(parsed) };
  }

  it.each<[what: string, model: string, text: string | undefined, status: number, expected: string]>([
    ['a model that does not exist', 'nope', 'hi', 404, 'model_not_found'],
    ['a request without a body', 'gpt-4.1', undefined, 400, 'empty_body'],
    ['a body above the limit', 'gpt-4.1', TOO_LARGE, 413, 'request_too_large'],
    ['a provider out of reach that speaks OpenAI’s', 'dead-openai', 'hi', 503, 'provider_unreachable'],
    ['a provider out of reach that speaks Anthropic’s', 'dead-anthropic', 'hi', 503, 'provider_unreachable'],
    ['a provider out of reach that speaks Google’s', 'dead-gemini', 'hi', 503, 'provider_unreachable'],
  ])('is told of %s', async (_what, model, text, status, expected) => {
    expect(await ask(model, text)).toMatchObject({ status, code: expected, message: expect.stringMatching(/\w/) });
  });

  it('is told what the provider refuses, in its words', async () => {
    const { status, message: said } = await ask('gpt-4.1', 'hi', { 'x-simulate': 'status=429' });
    expect([status, said]).toEqual([429, 'This failure was asked for.']);
  });
});

it('tells of headers above the limit in OpenAI’s words, as Envoy does not know the path yet', async () => {
  const answer = await post(mesh.baseURL, '{}', { 'x-long': 'x'.repeat(61 * 1024) });
  expect([answer.status, JSON.parse(answer.text)]).toMatchObject([431, { error: { code: 'headers_too_large' } }]);
});
