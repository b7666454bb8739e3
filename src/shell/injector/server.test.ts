import { request } from 'node:https';
import { connect } from 'node:tls';
import type { TLSSocket } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { injectPod } from '../../core/injection/index.ts';
import { SETTINGS, podWith } from '../../core/injection/pods.test-support.ts';
import { TestAuthority } from '../../../test/support/certificates.ts';
import { startWebhook } from './index.ts';
import type { RunningWebhook, WebhookEvent, WebhookOptions } from './index.ts';

const authority = await TestAuthority.create('injector');
const issue = (): ReturnType<TestAuthority['issue']> => authority.issue({ dns: ['localhost'] });

const events: WebhookEvent[] = [];
let running: RunningWebhook | undefined;

afterEach(async () => {
  await running?.stop();
  running = undefined;
  events.length = 0;
});

async function start(inject: WebhookOptions['inject'] = (pod, namespace) => injectPod(pod, namespace, SETTINGS)): Promise<RunningWebhook> {
  running = await startWebhook({ host: '127.0.0.1', port: 0, identity: await issue(), inject, onEvent: (event) => events.push(event) });
  return running;
}

interface Answered {
  readonly status: number;
  readonly body: string;
}

function send(path: string, body: string | Buffer, { method = 'POST', type = 'application/json' } = {}): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      {
        host: '127.0.0.1',
        servername: 'localhost',
        port: running?.port,
        path,
        method,
        ca: authority.certificate,
        headers: { 'content-type': type },
        agent: false,
      },
      (incoming) => {
        let text = '';
        incoming.setEncoding('utf8');
        incoming.on('data', (chunk: string) => (text += chunk));
        incoming.on('end', () => resolve({ status: incoming.statusCode ?? 0, body: text }));
        incoming.on('error', reject);
      },
    );
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

const review = (object: unknown, request: object = {}): string =>
  JSON.stringify({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: { uid: 'u-1', kind: { group: '', version: 'v1', kind: 'Pod' }, operation: 'CREATE', namespace: 'shop', object, ...request },
  });

interface Response {
  readonly uid: string;
  readonly allowed: boolean;
  readonly patch?: string;
  readonly patchType?: string;
  readonly status?: { readonly message: string };
  readonly warnings?: readonly string[];
}
const responseOf = ({ body }: Answered): Response => (JSON.parse(body) as { readonly response: Response }).response;

describe('a review', () => {
  it('of a pod is answered with a patch, and told of', async () => {
    await start();
    const answered = await send('/inject/namespace?timeout=5s', review(podWith({}, { generateName: 'checkout-' })));
    expect(answered.status).toBe(200);
    const { uid, allowed, patchType, patch = '' } = responseOf(answered);
    expect({ uid, allowed, patchType }).toEqual({ uid: 'u-1', allowed: true, patchType: 'JSONPatch' });
    expect((JSON.parse(Buffer.from(patch, 'base64').toString()) as { path: string }[]).map(({ path }) => path)).toContain('/spec/initContainers');
    expect(events).toEqual([{ kind: 'injected', namespace: 'shop', pod: 'checkout-', why: [] }]);
  });

  it('by the other path is of a namespace without a label', async () => {
    await start();
    expect(responseOf(await send('/inject/pod', review(podWith())))).toEqual({ uid: 'u-1', allowed: true, warnings: [] });
    expect(responseOf(await send('/inject/pod', review(podWith({}, { labels: { 'airmesh.dev/inject': 'enabled' } })))).patch).toBeDefined();
  });

  it('of a pod that has to be changed is refused in words, with the way out', async () => {
    await start();
    const { allowed, status } = responseOf(await send('/inject/namespace', review(podWith({ shareProcessNamespace: true }))));
    expect(allowed).toBe(false);
    expect(status?.message).toMatch(/^airmesh: shareProcessNamespace would let .* label the pod airmesh\.dev\/inject: disabled$/);
  });

  it('has warnings that API servers do not cut', async () => {
    await start();
    const pod = podWith(
      { containers: [{ name: 'n'.repeat(40), envFrom: [{}] }] },
      { annotations: { [`airmesh.dev/${'x'.repeat(63)}`]: 'x', 'airmesh.dev/base-urls': 'enabled' } },
    );
    const { warnings = [] } = responseOf(await send('/inject/namespace', review(pod)));
    expect(warnings).toHaveLength(3);
    expect(warnings.filter((warning) => warning.length > 256)).toEqual([]);
  });
});

