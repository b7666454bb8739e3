import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { costOf } from '../../catalog/index.ts';
import { usdToNano } from '../../units/index.ts';
import type { AnswerHead } from '../request.ts';
import { MAX_PAUSED, MERGE_PAUSE_MS } from './merging.ts';
import { answerTo, Bench, PRICE, vectorOf } from './merge.test-support.ts';
import type { Seen, Sent } from './merge.test-support.ts';

const price = { input: usdToNano(PRICE.inputPerMillion), output: 0n, perRequest: usdToNano(PRICE.perRequest), source: 'test' };

const first = <T>(items: readonly T[]): T => {
  const [item] = items;
  if (item === undefined) throw new Error('there is none');
  return item;
};

/** A call that opens the window, and is done with. */
async function opened(bench: Bench): Promise<Bench> {
  await bench.ask('opener', { input: 'opener' });
  first(bench.sent.splice(0)).answer(200, { data: [], usage: { prompt_tokens: 1, total_tokens: 1 } });
  return bench;
}

/** Calls a, b and c, each with a text of its own, of which a is the leader of what is sent. */
async function merged(bench = new Bench()): Promise<{ readonly bench: Bench; readonly sent: Sent }> {
  await opened(bench);
  await bench.ask('a', { input: 'aaaa' });
  await bench.ask('b', { input: ['b', 'bb'] });
  await bench.ask('c', { input: 'ccc' });
  await bench.pass(10);
  expect(bench.sent.map(({ id }) => id)).toEqual(['a']);
  return { bench, sent: first(bench.sent.splice(0)) };
}

const vectors = (seen: Seen | undefined): unknown =>
  (JSON.parse(seen?.status === 200 ? seen.body : '{}') as { data?: { embedding: unknown }[] }).data?.map(({ embedding }) => embedding);
const codeOf = (seen: Seen | undefined): unknown => (JSON.parse(seen?.body ?? '{}') as { error?: { code?: unknown } }).error?.code;
const kinds = (bench: Bench, ...ids: string[]): unknown => ids.map((id) => bench.settlements.get(id)?.kind);
const statuses = (bench: Bench, ...ids: string[]): unknown => ids.map((id) => bench.seen.get(id)?.status);

