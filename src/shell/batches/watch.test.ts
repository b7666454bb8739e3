import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CallHold, CallRecord, KeptObject } from '../../core/call/index.ts';
import type { ProviderPolicy } from '../../core/policy/index.ts';
import type { Settlement } from '../../core/ledger/index.ts';
import { until } from '../../../test/support/mesh.ts';
import { BatchWatch } from './watch.ts';

type Answer = (response: ServerResponse) => void;

const json =
  (value: unknown, status = 200): Answer =>
  (response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
const batchIs = (status: string, more: object = {}): Answer => json({ id: 'batch_1', object: 'batch', status, ...more });
const done = batchIs('completed', { output_file_id: 'file-out', error_file_id: 'file-err' });
const line = (usage: unknown, status = 200): string =>
  JSON.stringify({ custom_id: 'a', response: { status_code: status, body: { model: 'gpt-4.1-2025-04-14', usage } } });
const lines =
  (...texts: readonly string[]): Answer =>
  (response) =>
    void response.end(texts.map((text) => `${text}\n`).join(''));
const USAGE = { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 };

let server: Server;
let port: number;
/** What the provider answers next, by path; the last answer stays. */
let answers: Map<string, Answer[]>;
let asked: string[];
let settled: { readonly id: string; readonly settlement: Settlement; readonly record: CallRecord }[];
let kept: KeptObject[];
let events: string[];
let watch: BatchWatch;
let holds: Map<string, CallHold>;
let epochMs: number;

const BATCH: KeptObject = {
  provider: 'shop/openai',
  kind: 'batch',
  id: 'batch_1',
  workload: 'shop/alpha',
  at: 0,
  open: { endpointPath: '/chat/completions', holds: ['b1'] },
};

const hold = (id: string, model: string): CallHold => ({
  id,
  at: 0,
  namespace: 'shop',
  workload: 'alpha',
  rule: 'shop/all#chat',
  provider: 'shop/openai',
  model,
  operation: 'batches',
  stream: false,
  priceSource: 'test',
  holds: [],
  heldNanoUsd: 9_000_000n,
  estimate: { nanoUsd: 5_000n, inputTokens: 3, outputTokens: 4 },
});

const provider = (): ProviderPolicy =>
  ({
    id: 'shop/openai',
    back: 'openai',
    apiVersion: undefined,
    baseUrl: { tls: false, host: '127.0.0.1', port, basePath: '/v1' },
    key: 'shop/openai',
    models: new Map([['gpt-4.1', { name: 'gpt-4.1', price: { input: 2_000_000_000n, output: 8_000_000_000n, source: 'test' } }]]),
  }) as unknown as ProviderPolicy;

beforeEach(async () => {
  [answers, asked, settled, kept, events, holds, epochMs] = [new Map(), [], [], [], [], new Map([['b1', hold('b1', 'gpt-4.1')]]), 0];
  server = createServer((request, response) => {
    asked.push(`${request.url} ${request.headers.authorization}`);
    const queue = answers.get(request.url ?? '') ?? [];
    const answer = queue.length > 1 ? queue.shift() : queue[0];
    (answer ?? json({ error: {} }, 404))(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
  watch = new BatchWatch({
    budgets: {
      batchHold: (id) => holds.get(id),
      settle: (id, settlement, record) => {
        if (holds.delete(id)) settled.push({ id, settlement, record: record({ kind: 'settled', id, posted: [] }) });
      },
    },
    objects: { keep: (object) => void kept.push(object) },
    provider: () => provider(),
    isUsd: () => true,
    keys: { get: () => 'sk-real' },
    clock: { epochMs: () => epochMs, monotonicMs: () => 0 },
    random: () => 0.5,
    events: {
      settled: () => events.push('settled'),
      failed: (_batch, reason) => events.push(`failed: ${reason}`),
      lost: (_batch, reason) => events.push(`lost: ${reason}`),
    },
    firstLookMs: 5,
  });
});

afterEach(() => {
  watch.stop();
  server.closeAllConnections();
  server.close();
});

const set = (path: string, ...queue: readonly Answer[]): void => void answers.set(path, [...queue]);
const settledOnce = (): Promise<void> => until('it is settled', () => settled.length === 1);

describe('a batch', () => {
  it('is asked for until it is over, and settled from its result at batch price', async () => {
    set('/v1/batches/batch_1', batchIs('validating'), batchIs('in_progress'), done);
    set('/v1/files/file-out/content', lines(line(USAGE), line(USAGE, 500), '', line(USAGE)));
    watch.opened(BATCH);
    await settledOnce();
    expect(settled[0]?.settlement).toEqual({ kind: 'actual', actual: { nanoUsd: 2n * (1000n * 1000n + 100n * 4000n), tokens: 2200, outputTokens: 200 } });
    expect(settled[0]?.record).toMatchObject({
      ending: 'finished',
      estimated: false,
      servedModel: 'gpt-4.1-2025-04-14',
      usage: { inputTokens: 2000, outputTokens: 200 },
    });
    expect(asked.every((each) => each.endsWith('Bearer sk-real'))).toBe(true);
    expect(kept.map(({ kind, id, workload, open }) => [kind, id, workload, open])).toEqual([
      ['file', 'file-out', 'shop/alpha', undefined],
      ['file', 'file-err', 'shop/alpha', undefined],
      ['batch', 'batch_1', 'shop/alpha', undefined],
    ]);
  });

  it.each(['failed', 'expired', 'cancelled', 'completed'])('that %s without a result costs nothing', async (status) => {
    set('/v1/batches/batch_1', batchIs(status));
    watch.opened(BATCH);
    await settledOnce();
    expect(settled[0]?.settlement).toEqual({ kind: 'actual', actual: { nanoUsd: 0n, tokens: 0, outputTokens: 0 } });
  });

  it.each([
    ['an answer without usage', lines(line(USAGE), line(null))],
    ['an answer that is cut', lines(line(USAGE), line(USAGE).slice(0, 90))],
  ])('whose result has %s is settled by an estimate', async (_name, result) => {
    set('/v1/batches/batch_1', done);
    set('/v1/files/file-out/content', result);
    watch.opened(BATCH);
    await settledOnce();
    expect(settled[0]?.settlement).toMatchObject({ kind: 'estimated' });
    expect(settled[0]?.record.estimated).toBe(true);
  });

  it('whose result breaks off is read again from its beginning', async () => {
    set('/v1/batches/batch_1', done);
    set(
      '/v1/files/file-out/content',
      (response) => {
        response.writeHead(200, { 'content-length': '100000' });
        response.write(`${line(USAGE)}\n`, () => response.destroy());
      },
      json({}, 503),
      lines(line(USAGE)),
    );
    watch.opened(BATCH);
    await settledOnce();
    expect(settled[0]?.settlement).toMatchObject({ kind: 'actual', actual: { tokens: 1100 } });
    expect(events.filter((event) => event.startsWith('failed'))).toHaveLength(2);
  });

  it.each([
    ['the batch', '/v1/batches/batch_1', json({}, 404)],
    ['its result', '/v1/files/file-out/content', json({}, 410)],
  ])('is settled by what was expected, and says so, where %s is gone', async (_name, path, answer) => {
    set('/v1/batches/batch_1', done);
    set(path, answer);
    watch.opened(BATCH);
    await settledOnce();
    expect(settled[0]?.settlement).toEqual({ kind: 'estimated', estimate: { nanoUsd: 5_000n, tokens: 7, outputTokens: 4 } });
    expect(settled[0]?.record.ending).toBe('lost');
    expect(events).toContain('lost: it is not at the provider any more');
  });

  it('is given up after weeks of failures, and not before', async () => {
    set('/v1/batches/batch_1', json({}, 500), json({}, 401), json({ object: 'page' }));
    watch.opened(BATCH);
    await until('it was asked for thrice', () => asked.length >= 3);
    expect(settled).toEqual([]);
    epochMs = 15 * 86_400_000;
    await settledOnce();
    expect(settled[0]?.record.ending).toBe('lost');
  });

  it('that is deleted is settled before, if it is over', async () => {
    set('/v1/batches/batch_1', batchIs('in_progress'));
    set('/v1/files/file-out/content', lines(line(USAGE)));
    watch.opened(BATCH);
    await until('it was asked for', () => asked.length > 0);
    set('/v1/batches/batch_1', done);
    await watch.settleNow(BATCH);
    expect(settled[0]?.settlement).toMatchObject({ kind: 'actual' });
    watch.deleted(BATCH);
    expect(settled).toHaveLength(1);
  });

  it('that is deleted unsettled costs what was expected, and is not heard of again', async () => {
    set('/v1/batches/batch_1', (response) => void setTimeout(() => done(response), 20));
    watch.opened(BATCH);
    await until('it was asked for', () => asked.length > 0);
    watch.deleted(BATCH);
    expect(settled[0]?.settlement).toMatchObject({ kind: 'estimated' });
    watch.opened({ ...BATCH, id: 'batch_2' });
    await until('another was looked at later', () => kept.length > 0);
    expect(kept.map(({ id }) => id)).toEqual(['batch_2']);
  });

  it('that a former process has settled is only closed', async () => {
    holds.clear();
    watch.opened(BATCH);
    await until('it is closed', () => kept.length === 1);
    expect(settled).toEqual([]);
    expect(asked).toEqual([]);
  });
});

it('asks for four batches at once at most, and in the end for all', async () => {
  let open = 0;
  let most = 0;
  for (let index = 0; index < 10; index++) {
    holds.set(`h${index}`, hold(`h${index}`, 'gpt-4.1'));
    set(`/v1/batches/batch_${index}`, (response) => {
      most = Math.max(most, ++open);
      setTimeout(() => {
        open--;
        json({ id: `batch_${index}`, object: 'batch', status: 'failed' })(response);
      }, 20);
    });
    watch.opened({ ...BATCH, id: `batch_${index}`, open: { endpointPath: '/chat/completions', holds: [`h${index}`] } });
  }
  await until('all are settled', () => settled.length === 10);
  expect(most).toBe(4);
});
