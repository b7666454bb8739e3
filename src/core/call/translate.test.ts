import { describe, expect, it } from 'vitest';
import { backOf, frontOf } from '../dialects/index.ts';
import { encodeJson, encodeUtf8 } from '../json/index.ts';
import { compile, parseResource } from '../policy/index.ts';
import type { Resource, WorkloadSnapshot } from '../policy/index.ts';
import { translate } from './translate.ts';

const resource = (kind: string, name: string, spec: object): Resource => {
  const parsed = parseResource({ apiVersion: 'airmesh.dev/v1alpha1', kind, metadata: { name, namespace: 'shop' }, spec });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
};

const CLAUDE = 'claude-sonnet-4.5';

/** A workload that may call Claude at Anthropic, and another model at a relay. */
function snapshotOf(): WorkloadSnapshot {
  const resources = [
    resource('AIProvider', 'claude', { type: 'Anthropic', auth: { apiKey: { env: 'KEY' } } }),
    resource('AIProvider', 'relay', { type: 'OpenAICompatible', baseUrl: 'https://relay.example/v1', auth: { apiKey: { env: 'KEY' } } }),
    resource('AIRoute', 'all', {
      workloads: ['*'],
      rules: [
        { match: { models: [CLAUDE] }, backends: [{ provider: 'claude' }] },
        { match: { models: ['gpt-4.1'] }, backends: [{ provider: 'relay' }] },
      ],
    }),
  ];
  const known = { openai: [], anthropic: [], google: [], deepseek: [] };
  const snapshot = compile(resources, [{ namespace: 'shop', name: 'checkout' }], {
    own: [],
    known,
    simulatedUrl: undefined,
    readCertificates: (pem: string) => ({ ok: true, value: pem }) as const,
  }).snapshots.get('shop/checkout');
  if (snapshot === undefined) throw new Error('nothing was compiled');
  return snapshot;
}

const form = (fields: string): Uint8Array => encodeUtf8(`--b\r\n${fields}\r\n--b--\r\n`);
const SOUND = form(
  `content-disposition: form-data; name="model"\r\n\r\n${CLAUDE}\r\n--b\r\ncontent-disposition: form-data; name="file"; filename="a.mp3"\r\n\r\nx`,
);

describe('what a provider has nothing for', () => {
  it.each<[path: string, contentType: string, body: Uint8Array]>([
    ['/v1/embeddings', 'application/json', encodeJson({ model: CLAUDE, input: 'x' })],
    ['/v1/images/generations', 'application/json', encodeJson({ model: CLAUDE, prompt: 'x' })],
    ['/v1/audio/speech', 'application/json', encodeJson({ model: CLAUDE, input: 'x', voice: 'alloy' })],
    ['/v1/audio/transcriptions', 'multipart/form-data; boundary=b', SOUND],
    ['/v1/moderations', 'application/json', encodeJson({ model: CLAUDE, input: 'x' })],
    ['/v1beta/models/claude-sonnet-4.5:embedContent', 'application/json', encodeJson({ content: { parts: [{ text: 'x' }] } })],
  ])('is refused for what it is, with the models that can: %s', (path, contentType, body) => {
    const snapshot = snapshotOf();
    const dialect = frontOf(path, new Map());
    const match = dialect.match('POST', path);
    if (match.kind !== 'endpoint') throw new Error(`${path} is no endpoint`);
    const content = { contentType, contentEncoding: undefined };
    const facts = dialect.readRequest(match.endpoint, body, content);
    if (!facts.ok) throw new Error(facts.error.message);
    const provider = snapshot.providers.get('shop/claude');
    const model = provider?.models.get(CLAUDE);
    if (provider === undefined || model === undefined) throw new Error('the provider is not there');
    const translated = translate({ dialect, endpoint: match.endpoint, body, content, facts: facts.value }, backOf('anthropic'), provider, model, snapshot);
    expect(translated).toMatchObject({
      ok: false,
      error: { code: 'operation_not_supported', status: 404, message: expect.stringMatching(/^shop\/claude has nothing for .* Models that can: gpt-4\.1\.$/) },
    });
  });
});