describe('small calls for embeddings', () => {
  it('wait for each other at most as long as they may, but for the first', async () => {
    const bench = new Bench();
    await bench.ask('first', { input: 'x' });
    expect(bench.sent.map(({ id }) => id)).toEqual(['first']);
    await bench.ask('second', { input: 'y' });
    await bench.pass(9);
    expect(bench.sent).toHaveLength(1);
    await bench.pass(1);
    expect(bench.sent.map(({ id, body }) => [id, body.input])).toEqual([
      ['first', 'x'],
      ['second', 'y'],
    ]);
    await bench.pass(10);
    expect(bench.areTimersOff).toBe(true);
    await bench.ask('third', { input: 'z' });
    expect(bench.sent).toHaveLength(3);
  });

  it('become one, and each gets its own vectors and pays its own part, to the nano-dollar', async () => {
    const { bench, sent } = await merged();
    expect(sent.body).toEqual({ model: 'embedder', input: ['aaaa', 'b', 'bb', 'ccc'] });
    expect([...bench.seen.keys()]).toEqual(['opener']);
    sent.answer(200, answerTo(sent, 7));
    await bench.turn();
    expect(['a', 'b', 'c'].map((id) => vectors(bench.seen.get(id)))).toEqual([[vectorOf('aaaa')], [vectorOf('b'), vectorOf('bb')], [vectorOf('ccc')]]);
    expect(bench.seen.get('b')).toMatchObject({
      status: 200,
      headers: {
        'content-type': 'application/json',
        'x-airmesh-merged': '3',
        'x-airmesh-request-id': 'b',
        'x-request-id': 'b',
        'x-airmesh-provider': 'shop/relay',
      },
    });
    const settled = ['a', 'b', 'c'].map((id) => bench.settlements.get(id));
    expect(settled.map((one) => (one?.kind === 'actual' ? one.actual.tokens : undefined))).toEqual([3, 2, 2]);
    const paid = settled.reduce((sum, one) => sum + (one?.kind === 'actual' ? one.actual.nanoUsd : 0n), 0n);
    expect(paid).toBe(costOf({ inputTokens: 7, outputTokens: 0 }, price));
    expect(bench.observed).toEqual([{ workload: 'shop/checkout', provider: 'shop/relay', model: 'embedder', how: 'merged', calls: 3 }]);
  });

  it('are sent at once when there are as many inputs as may be, and begin anew when one more would be too many', async () => {
    const bench = await opened(new Bench({ maxInputs: 4, maxBytes: 256 }));
    await bench.ask('a', { input: ['1', '2', '3'] });
    await bench.ask('b', { input: ['4', '5'] });
    expect(bench.sent.map(({ body }) => body.input)).toEqual([['1', '2', '3']]);
    await bench.ask('c', { input: ['6', '7'] });
    expect(bench.sent.map(({ body }) => body.input)).toEqual([
      ['1', '2', '3'],
      ['4', '5', '6', '7'],
    ]);
    await bench.ask('d', { input: 'd'.repeat(150) });
    await bench.ask('e', { input: 'e'.repeat(150) });
    expect(bench.sent).toHaveLength(3);
    await bench.pass(10);
    expect(bench.sent).toHaveLength(4);
  });

  it.each<[name: string, fields: object, options: Parameters<Bench['ask']>[2]]>([
    ['of another workload', { input: 'x' }, { workload: 'shop/search' }],
    ['of another model', { input: 'x', model: 'other' }, {}],
    ['of other dimensions', { input: 'x', dimensions: 8 }, {}],
    ['in another encoding', { input: 'x', encoding_format: 'base64' }, {}],
    ['for another user', { input: 'x', user: 'u' }, {}],
    ['of token ids', { input: [1] }, {}],
    ['that other accounts count', { input: 'x' }, { headers: { 'x-team': 'b' } }],
    ['with another query', { input: 'x' }, { path: '/v1/embeddings?x=1' }],
    ['at another provider', { input: 'x', model: 'gem' }, {}],
  ])('%s are none of them', async (_name, fields, options) => {
    const bench = await opened(new Bench());
    await bench.ask('a', { input: 'a' });
    await bench.ask('b', { input: 'b' });
    await bench.ask('odd', fields, options);
    await bench.pass(10);
    expect(bench.sent.map(({ id }) => id).toSorted()).toEqual(['a', 'odd']);
    expect(bench.sent.find(({ id }) => id === 'a')?.body.input).toEqual(['a', 'b']);
  });

  it.each<[name: string, fields: object]>([
    ['of more inputs than may be', { input: Array.from({ length: 33 }, () => 'x') }],
    ['of more bytes than may be', { input: Array.from({ length: 20 }, () => 'x'.repeat(4_000)) }],
    ['with an input that may be longer than the model takes', { input: 'x'.repeat(8_193) }],
    ['with an empty input', { input: ['x', ''] }],
    ['that is a stream', { input: 'x', stream: true }],
    ['of unknown cost', { input: 'x', plugins: [] }],
  ])('%s do not wait', async (_name, fields) => {
    const bench = await opened(new Bench());
    await bench.ask('odd', fields);
    expect(bench.sent.map(({ id }) => id)).toEqual(['odd']);
  });

  it('do not wait where no rule says so', async () => {
    const bench = new Bench(undefined, { mergeEmbeddings: undefined });
    await bench.ask('a', { input: 'a' });
    await bench.ask('b', { input: 'b' });
    expect(bench.sent).toHaveLength(2);
  });

  it('are translated each by itself', async () => {
    const bench = new Bench();
    await bench.ask('opener', { model: 'gem', input: 'x' });
    bench.sent.splice(0);
    await bench.ask('a', { model: 'gem', input: 'aa' });
    await bench.ask('b', { model: 'gem', input: ['b', 'bb'], dimensions: 4 });
    await bench.pass(10);
    const sent = first(bench.sent);
    expect(sent.path).toBe('/v1beta/models/gem:batchEmbedContents');
    expect(sent.body.requests).toHaveLength(3);
    sent.answer(200, { embeddings: [{ values: [1] }, { values: [2] }, { values: [3] }], usageMetadata: { promptTokenCount: 5 } });
    await bench.turn();
    expect([vectors(bench.seen.get('a')), vectors(bench.seen.get('b'))]).toEqual([[[1]], [[2], [3]]]);
    expect(kinds(bench, 'a', 'b')).toEqual(['actual', 'actual']);
  });

  it('of one text each at Gemini become a list, and each gets its own form of answer', async () => {
    const bench = new Bench();
    const content = { parts: [{ text: 'x' }] };
    const path = '/v1beta/models/gem:embedContent';
    for (const id of ['opener', 'a', 'b']) await bench.ask(id, { content, taskType: `TASK_${id}` }, { path });
    await bench.pass(10);
    const sent = bench.sent[1];
    expect([sent?.path, sent?.body.requests]).toEqual([
      '/v1beta/models/gem:batchEmbedContents',
      ['a', 'b'].map((id) => ({ model: 'models/gem', content, taskType: `TASK_${id}` })),
    ]);
    sent?.answer(200, { embeddings: [{ values: [1] }, { values: [2] }] });
    await bench.turn();
    expect(JSON.parse(bench.seen.get('b')?.body ?? '')).toEqual({ embedding: { values: [2] } });
    // Google does not say there what it has counted.
    expect(kinds(bench, 'a', 'b')).toEqual(['estimated', 'estimated']);
  });
});

