/** Programs that know nothing of Airmesh, in a pod: their calls to the official hosts are governed. Needs root and iptables. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { goProgram, program, pythonWithSdks } from '../../support/interception/clients.ts';
import { KEYS, OPEN, World } from '../../support/interception/world.ts';

let world: World;
let python: string;
let go: string;
beforeAll(async () => {
  python = pythonWithSdks();
  world = await World.create('c', OPEN, '80,443,8000');
  go = goProgram(world.folder, 'client');
});
afterAll(async () => world?.stop());

const chat = JSON.stringify({ model: 'gpt-4.1', messages: [{ role: 'user', content: 'hi' }] });

describe('curl', () => {
  it.each([
    ['HTTPS, HTTP/2', ['--http2', 'https://api.openai.com/v1/chat/completions']],
    ['HTTPS, HTTP/1.1', ['--http1.1', 'https://api.openai.com/v1/chat/completions']],
    ['HTTPS, IPv6', ['-6', 'https://api.openai.com/v1/chat/completions']],
    ['HTTP', ['http://api.openai.com/v1/chat/completions']],
    ['HTTP, IPv6', ['-6', 'http://api.openai.com/v1/chat/completions']],
    ['HTTP/2 without TLS', ['--http2-prior-knowledge', 'http://api.openai.com/v1/chat/completions']],
  ])('over %s is governed', async (_how, args) => {
    const answer = await world.curl(...args, '-H', 'content-type: application/json', '-H', 'authorization: Bearer airmesh-injected', '-d', chat);
    expect(answer, answer.err).toMatchObject({ status: '200' });
    const { seen } = await world.seen();
    expect(seen.map(({ at, host, path, headers }) => [at, host, path, headers['authorization']])).toEqual([
      ['providers', 'api.openai.com', '/v1/chat/completions', `Bearer ${KEYS.openai}`],
    ]);
    // Nothing of what Envoy notes for servers behind it.
    expect(Object.keys(seen[0]?.headers ?? {}).filter((name) => name.startsWith('x-'))).toEqual([]);
  });
});

const onlyTrueKeys = async (): Promise<number> => {
  const { seen } = await world.seen();
  const keys = seen.map(({ headers }) => headers['authorization'] ?? headers['x-api-key'] ?? headers['x-goog-api-key']);
  const known = new Set<unknown>([`Bearer ${KEYS.openai}`, KEYS.anthropic, KEYS.gemini]);
  expect(keys.filter((key) => !known.has(key))).toEqual([]);
  expect(JSON.stringify(seen)).not.toContain('airmesh-injected');
  return seen.length;
};

const texts = (names: readonly string[]): object => Object.fromEntries(names.map((name) => [name, expect.stringMatching(/./)]));

describe('the official SDKs', () => {
  it('for Node: chats, streams, tools, another provider’s model', async () => {
    const ran = await world.run([process.execPath, program('sdks.mjs')]);
    expect(ran, ran.err).toMatchObject({ code: 0 });
    expect(JSON.parse(ran.out)).toEqual({
      ...texts(['answer', 'streamed', 'elsewhere', 'message', 'messageStream', 'content', 'contentStream']),
      tool: 'weather',
      models: 'several',
    });
    expect(await onlyTrueKeys()).toBe(8);
  });

  it('for Python', async () => {
    const ran = await world.run([python, program('sdks.py')], { uid: 0 });
    expect(ran, ran.err).toMatchObject({ code: 0 });
    expect(JSON.parse(ran.out)).toEqual(texts(['answer', 'streamed', 'message', 'content', 'requests']));
    expect(await onlyTrueKeys()).toBe(5);
  });
});

describe('other languages’ own clients', () => {
  it('Go’s net/http', async () => {
    const ran = await world.run([go]);
    expect(ran, ran.err).toMatchObject({ code: 0 });
    expect(JSON.parse(ran.out)).toEqual({ https: '200 HTTP/2.0', http: '200 HTTP/1.1' });
    expect(await onlyTrueKeys()).toBe(2);
  });

  it('Java’s HttpClient', async () => {
    const ran = await world.run(['java', program('Client.java')]);
    expect(ran, ran.err).toMatchObject({ code: 0 });
    expect(JSON.parse(ran.out)).toEqual({ status: 200, version: 'HTTP_2' });
    expect(await onlyTrueKeys()).toBe(1);
  });
});

describe('an intercepted call', () => {
  it('may be 20 MB', async () => {
    const image = `data:image/png;base64,${'A'.repeat(20 * 1024 * 1024)}`;
    const body = JSON.stringify({ model: 'gpt-4.1', messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: image } }] }] });
    const ran = await world.run(
      [
        'curl',
        '-sS',
        '-o',
        '/dev/null',
        '-w',
        '%{http_code}',
        '-H',
        'content-type: application/json',
        '--data-binary',
        '@-',
        'https://api.openai.com/v1/chat/completions',
      ],
      { input: body },
    );
    expect(ran.out, ran.err).toBe('200');
    const [seen] = (await world.seen()).seen;
    expect(seen?.bytes).toBeGreaterThanOrEqual(body.length);
  });

  it('to a model server of the cluster is governed, by whatever name it is called', async () => {
    for (const host of ['vllm.models', 'vllm.models.svc']) {
      const answer = await world.curl(
        `http://${host}:8000/v1/chat/completions`,
        '-H',
        'content-type: application/json',
        '-d',
        JSON.stringify({ model: 'house-model', messages: [{ role: 'user', content: 'hi' }] }),
      );
      expect(answer, answer.body).toMatchObject({ status: '200' });
    }
    expect((await world.seen()).seen.map(({ at, host }) => [at, host])).toEqual([
      ['models', 'vllm.models.svc:8000'],
      ['models', 'vllm.models.svc:8000'],
    ]);
    const spend = JSON.parse((await world.curl('http://127.0.0.1:15420/spend')).body) as { readonly totals?: object };
    expect(JSON.stringify(spend)).toContain('house-model');
  });

  it('over a WebSocket is refused, in words', async () => {
    const answer = await world.curl(
      '--http1.1',
      'https://api.openai.com/v1/realtime',
      '-H',
      'connection: upgrade',
      '-H',
      'upgrade: websocket',
      '-H',
      'sec-websocket-version: 13',
      '-H',
      'sec-websocket-key: x',
    );
    expect(answer).toMatchObject({ status: '403' });
    expect(JSON.parse(answer.body)).toMatchObject({ error: { code: 'upgrade_refused' } });
    expect((await world.seen()).seen).toEqual([]);
  });

  it('leaves no key in the log, in Envoy’s files or in what the application can read', async () => {
    const files = await world.run(['grep', '-rlaE', Object.values(KEYS).join('|'), `${world.stateDir}/envoy`, `${world.folder}/trust`], { uid: 0 });
    expect(files.out).toBe('');
    for (const key of Object.values(KEYS)) expect(world.log()).not.toContain(key);
    const read = await world.run(['sh', '-c', `cat ${world.stateDir}/envoy/*; ls ${world.folder}/tmp/*`]);
    expect(read.out).toBe('');
  });
});