describe('what is no review', () => {
  const pod = podWith();
  it.each<[what: string, path: string, body: string | Buffer, options: object, status: number]>([
    ['another path', '/', review(pod), {}, 404],
    ['a path that begins like one', '/inject/namespaces', review(pod), {}, 404],
    ['another method', '/inject/pod', '', { method: 'GET' }, 405],
    ['another type', '/inject/pod', review(pod), { type: 'text/plain' }, 415],
    ['nothing', '/inject/pod', '', {}, 400],
    ['no JSON', '/inject/pod', '{', {}, 400],
    ['no UTF-8', '/inject/pod', Buffer.from([0x22, 0xff, 0x22]), {}, 400],
    ['null', '/inject/pod', 'null', {}, 400],
    ['an older version', '/inject/pod', review(pod).replace('k8s.io/v1', 'k8s.io/v1beta1'), {}, 400],
    ['no pod', '/inject/pod', review(null), {}, 400],
    ['something else than a pod', '/inject/pod', review(pod, { kind: { group: 'apps', version: 'v1', kind: 'Deployment' } }), {}, 400],
    ['a deletion', '/inject/pod', review(pod, { operation: 'DELETE' }), {}, 400],
    ['a pod without containers', '/inject/pod', review({ metadata: {}, spec: {} }), {}, 400],
    ['variables that are none', '/inject/pod', review(podWith({ containers: [{ name: 'a', env: 7 as never }] })), {}, 400],
    ['a label that is no word', '/inject/pod', review(podWith({}, { labels: { a: 1 as never } })), {}, 400],
    ['too much', '/inject/pod', ' '.repeat(4 * 1024 * 1024 + 1), {}, 413],
  ])('%s', async (_what, path, body, options, status) => {
    await start();
    expect((await send(path, body, options)).status).toBe(status);
    expect(events).toMatchObject([{ kind: 'unreadable', status }]);
    expect(responseOf(await send('/inject/namespace', review(podWith()))).allowed).toBe(true);
  });

  it('quotes nothing of the body', async () => {
    await start();
    const planted = 'sk-planted-secret';
    const { body } = await send('/inject/pod', review(podWith({ containers: [{ name: 'a', env: [{ name: 1 as never, value: planted }] }] })));
    expect(body + JSON.stringify(events)).not.toContain(planted);
  });

  it('just fits', async () => {
    await start();
    const text = review(podWith());
    expect((await send('/inject/namespace', text + ' '.repeat(4 * 1024 * 1024 - text.length))).status).toBe(200);
  });

  it('is a bug here: that one review fails, the next does not', async () => {
    let isBroken = true;
    await start((each, namespace) => {
      if (isBroken) throw new Error('planted');
      return injectPod(each, namespace, SETTINGS);
    });
    expect(await send('/inject/namespace', review(pod))).toEqual({ status: 500, body: 'This review could not be answered; the log says why.\n' });
    expect(events).toMatchObject([{ kind: 'failed', error: { message: 'planted' } }]);
    isBroken = false;
    expect((await send('/inject/namespace', review(pod))).status).toBe(200);
  });
});

describe('a connection', () => {
  const open = (port: number): Promise<TLSSocket> =>
    new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', servername: 'localhost', port, ca: authority.certificate }, () => resolve(socket));
      socket.on('error', reject);
    });
  const serialOf = (socket: TLSSocket): string => socket.getPeerCertificate().serialNumber;

  it('outlives a new certificate, which later ones see', async () => {
    const webhook = await start();
    const old = await open(webhook.port);
    const former = serialOf(old);
    webhook.use(await issue());
    const next = await open(webhook.port);
    expect(serialOf(next)).not.toBe(former);
    const answered = new Promise<string>((resolve) => old.once('data', (chunk: Buffer) => resolve(chunk.toString())));
    old.write('GET /inject/pod HTTP/1.1\r\nhost: x\r\n\r\n');
    expect(await answered).toContain('405');
    next.destroy();
    old.destroy();
  });

  it('in plain text gets nothing, and harms nothing', async () => {
    const webhook = await start();
    await expect(fetch(`http://127.0.0.1:${webhook.port}/inject/pod`)).rejects.toThrow();
    expect((await send('/inject/namespace', review(podWith()))).status).toBe(200);
  });
});
