/** What is no AI call passes a pod's sidecar as if it were not there; and what is, fails closed. Needs root and iptables. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goProgram, program } from '../../support/interception/clients.ts';
import { OUTSIDE } from '../../support/interception/namespaces.ts';
import { OPEN, World } from '../../support/interception/world.ts';

let world: World;
beforeAll(async () => {
  world = await World.create('o', OPEN, '80,443,8000,5432');
});
afterAll(async () => world?.stop());

/** In the pod: what a server says, and how long it took. Sends `text` where there is any. */
async function talk(host: string, port: number, text = ''): Promise<{ readonly said: string; readonly ms: number }> {
  const { out } = await world.run([process.execPath, program('talk.mjs'), host, String(port), text]);
  return JSON.parse(out) as { readonly said: string; readonly ms: number };
}

const publicRoots = (): Record<string, string> => ({ CURL_CA_BUNDLE: `${world.folder}/public.pem`, SSL_CERT_FILE: `${world.folder}/public.pem` });

describe('TLS to another host', () => {
  it.each([['https://other.example/'], ['https://pinned.example/'], ['https://other6.example/']])('at %s is end to end', async (url) => {
    // Whoever trusts the public authority alone would not take a certificate of the mesh's.
    const ran = await world.run(['curl', '-sS', url], { env: publicRoots() });
    expect(ran, ran.err).toMatchObject({ code: 0, out: 'this is others\n' });
    expect((await world.seen()).seen).toMatchObject([{ at: 'others', version: '2.0' }]);
  });

  it('with a hidden name goes where it was going, where egress is open', async () => {
    const { out, err } = await world.run([goProgram(world.folder, 'ech'), `${OUTSIDE.others}:443`, 'cloudflare-ech.com', 'other.example']);
    // The server has read it, and does not have the key.
    expect(out.trim(), err).toBe('read');
  });

  it('is refused where policy says so', async () => {
    const ran = await world.run(['curl', '-sS', 'https://refused.example/'], { env: publicRoots() });
    expect(ran.code).toBe(35);
    expect((await world.seen()).seen).toEqual([]);
    expect(await world.stats('tcp.refused.downstream_cx_total')).toContain('tcp.refused.downstream_cx_total: 1');
  });
});

describe('plain HTTP to another host', () => {
  it('arrives as it was written', async () => {
    const answer = await world.curl(
      '-i',
      'http://other.example/a//b/../c%2Fd?x=%41',
      '--path-as-is',
      '-H',
      'X-Mixed-Case: Kept',
      '-H',
      'under_score: kept',
      '-H',
      'x-airmesh-backend: shop/openai',
    );
    expect(answer).toMatchObject({ status: '200', body: expect.stringContaining('X-Answer-Case: kept') });
    const [request = ''] = (await world.seen()).raw;
    expect(
      request
        .split('\r\n')
        .filter((line) => line !== '')
        .toSorted(),
    ).toEqual(
      [
        'GET /a//b/../c%2Fd?x=%41 HTTP/1.1',
        'Host: other.example',
        'User-Agent: curl/7.88.1',
        'Accept: */*',
        'X-Mixed-Case: Kept',
        'under_score: kept',
        'x-airmesh-backend: shop/openai',
      ]
        .map((line) => (line.startsWith('User-Agent') ? expect.stringMatching(/^User-Agent: curl/) : line))
        .toSorted(),
    );
  });

  it('keeps what it says itself of its way', async () => {
    const answer = await world.curl(
      'http://other.example/',
      '-H',
      'x-forwarded-proto: https',
      '-H',
      'x-request-id: own',
      '-H',
      'x-airmesh-forwarded-proto: made up',
    );
    expect(answer).toMatchObject({ status: '200' });
    const [request = ''] = (await world.seen()).raw;
    expect(request.split('\r\n').filter((line) => line.startsWith('x-'))).toEqual(['x-forwarded-proto: https', 'x-request-id: own']);
  });

  it('may become a WebSocket', async () => {
    const { said } = await talk(
      'other.example',
      80,
      'GET / HTTP/1.1\r\nHost: other.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13\r\n\r\n',
    );
    expect(said).toMatch(/^HTTP\/1\.1 101 [\s\S]*hello$/);
    await world.seen();
  });

  it('over HTTP/2 without TLS, as gRPC speaks, stays HTTP/2', async () => {
    const answer = await world.curl('--http2-prior-knowledge', 'http://other.example:8000/grpc.Service/Method');
    expect(answer).toMatchObject({ status: '200', body: 'this is others\n' });
    expect((await world.seen()).seen).toMatchObject([{ at: 'others', version: '2.0', path: '/grpc.Service/Method' }]);
  });
});

