import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, RequestListener, Server, ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BackName } from '../../core/dialects/index.ts';
import { checkProvider } from './index.ts';

const KEY = 'sk-planted0123456789abcdefghij';

const json =
  (status: number, value: unknown, headers = {}) =>
  (_request: IncomingMessage, response: ServerResponse): void =>
    void response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));

/** As Google lists them, whose names stand below their collection. */
const listFor =
  (header: string, others: Readonly<Record<string, string>> = {}): RequestListener =>
  (request, response) => {
    const accepted =
      request.headers[header] === KEY &&
      request.headers.authorization === undefined &&
      Object.entries(others).every(([name, value]) => request.headers[name] === value);
    json(accepted ? 200 : 401, { models: [{ name: 'models/gpt-4.1' }, { name: 'o3' }, {}] })(request, response);
  };

const pages: Readonly<Record<string, RequestListener>> = {
  '/good/models': (request, response) =>
    json(request.headers.authorization === `Bearer ${KEY}` ? 200 : 401, { object: 'list', data: [{ id: 'gpt-4.1' }, { id: 'o3' }, { noId: true }] })(
      request,
      response,
    ),
  '/x-api-key/models': listFor('x-api-key', { 'anthropic-version': '2023-06-01' }),
  '/x-goog-api-key/models': listFor('x-goog-api-key'),
  '/api-key/v1/models': listFor('api-key'),
  '/api-key/models?api-version=2024-10-21': listFor('api-key'),
  '/google/models': json(400, { error: { code: 400, message: 'API key not valid. Please pass a valid API key.', status: 'INVALID_ARGUMENT' } }),
  '/unauthorised/models': json(401, { error: { message: `Incorrect API key provided: ${KEY}. \u001B[31m`, code: 'invalid_api_key' } }),
  '/forbidden/models': json(403, { error: { message: 'Country not supported' } }),
  '/quota/models': json(429, { error: { message: 'You exceeded your current quota' } }),
  '/html/models': (_request, response) => void response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end('<html>'),
  '/moved/models': json(301, {}, { location: 'https://elsewhere.example/v1/models' }),
  '/broken/models': json(502, 'Bad gateway'),
  '/null/models': json(200, null),
  '/endless/models': (_request, response) => {
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    // A write to a connection that is gone fails at once, so each waits for the last to have drained.
    const more = (): void => void (response.socket?.destroyed === false && response.write(chunk, (error) => void (error ?? setImmediate(more))));
    more();
  },
  '/silent/models': () => undefined,
  '/stalls/models': (_request, response) => void response.writeHead(200, { 'content-type': 'application/json' }).write('{"data":['),
};

