/** WebSockets, host by host: refused where calls are governed, unless policy lets them pass; then to that host itself. Needs root and iptables. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OUTSIDE } from '../../support/interception/namespaces.ts';
import { ENFORCED, KEYS, World } from '../../support/interception/world.ts';

const OWN = 'sk-of-the-applications-own-0123456789';
const to = (name: string, port: number, address: string): string[] => ['--connect-to', `${name}:${port}:${address}:${port}`];
const UPGRADE = ['connection: Upgrade', 'upgrade: websocket', 'sec-websocket-version: 13', 'sec-websocket-key: x'].flatMap((header) => ['-H', header]);
const REALTIME = 'https://api.openai.com/v1/realtime?model=gpt-realtime';

describe.each(['1.40.0', '1.36.4'])('with Envoy %s', (version) => {
  let world: World;
  beforeAll(async () => {
    world = await World.create(`w${version.slice(2, 4)}`, { ...ENFORCED, webSocketHosts: ['api.openai.com'] }, 'all', version);
  });
  afterAll(async () => world?.stop());

  /** A WebSocket that opens does not end by itself. */
  const open = (...args: readonly string[]) => world.curl('--http1.1', '--max-time', '3', ...UPGRADE, '-H', `authorization: Bearer ${OWN}`, ...args);

  it.each([
    ['OpenAI’s', 'http://vllm.models:8000/v1/realtime', { error: { code: 'upgrade_refused' } }],
    ['Anthropic’s', 'https://api.anthropic.com/v1/messages', { type: 'error', error: { details: { error_code: 'upgrade_refused' } } }],
    ['Anthropic’s, without TLS', 'http://api.anthropic.com/v1/messages', { type: 'error', error: { details: { error_code: 'upgrade_refused' } } }],
    ['Google’s', 'https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:bidi', { error: { code: 403, status: 'PERMISSION_DENIED' } }],
  ])('is refused in %s language', async (_whose, url, body) => {
    const answer = await open(url);
    expect(answer, answer.err).toMatchObject({ status: '403' });
    expect(JSON.parse(answer.body)).toMatchObject(body);
    expect((await world.seen()).seen).toEqual([]);
  });

  it.each([
    ['as it is called', [REALTIME]],
    ['wherever the pod connects', [REALTIME, ...to('api.openai.com', 443, OUTSIDE.attacker)]],
    ['without TLS, wherever the pod connects', [REALTIME.replace('https', 'http'), ...to('api.openai.com', 80, OUTSIDE.attacker)]],
    ['whatever it says to the mesh', [REALTIME, '-H', 'x-airmesh-backend: shop/openai', '-H', 'x-airmesh-caller-key: own']],
  ])('passes where policy lets it: %s', async (_how, args) => {
    const answer = await open(...args);
    expect(answer, answer.err).toMatchObject({ status: '101', body: expect.stringContaining('hello') as unknown });
    const { seen } = await world.seen();
    expect(seen).toMatchObject([
      { at: 'providers', host: 'api.openai.com', path: '/v1/realtime?model=gpt-realtime', headers: { authorization: `Bearer ${OWN}`, upgrade: 'websocket' } },
    ]);
    expect(JSON.stringify(seen)).not.toContain('x-airmesh');
    for (const key of Object.values(KEYS)) expect(JSON.stringify(seen)).not.toContain(key);
  });

  it('has the host held to the server’s name', async () => {
    expect(await open('https://api.openai.com/v1/realtime', '-H', 'Host: api.anthropic.com')).toMatchObject({ status: '403' });
    expect(await open('https://api.anthropic.com/v1/realtime', '-H', 'Host: api.openai.com')).toMatchObject({ status: '421' });
    expect((await world.seen()).seen).toEqual([]);
  });

  it('leaves calls to that host governed, also those that only look like one', async () => {
    const body = ['-H', 'content-type: application/json', '-d', '{"model":"gpt-4.1","messages":[{"role":"user","content":"hi"}]}'];
    for (const args of [[], ['--http1.1', '-H', 'upgrade: websocket'], ['--http2', '-H', 'upgrade: websocket']]) {
      const answer = await world.curl('https://api.openai.com/v1/chat/completions', '-H', `authorization: Bearer ${OWN}`, ...args, ...body);
      expect(answer, `${args.join(' ')} ${answer.body} ${answer.err}`).toMatchObject({ status: '200' });
      expect((await world.seen()).seen.map(({ headers }) => headers['authorization'])).toEqual([`Bearer ${KEYS.openai}`]);
    }
  });

  it('passes to a host that passes, as everything there does', async () => {
    const { out } = await world.run(['curl', '-sS', '--http1.1', '--max-time', '3', '-w', '%{http_code}', ...UPGRADE, 'https://pinned.example/'], {
      env: { CURL_CA_BUNDLE: world.publicCa },
    });
    expect(out).toBe('hello101');
    await world.seen();
  });
});
