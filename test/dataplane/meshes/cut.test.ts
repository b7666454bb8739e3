/** A stream that reaches the end of its budget, in a mesh's own Envoy: it is cut there as in ours. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../../support/mesh.ts';
import { ANTHROPIC, MeshWorld, OPENAI, chat } from '../../support/meshes/world.ts';
import { renderedFor } from '../../support/meshes/objects.ts';

/** Of tokens, prompt included; of a model each, so that no test takes another's. */
const LIMIT = 800;
const ANSWER = 3_000;
const FAULTS = { 'x-simulate': `tokens=${ANSWER}, chunk-delay=1ms` };

const budget = (nearLimit: string): string => `---
apiVersion: airmesh.dev/v1alpha1
kind: AIBudget
metadata: {name: tokens, namespace: shop}
spec: {limit: {tokens: ${LIMIT}}, window: {lifetime: true}, waitTimeout: 1s, per: [Model], mode: Bounded, nearLimit: ${nearLimit}}
`;

/** Tokens of answers, as the provider will bill them. */
const billed = ({ simulator }: MeshWorld): number =>
  (simulator.books.toJSON() as { attempts: readonly { output: number }[] }).attempts.reduce((sum, { output }) => sum + output, 0);

describe.each([
  ['istio', '1.36.4'],
  ['istio', '1.40.0'],
  ['kuma', '1.36.4'],
  ['kuma', '1.40.0'],
] as const)('a sidecar of %s with Envoy %s', (mesh, version) => {
  let world: MeshWorld;
  beforeAll(async () => {
    world = await MeshWorld.start({ mesh, version, more: () => budget('CutStream') });
  });
  afterAll(() => world?.stop());

  it('ends a stream at its limit in the caller’s language, the provider stops, and the connection goes on', async () => {
    const before = billed(world);
    const answer = await world.call(OPENAI, '/v1/chat/completions', chat('gpt-4.1', { stream: true }), FAULTS);
    expect(answer.status, answer.text).toBe(200);
    expect(answer.text.endsWith('data: [DONE]\n\n')).toBe(true);
    expect(answer.text.split('"finish_reason":"length"')).toHaveLength(2);
    await until('the provider noticed', () => billed(world) > before);
    expect(billed(world) - before).toBeLessThan(ANSWER * 0.7);
    // What is left is nothing: the next call is refused, in words.
    const refused = await world.call(OPENAI, '/v1/chat/completions', chat('gpt-4.1'));
    expect(refused.status).toBe(429);
    expect(refused.text).toContain('insufficient_quota');
  });

  it('does so for a call of another dialect, and leaves whole what fits', async () => {
    const short = await world.call(ANTHROPIC, '/v1/messages', { ...chat('claude-sonnet-4.5', { stream: true }), max_tokens: 50 });
    expect(short.text).toContain('event: message_stop');
    const cut = await world.call(ANTHROPIC, '/v1/messages', { ...chat('claude-sonnet-4.5', { stream: true }), max_tokens: 8_000 }, FAULTS);
    expect(cut.text).toContain('"stop_reason":"max_tokens"');
    expect(cut.text.trimEnd().endsWith('data: {"type":"message_stop"}')).toBe(true);
  });

  it('settles each cut once', async () => {
    const settled = await world.stopProcessor();
    expect(settled.filter(({ ending }) => ending === 'cut').map(({ provider, estimated }) => ({ provider, estimated }))).toEqual([
      { provider: 'shop/openai', estimated: true },
      { provider: 'shop/anthropic', estimated: true },
    ]);
    expect(settled.filter(({ ending }) => ending !== undefined)).toHaveLength(3);
  });
});

describe('without a budget that cuts', () => {
  let world: MeshWorld | undefined;
  afterEach(() => world?.stop());

  it('the mode that could is not asked for', async () => {
    world = await MeshWorld.start({ mesh: 'istio', version: '1.40.0', more: () => budget('Reject') });
    const { text } = await renderedFor('istio', `${world.folder}/cluster.yaml`);
    expect(text).not.toContain('FULL_DUPLEX_STREAMED');
    const answer = await world.call(OPENAI, '/v1/chat/completions', chat('gpt-4.1', { stream: true }), FAULTS);
    expect(answer.text).toContain('"finish_reason":"stop"');
  });
});