let base: string;
let server: Server;
beforeAll(async () => {
  server = createServer((request, response) => (pages[request.url ?? ''] ?? json(404, { error: { message: 'no such page' } }))(request, response));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

describe('checkProvider', () => {
  it('lists the models of a provider that accepts the key', async () => {
    expect(await checkProvider({ back: 'openai', baseUrl: `${base}/good/`, key: KEY, timeoutMs: 2_000 })).toMatchObject({
      kind: 'accepted',
      models: ['gpt-4.1', 'o3'],
    });
  });

  it.each<[back: BackName, apiVersion: string | undefined, root: string]>([
    ['anthropic', undefined, 'x-api-key'],
    ['gemini', undefined, 'x-goog-api-key'],
    ['azure', undefined, 'api-key'],
    ['azure', '2024-10-21', 'api-key'],
    ['deepseek', undefined, 'good'],
  ])('asks %s (version %s) as its API wants it', async (back, apiVersion, root) => {
    expect(await checkProvider({ back, apiVersion, baseUrl: `${base}/${root}`, key: KEY, timeoutMs: 2_000 })).toMatchObject({
      kind: 'accepted',
      models: ['gpt-4.1', 'o3'],
    });
  });

  it.each([
    ['good', 'wrong-key-wrong-key', 'key_refused', 'it does not accept the key (401)'],
    ['good', undefined, 'key_refused', 'it wants a key and none is declared'],
    ['google', KEY, 'key_refused', 'it does not accept the key (400): API key not valid'],
    ['unauthorised', KEY, 'key_refused', 'it does not accept the key (401): Incorrect API key provided: [redacted]'],
    ['forbidden', KEY, 'forbidden', 'Country not supported'],
    ['quota', KEY, 'quota', 'it accepts the key'],
    ['html', KEY, 'wrong_base_url', 'it is text/html'],
    ['null', KEY, 'wrong_base_url', 'is no list of models'],
    ['endless', KEY, 'wrong_base_url', 'is no list of models'],
    ['nowhere', KEY, 'wrong_base_url', 'does not exist there (404)'],
    ['moved', KEY, 'redirected', 'https://elsewhere.example/v1/models'],
    ['broken', KEY, 'provider_error', 'it answered 502'],
    ['good', 'line\nbreak', 'key_unreadable', 'no header can carry'],
  ])('%s with key %s: %s', async (path, key, code, message) => {
    const outcome = await checkProvider({ back: 'openai', baseUrl: `${base}/${path}`, key, timeoutMs: 2_000 });
    expect(outcome).toMatchObject({ kind: 'problem', code, message: expect.stringContaining(message) });
    expect(JSON.stringify(outcome)).not.toMatch(new RegExp(`${KEY}|\u001B`));
  });

  it.each(['silent', 'stalls'])('does not wait for ever (%s)', async (path) => {
    expect(await checkProvider({ back: 'openai', baseUrl: `${base}/${path}`, key: KEY, timeoutMs: 50 })).toMatchObject({ code: 'timeout' });
  });

  it.each([
    ['ftp://host/v1', 'wrong_base_url'],
    ['not a url', 'wrong_base_url'],
    ['http://no-such-host.invalid/v1', 'dns'],
  ])('%s: %s', async (baseUrl, code) => {
    const outcome = await checkProvider({ back: 'openai', baseUrl, key: KEY, timeoutMs: 5_000 });
    // A machine without any network cannot tell that a name does not exist.
    expect(outcome).toMatchObject({ kind: 'problem', code });
  });

  it('knows a port where nobody listens', async () => {
    const closed = createTcpServer();
    await new Promise<void>((resolve) => void closed.listen(0, '127.0.0.1', resolve));
    const { port } = closed.address() as AddressInfo;
    await new Promise((resolve) => void closed.close(resolve));
    expect(await checkProvider({ back: 'openai', baseUrl: `http://127.0.0.1:${port}`, key: KEY, timeoutMs: 2_000 })).toMatchObject({
      code: 'unreachable',
      message: `nothing listens at 127.0.0.1:${port}`,
    });
  });

  it('knows plain HTTP behind https://', async () => {
    expect(await checkProvider({ back: 'openai', baseUrl: base.replace('http:', 'https:'), key: KEY, timeoutMs: 2_000 })).toMatchObject({ code: 'tls' });
  });

  it('trusts no certificate that signs itself', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'airmesh-check-'));
    const [keyFile, certificateFile] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
    execFileSync(
      'openssl',
      [
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:prime256v1',
        '-nodes',
        '-days',
        '2',
        '-subj',
        '/CN=localhost',
        '-addext',
        'subjectAltName=DNS:localhost',
        '-keyout',
        keyFile,
        '-out',
        certificateFile,
      ],
      { stdio: 'ignore' },
    );
    const certificate = readFileSync(certificateFile, 'utf8');
    const secure = createTlsServer({ key: readFileSync(keyFile), cert: certificate }, pages['/good/models']);
    await new Promise<void>((resolve) => void secure.listen(0, '127.0.0.1', resolve));
    const { port } = secure.address() as AddressInfo;
    try {
      const check = { back: 'openai' as const, key: KEY, timeoutMs: 2_000 };
      expect(await checkProvider({ ...check, baseUrl: `https://localhost:${port}` })).toMatchObject({
        code: 'tls',
        message: expect.stringContaining('does not trust'),
      });
      expect(await checkProvider({ ...check, baseUrl: `https://127.0.0.1:${port}`, caCertificates: certificate })).toMatchObject({
        code: 'tls',
        message: expect.stringContaining('another name'),
      });
      expect(await checkProvider({ ...check, baseUrl: `https://localhost:${port}`, caCertificates: certificate })).toMatchObject({ kind: 'accepted' });
    } finally {
      secure.close();
      rmSync(folder, { recursive: true });
    }
  });
});