describe('a merged call', () => {
  it('that was answered without a usage is settled for each by an estimate', async () => {
    const { bench, sent } = await merged();
    sent.answer(200, { ...answerTo(sent, 7), usage: null });
    await bench.turn();
    expect(statuses(bench, 'a', 'b', 'c')).toEqual([200, 200, 200]);
    expect(kinds(bench, 'a', 'b', 'c')).toEqual(['estimated', 'estimated', 'estimated']);
  });

  it.each([400, 413, 422])('that the provider refuses by %s costs nothing, and each is asked by itself; the leader is told to come again', async (status) => {
    const { bench, sent } = await merged();
    sent.answer(status, { error: { message: 'input 2 is bad' } });
    await bench.turn();
    expect(bench.sent.map(({ id, body }) => [id, body.input])).toEqual([
      ['b', ['b', 'bb']],
      ['c', 'ccc'],
    ]);
    expect(bench.seen.get('a')).toMatchObject({ status: 503, headers: { 'x-should-retry': 'true', 'x-airmesh-merged': '3' } });
    expect([codeOf(bench.seen.get('a')), bench.seen.get('a')?.body]).toEqual(['merged_call_failed', expect.not.stringContaining('input 2')]);
    expect(kinds(bench, 'a', 'b', 'c')).toEqual(['void', undefined, undefined]);
    const [b, c] = bench.sent;
    b?.answer(400, { error: { message: 'is bad' } });
    c?.answer(200, answerTo(c, 3));
    expect(statuses(bench, 'b', 'c')).toEqual([400, 200]);
    expect([vectors(bench.seen.get('c')), kinds(bench, 'b', 'c')]).toEqual([[vectorOf('ccc')], ['void', 'actual']]);
    expect(bench.observed.at(-1)).toMatchObject({ how: 'sent_alone', calls: 2 });
  });

  it('that was refused keeps its like from being merged for a while, so that nothing is tried twice in company', async () => {
    const { bench, sent } = await merged();
    sent.answer(400, {});
    await bench.turn();
    bench.sent.length = 0;
    await bench.pass(MERGE_PAUSE_MS - 1);
    await bench.ask('d', { input: 'd' });
    await bench.ask('e', { input: 'e' });
    expect(bench.sent.map(({ id }) => id)).toEqual(['d', 'e']);
    await bench.pass(1);
    for (const id of ['f', 'g', 'h']) await bench.ask(id, { input: id });
    await bench.pass(10);
    expect(bench.sent.map(({ body }) => body.input)).toEqual(['d', 'e', 'f', ['g', 'h']]);
  });

  it('that was refused is forgotten where there have been very many others since', async () => {
    const bench = new Bench();
    const users = Array.from({ length: MAX_PAUSED + 1 }, (_, index) => `user ${index}`);
    const ask = async (user: string, ...inputs: string[]): Promise<void> => {
      for (const input of inputs) await bench.ask(`${user} ${input}`, { user, input });
    };
    for (const user of users) await ask(user, 'opener', 'leader', 'follower');
    await bench.pass(10);
    for (const sent of bench.sent.splice(0)) if (sent.id.endsWith('leader')) sent.answer(400, {});
    await bench.pass(20);
    bench.sent.length = 0;
    await ask('user 0', '1', '2', '3');
    await ask('user 1', '1', '2', '3');
    await bench.pass(10);
    expect(bench.sent.map(({ id, body }) => [id, body.input])).toEqual([
      ['user 0 1', '1'],
      ['user 1 1', '1'],
      ['user 1 2', '2'],
      ['user 1 3', '3'],
      ['user 0 2', ['2', '3']],
    ]);
  });

  it.each<[status: number, body: string, head: Partial<AnswerHead>]>([
    [401, '{"error":{"code":"k"}}', {}],
    [403, '{"error":{"code":"k"}}', {}],
    [404, '{"error":{"code":"k"}}', {}],
    [429, '{"error":{"code":"k"}}', { retryAfter: '7' }],
    [500, 'broken', { contentType: 'text/plain' }],
    [503, '', {}],
  ])('that the provider does not serve (%s) is told to each as it is, and costs nothing', async (status, body, head) => {
    const { bench, sent } = await merged();
    sent.answer(status, body, head);
    await bench.turn();
    for (const id of ['a', 'b', 'c']) expect(bench.seen.get(id)).toMatchObject({ status, body });
    expect(bench.seen.get('b')?.headers).toMatchObject({
      'content-type': head.contentType ?? 'application/json',
      ...(head.retryAfter === undefined ? {} : { 'retry-after': head.retryAfter }),
    });
    expect(kinds(bench, 'a', 'b', 'c')).toEqual(['void', 'void', 'void']);
    expect(bench.sent).toEqual([]);
  });

  it('that fails is one failure of its provider, however many calls it was', async () => {
    const bench = new Bench({}, { failover: { consecutiveFailures: 3 } });
    const { sent } = await merged(bench);
    sent.answer(500, '');
    await bench.turn();
    expect(bench.health).toEqual([]);
    for (const expected of [0, 1]) {
      await bench.pass(20);
      await bench.ask(`lone ${expected}`, { input: 'x' });
      first(bench.sent.splice(0)).answer(500, '');
      expect(bench.health).toHaveLength(expected);
    }
  });

  it.each<[local: AnswerHead['local'], status: number, code: string, kind: string]>([
    ['unreachable', 503, 'provider_unreachable', 'void'],
    ['reset', 503, 'provider_unreachable', 'estimated'],
    ['timeout', 504, 'provider_timeout', 'estimated'],
  ])('that Envoy answers (%s) is told to each, and settled for each as one by itself', async (local, status, code, kind) => {
    const { bench, sent } = await merged();
    sent.answer(status, 'as Envoy says it', { local });
    await bench.turn();
    expect(bench.seen.get('a')?.body).toBe('as Envoy says it');
    expect(['b', 'c'].map((id) => codeOf(bench.seen.get(id)))).toEqual([code, code]);
    expect(statuses(bench, 'a', 'b', 'c')).toEqual([status, status, status]);
    expect(kinds(bench, 'a', 'b', 'c')).toEqual([kind, kind, kind]);
    expect(bench.sent).toEqual([]);
  });

  it.each<[name: string, body: (sent: Sent) => unknown, head: Partial<AnswerHead>, leader: number]>([
    ['cut', (sent) => JSON.stringify(answerTo(sent, 7)).slice(0, -9), {}, 200],
    ['of too few vectors', (sent) => ({ ...answerTo(sent, 7), data: [] }), {}, 200],
    ['no JSON', () => '<html>', { contentType: 'text/html' }, 503],
    ['compressed', () => 'zzz', { contentEncoding: 'gzip' }, 503],
  ])('whose answer is %s may have been billed, and is shown to nobody', async (_name, body, head, leader) => {
    const { bench, sent } = await merged();
    sent.answer(200, body(sent), head);
    await bench.turn();
    expect(statuses(bench, 'a', 'b', 'c')).toEqual([leader, 503, 503]);
    expect(['a', 'b', 'c'].map((id) => codeOf(bench.seen.get(id)))).toEqual(Array.from({ length: 3 }, () => 'merged_call_failed'));
    expect(kinds(bench, 'a', 'b', 'c')).toEqual(['estimated', 'estimated', 'estimated']);
    await bench.ask('d', { input: 'd' });
    expect(bench.sent.map(({ id }) => id)).toEqual(['d']);
  });

  it.each<[name: string, begin: (sent: Sent) => void]>([
    ['before an answer', () => undefined],
    ['in the middle of an answer', (sent) => sent.begin(200, '{"data":[')],
  ])('whose leader hangs up %s is settled for each, and the others ask by themselves, once', async (_name, begin) => {
    const { bench, sent } = await merged();
    begin(sent);
    await bench.leave('a');
    expect(kinds(bench, 'a', 'b', 'c')).toEqual(['estimated', 'estimated', 'estimated']);
    expect(bench.sent.map(({ id, body }) => [id, body.input])).toEqual([
      ['b', ['b', 'bb']],
      ['c', 'ccc'],
    ]);
    const [b, c] = bench.sent;
    if (b !== undefined) b.answer(200, answerTo(b, 2));
    await bench.leave('c');
    expect(vectors(bench.seen.get('b'))).toEqual([vectorOf('b'), vectorOf('bb')]);
    expect(kinds(bench, 'b.2', 'c.2')).toEqual(['actual', 'estimated']);
    expect(bench.seen.get('b')?.headers['x-airmesh-request-id']).toBe('b.2');
    expect([bench.sent.length, bench.settledTwice, c?.id]).toEqual([2, 0, 'c']);
  });

  it('whose error breaks off with the leader’s stream costs nothing, and the others ask by themselves', async () => {
    const { bench, sent } = await merged();
    sent.begin(500, 'bro');
    await bench.leave('a');
    expect(kinds(bench, 'a', 'b', 'c')).toEqual(['void', 'void', 'void']);
    expect(bench.sent.map(({ id }) => id)).toEqual(['b', 'c']);
  });

  it('is asked for by the others where its leader hangs up before it is sent', async () => {
    const bench = await opened(new Bench());
    for (const id of ['a', 'b', 'c', 'd']) await bench.ask(id, { input: id });
    await bench.leave('a');
    await bench.leave('c');
    expect(kinds(bench, 'a', 'c')).toEqual(['void', 'void']);
    await bench.pass(10);
    expect(bench.sent.map(({ id, body }) => [id, body.input])).toEqual([['b', ['b', 'd']]]);
  });

  it('is not made where all have hung up, or for one that is left', async () => {
    const bench = await opened(new Bench());
    for (const id of ['a', 'b']) await bench.ask(id, { input: id });
    for (const id of ['a', 'b']) await bench.leave(id);
    await bench.pass(10);
    expect(bench.sent).toEqual([]);
    await opened(bench);
    await bench.ask('c', { input: 'c' });
    await bench.ask('d', { input: 'd' });
    await bench.leave('c');
    await bench.pass(10);
    expect(bench.sent.map(({ body }) => body.input)).toEqual(['d']);
    expect(bench.observed).toEqual([]);
  });

  it('is paid by a caller that hung up while it was made, and by nobody else', async () => {
    const { bench, sent } = await merged();
    await bench.leave('b');
    expect(kinds(bench, 'b')).toEqual([undefined]);
    sent.answer(200, answerTo(sent, 7));
    await bench.turn();
    expect(kinds(bench, 'a', 'b', 'c')).toEqual(['actual', 'actual', 'actual']);
    expect([...bench.seen.keys()]).toEqual(['opener', 'a', 'c']);
  });

  it('is not tried again for a caller that hung up as well', async () => {
    const { bench } = await merged();
    await bench.leave('b');
    await bench.leave('a');
    expect(bench.sent.map(({ id }) => id)).toEqual(['c']);
    expect(kinds(bench, 'a', 'b', 'b.2')).toEqual(['estimated', 'estimated', undefined]);
  });

  it('that was broken off is refused where there is no money for another try', async () => {
    const { bench } = await merged(new Bench({}, {}, (id) => id === 'b.2'));
    await bench.leave('a');
    expect(codeOf(bench.seen.get('b'))).toBe('budget_unavailable');
    expect(bench.sent.map(({ id }) => id)).toEqual(['c']);
  });
});