describe('a server that speaks first', () => {
  it('is heard at once where its port is not redirected', async () => {
    world.redirect('80,443,8000');
    const { said, ms } = await talk('db.shop.svc', 5432);
    expect(said).toBe('hello\n');
    expect(ms).toBeLessThan(4500);
  });

  it('is heard at once where its port is redirected, as no filter waits on it', async () => {
    world.redirect('all');
    const { said, ms } = await talk('db.shop.svc', 5432);
    expect(said).toBe('hello\n');
    expect(ms).toBeLessThan(4500);
    expect(await world.stats('tcp.passed.downstream_cx_total')).toMatch(/downstream_cx_total: [1-9]/);
  });

  it('is heard after five seconds on a port that is looked into', async () => {
    const { said, ms } = await talk('db.shop.svc', 443);
    expect(said).toBe('hello\n');
    expect(ms).toBeGreaterThan(4500);
  });
});

describe('when policies change', () => {
  it('connections that pass are not cut', async () => {
    const long = world.run([process.execPath, program('hold.mjs'), 'db.shop.svc', '5432', '9000']);
    await world.push(await world.orders({ settings: { ...OPEN, refusedHosts: ['refused.example', 'another.example'] } }));
    const { out } = await long;
    expect(JSON.parse(out)).toEqual({ echoes: 'all' });
  });
});

describe('when the processor is killed', () => {
  it('governed calls are refused in the caller’s language, and the rest flows, over connections that were there before too, until the next one is there and goes on', async () => {
    const held = world.hold('db.shop.svc', 5432);
    await held.more();
    const envoy = world.envoyPid();
    await world.killProcessor();
    await held.more();
    const body = ['-H', 'content-type: application/json', '-d', '{"model":"gpt-4.1","max_tokens":5,"messages":[{"role":"user","content":"hi"}]}'];
    const openai = await world.curl('https://api.openai.com/v1/chat/completions', ...body);
    expect(openai).toMatchObject({ status: '503' });
    expect(JSON.parse(openai.body)).toMatchObject({ error: { code: 'processor_unavailable' } });
    const anthropic = await world.curl('https://api.anthropic.com/v1/messages', ...body);
    expect(anthropic).toMatchObject({ status: '503' });
    expect(JSON.parse(anthropic.body)).toMatchObject({ type: 'error', error: { details: { error_code: 'processor_unavailable' } } });
    const gemini = await world.curl('https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash:generateContent', ...body);
    expect(JSON.parse(gemini.body)).toMatchObject({
      error: { code: 503, details: expect.arrayContaining([expect.objectContaining({ reason: 'PROCESSOR_UNAVAILABLE' })]) },
    });
    const plain = await world.curl('http://vllm.models:8000/v1/chat/completions', ...body);
    expect(plain).toMatchObject({ status: '503' });
    expect((await world.seen()).seen).toEqual([]);

    expect(await world.run(['curl', '-sS', 'https://other.example/'], { env: publicRoots() })).toMatchObject({ code: 0 });
    expect(await world.curl('http://other.example/')).toMatchObject({ status: '200' });
    expect(await talk('db.shop.svc', 5432)).toMatchObject({ said: 'hello\n' });

    await world.startProcessor();
    expect(world.envoyPid()).toBe(envoy);
    expect(await world.curl('https://api.openai.com/v1/chat/completions', ...body)).toMatchObject({ status: '200' });
    await held.more();
    expect(await held.end()).toEqual({ echoes: 'all' });
  });
});
