import { request as httpRequest } from 'node:http';
import type { OutgoingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { err, ok } from '../../core/units/index.ts';
import { SILENT_LOGGER } from '../telemetry/index.ts';
import { startAdminServer } from './index.ts';
import type { AdminServer, AdminSources, Readiness } from './index.ts';

const readiness: Readiness = {
  ready: false,
  reasons: ['Envoy runs configuration 1; 2 is being applied.'],
  warnings: [],
  configuration: { present: '2', running: '1' },
  providers: [{ provider: 'shop/openai', key: 'rejected', keyRejections: 3, lastRejectedAt: '2026-01-01T00:00:00Z' }],
};

const sources: AdminSources = {
  healthy: () => true,
  readiness: () => readiness,
  metrics: async () => ({ contentType: 'text/plain; version=0.0.4; charset=utf-8', body: 'up 1\n' }),
  spend: async (parameters) => (parameters.get('since') === 'never' ? err('since is not a time') : ok({ totals: { tokens: 12n } })),
  records: async () => ok({ records: [], next: null }),
  configuration: () => {
    throw new Error('planted');
  },
  dashboard: { page: async (parameters) => (parameters.get('days') === '0' ? err('days is none of 1, 7') : ok('<!doctype html>')), style: 'body {}' },
};

let server: AdminServer;
beforeAll(async () => {
  server = await startAdminServer({ host: '127.0.0.1', port: 0, sources, logger: SILENT_LOGGER });
});
afterAll(() => server.stop());

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

function ask(path: string, { method = 'GET', headers = {} }: { method?: string; headers?: OutgoingHttpHeaders } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: server.host, port: server.port, path, method, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks).toString() }));
    });
    request.on('error', reject);
    request.end();
  });
}

describe('administration server', () => {
  it.each([
    ['/healthz', 200, { status: 'ok' }],
    ['/readyz', 503, readiness],
    ['/spend', 200, { totals: { tokens: '12' } }],
    ['/spend?since=never', 400, { error: { code: 'invalid_parameter', message: 'since is not a time' } }],
    ['/records?count=5', 200, { records: [], next: null }],
    ['/?days=0', 400, { error: { code: 'invalid_parameter', message: 'days is none of 1, 7' } }],
    ['/spend?from=x', 400, { error: { code: 'unknown_parameter', message: '/spend knows no parameter "from"; it takes since, until, by.' } }],
    ['/config', 500, { error: { code: 'internal_error', message: 'This page could not be made; the log says why.' } }],
  ])('GET %s: %i', async (path, status, body) => {
    const answer = await ask(path);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toEqual(body);
  });

  it('lists what exists where a page does not', async () => {
    const answer = await ask('/status');
    expect(answer.status).toBe(404);
    expect(Object.keys(JSON.parse(answer.body).error.pages)).toEqual(['/', '/healthz', '/readyz', '/metrics', '/spend', '/records', '/config']);
  });

  it('serves metrics in their own content type', async () => {
    const answer = await ask('/metrics');
    expect(answer).toMatchObject({ status: 200, body: 'up 1\n', headers: { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' } });
  });

  it('is looked at in a browser, which may run nothing and be framed by nobody', async () => {
    const page = await ask('/');
    expect(page).toMatchObject({ status: 200, body: '<!doctype html>', headers: { 'content-type': 'text/html; charset=utf-8' } });
    expect(page.headers['content-security-policy']).toBe("default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'");
    expect(await ask('/style.css')).toMatchObject({ status: 200, body: 'body {}', headers: { 'content-type': 'text/css; charset=utf-8' } });
  });

  it('answers HEAD without a body', async () => {
    const answer = await ask('/metrics', { method: 'HEAD' });
    expect(answer).toMatchObject({ status: 200, body: '', headers: { 'content-length': '5' } });
  });

  it.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('refuses %s', async (method) => {
    const answer = await ask('/spend', { method });
    expect(answer).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } });
    expect(answer.headers['access-control-allow-origin']).toBeUndefined();
  });

  it.each([
    ['localhost:4001', 503],
    ['LOCALHOST', 503],
    ['127.0.0.9:1', 503],
    ['[::1]:4001', 503],
    ['evil.example', 403],
    ['127.0.0.1.evil.example', 403],
    ['evil.example:4001', 403],
    ['localhost@evil.example', 403],
    ['@', 403],
  ])('with Host %s: %i', async (host, status) => {
    expect((await ask('/readyz', { headers: { host } })).status).toBe(status);
  });

  it('refuses very long paths', async () => {
    expect((await ask(`/${'a'.repeat(3_000)}`)).status).toBe(414);
  });

  it('survives garbage', async () => {
    await new Promise<void>((resolve) => {
      const socket = connect(server.port, server.host, () => socket.end('\u0000\u0001 garbage\r\n\r\n'));
      socket.on('close', () => resolve());
      socket.resume();
    });
    expect((await ask('/healthz')).status).toBe(200);
  });

  it('rejects a taken port with the error that names it', async () => {
    const taken = startAdminServer({ host: server.host, port: server.port, sources, logger: SILENT_LOGGER });
    await expect(taken).rejects.toMatchObject({ code: 'EADDRINUSE' });
  });
});