describe('whoever calls, whenever, and whatever becomes of it', () => {
  const call = fc.record({
    afterMs: fc.nat({ max: 6 }),
    workload: fc.constantFrom('shop/checkout', 'shop/search'),
    fields: fc.constantFrom({}, { dimensions: 4 }, { model: 'other' }),
    inputs: fc.integer({ min: 1, max: 4 }),
    leaves: fc.constantFrom('never', 'never', 'never', 'at once', 'later'),
  });
  const ending = fc.constantFrom('served', 'served', 'refused', 'failed', 'unreadable', 'reset');

  it('each gets its own vectors or an error, is settled once, and the provider’s bill is paid to the nano-dollar', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 30 }), fc.array(ending, { minLength: 1, maxLength: 8 }), async (calls, endings) => {
        const bench = new Bench({ maxInputs: 8 });
        const texts = new Map<string, readonly string[]>();
        const owner = new Map<string, string>();
        const billed = { total: 0n };
        const paid = new Map<string, bigint>();
        let answered = 0;
        const answerAll = async (): Promise<void> => {
          for (const sent of bench.sent.splice(0)) {
            // Envoy hangs up at the provider as well.
            if (bench.hasLeft(sent.id)) continue;
            const asked = [sent.body.input].flat().map(String);
            expect(new Set(asked.map((text) => owner.get(text))).size).toBe(1);
            const isMerged = asked.length > (texts.get(sent.id)?.length ?? 0);
            const how = endings[answered++ % endings.length];
            const tokens = asked.reduce((sum, text) => sum + Math.ceil(text.length / 3), 0);
            if (how === 'served') {
              billed.total += costOf({ inputTokens: tokens, outputTokens: 0 }, price);
              sent.answer(200, answerTo(sent, tokens));
            } else if (how === 'refused') sent.answer(400, { error: {} });
            else if (how === 'failed') sent.answer(500, '');
            else if (how === 'unreadable' && isMerged) sent.answer(200, '{}');
            else sent.answer(503, '', { local: 'unreachable' });
            await bench.turn();
          }
        };
        for (const [index, { afterMs, workload, fields, inputs, leaves }] of calls.entries()) {
          const id = `call-${index}`;
          texts.set(
            id,
            Array.from({ length: inputs }, (_, place) => `${id}:${'x'.repeat((index * 7 + place) % 11)}${place}`),
          );
          for (const text of texts.get(id) ?? []) owner.set(text, `${workload} ${JSON.stringify(fields)}`);
          await bench.ask(id, { ...fields, input: texts.get(id) }, { workload });
          if (leaves === 'at once') await bench.leave(id);
          await bench.pass(afterMs);
          if (leaves === 'later' && !bench.seen.has(id)) await bench.leave(id);
          if (index % 3 === 2) await answerAll();
        }
        for (let round = 0; round < 4; round++) {
          await bench.pass(20);
          await answerAll();
        }
        for (const [id, asked] of texts) {
          const own = vectors(bench.seen.get(id));
          if (own !== undefined) expect(own).toEqual(asked.map(vectorOf));
          expect(bench.settlements.has(id)).toBe(true);
        }
        for (const [id, settlement] of bench.settlements) if (settlement.kind === 'actual') paid.set(id, settlement.actual.nanoUsd);
        expect(bench.settledTwice).toBe(0);
        expect([...paid.values()].reduce((sum, cost) => sum + cost, 0n)).toBe(billed.total);
      }),
      { numRuns: 300 },
    );
  });
});
