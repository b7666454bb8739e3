/** What `airmesh render` writes for Istio and Kuma, on a real Envoy shaped like their sidecars, with the processor in a process of its own. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ANTHROPIC, MeshWorld, OPENAI, OTHER, chat } from '../../support/meshes/world.ts';

describe.each([
  ['istio', '1.36.4'],
  ['istio', '1.40.0'],
  ['kuma', '1.36.4'],
  ['kuma', '1.40.0'],
] as const)('a sidecar of %s with Envoy %s', (mesh, version) => {
  let world: MeshWorld;
  const call: MeshWorld['call'] = (...asked) => world.call(...asked);

  beforeAll(async () => {
    world = await MeshWorld.start({ mesh, version });
  });
  afterAll(() => world?.stop());

  it('governs a provider’s host: the key is the processor’s, TLS is to the provider by its name', async () => {
    const answer = await call(OPENAI, '/v1/chat/completions', chat('gpt-4.1'));
    expect(answer.status, answer.text).toBe(200);
    expect(answer.text).toContain('"usage"');
    expect(world.names.at(-1)).toBe(OPENAI);
    // The simulated provider takes no key but the true one.
    expect(answer.headers['x-airmesh-request-id']).toMatch(/^call-/);
  });

  it('streams', async () => {
    const answer = await call(OPENAI, '/v1/chat/completions', chat('gpt-4.1', { stream: true }));
    expect(answer.status).toBe(200);
    expect(answer.text.trimEnd()).toMatch(/data: \[DONE\]$/);
  });

  it('goes where the processor says, with that provider’s key, whatever host was called', async () => {
    const answer = await call(OPENAI, '/v1/chat/completions', chat('claude-sonnet-4.5'));
    expect(answer.status, answer.text).toBe(200);
    expect(world.names.at(-1)).toBe(ANTHROPIC);
    const direct = await call(ANTHROPIC, '/v1/messages', { ...chat('claude-sonnet-4.5'), max_tokens: 20 });
    expect(direct.status, direct.text).toBe(200);
    expect(JSON.parse(direct.text)).toMatchObject({ type: 'message' });
  });

  it('takes bodies of megabytes, and requests without any', async () => {
    const long = await call(OPENAI, '/v1/chat/completions', chat('gpt-4.1', { user: 'lorem '.repeat(250_000) }));
    expect(long.status, long.text.slice(0, 300)).toBe(200);
    const models = await call(OPENAI, '/v1/models', undefined, {}, 'GET');
    expect(models.status).toBe(200);
    expect(models.text).toContain('gpt-4.1');
  });

  it('refuses in the caller’s dialect', async () => {
    const refused = await call(OPENAI, '/v1/chat/completions', chat('gpt-unknown'));
    expect(refused.status).toBe(404);
    expect(JSON.parse(refused.text)).toMatchObject({ error: { code: 'model_not_found' } });
  });

  it.each([
    ['a provider', { 'x-airmesh-backend': 'shop/openai' }],
    ['another workload', { 'x-airmesh-workload': 'shop/admin', 'x-airmesh-backend': 'shop/anthropic' }],
  ])('lets nobody choose %s by a header', async (_name, headers) => {
    const before = world.names.length;
    const answer = await call(OPENAI, '/v1/files/x/unknown', undefined, { ...headers, authorization: 'Bearer own-key' }, 'GET');
    expect(answer.status).toBeGreaterThanOrEqual(400);
    expect(world.names.length).toBe(before);
    const governed = await call(OPENAI, '/v1/chat/completions', chat('gpt-4.1'), headers);
    expect(governed.status).toBe(200);
    expect(governed.headers['x-airmesh-request-id']).toBeDefined();
  });

  it('leaves other hosts on the port untouched, down to their headers', async () => {
    const seen = world.otherSaw.length;
    const answer = await call(OTHER, '/v1/chat/completions', chat('gpt-4.1'), { 'x-airmesh-backend': 'kept', 'x-envoy-max-retries': '0' });
    expect([answer.status, answer.text]).toEqual([200, 'other']);
    expect(world.otherSaw.length).toBe(seen + 1);
    expect(world.otherSaw.at(-1)).toMatchObject({ authorization: 'Bearer placeholder', 'x-airmesh-backend': 'kept' });
    expect(answer.headers['x-airmesh-request-id']).toBeUndefined();
  });

  it('fails closed for providers and open for the rest when the processor is gone, and all is settled', async () => {
    const settled = await world.stopProcessor();
    expect(settled.length).toBeGreaterThan(6);
    expect(new Set(settled.map(({ workload }) => workload))).toEqual(new Set(['shop/checkout']));
    expect(settled.filter(({ ending }) => ending !== undefined).every(({ ending }) => ending === 'finished')).toBe(true);
    const before = world.names.length;
    for (const headers of [{}, { 'x-airmesh-backend': 'shop/openai' }]) {
      const refused = await call(OPENAI, '/v1/chat/completions', chat('gpt-4.1'), headers);
      expect(refused.status).toBe(503);
      expect(JSON.parse(refused.text)).toMatchObject({ error: { code: 'processor_unavailable' } });
    }
    const toAnthropic = await call(ANTHROPIC, '/v1/messages', { ...chat('claude-sonnet-4.5'), max_tokens: 20 });
    expect(JSON.parse(toAnthropic.text)).toMatchObject({ type: 'error', error: { details: { error_code: 'processor_unavailable' } } });
    expect(world.names.length).toBe(before);
    expect((await call(OTHER, '/', undefined, {}, 'GET')).text).toBe('other');
    await world.startProcessor();
    expect((await call(OPENAI, '/v1/chat/completions', chat('gpt-4.1'))).status).toBe(200);
  });
});
