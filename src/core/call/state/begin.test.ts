import { describe, expect, it } from 'vitest';
import type { ReserveCommand, Settlement } from '../../ledger/index.ts';
import { compile, parseResource } from '../../policy/index.ts';
import type { Resource } from '../../policy/index.ts';
import { begin } from '../begin.ts';
import type { KeptObject } from '../kept.ts';
import { ProviderHealth } from '../health.ts';
import { Merging } from '../merge/merging.ts';
import type { CallPorts } from '../ports.ts';
import type { CallRecord } from '../record.ts';
import type { Forwarded } from '../request.ts';

const resource = (kind: string, name: string, spec: object): Resource => {
  const parsed = parseResource({ apiVersion: 'airmesh.dev/v1alpha1', kind, metadata: { name, namespace: 'shop' }, spec });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
};

const auth = { apiKey: { env: 'KEY' } };
const openai = resource('AIProvider', 'openai', {
  type: 'OpenAI',
  auth,
  models: [{ name: 'gpt-4.1' }, { name: 'own', providerModel: 'gpt-own', price: { inputPerMillion: '1', outputPerMillion: '2' }, maxOutputTokens: 1000 }],
});
const claude = resource('AIProvider', 'claude', {
  type: 'Anthropic',
  auth,
  models: [{ name: 'claude-sonnet-4.5' }, { name: 'small', price: { inputPerMillion: '1', outputPerMillion: '1' }, maxOutputTokens: 100 }],
});
const budget = resource('AIBudget', 'life', { limit: { usd: '5' }, window: { lifetime: true }, per: ['Workload'] });
const route = (more: object = {}): Resource =>
  resource('AIRoute', 'all', {
    workloads: ['*'],
    rules: [
      { name: 'all', match: {}, backends: [{ provider: 'openai' }], ...more },
      { name: 'claude', match: { models: ['claude-sonnet-4.5', 'small'] }, backends: [{ provider: 'claude' }] },
    ],
  });

interface Bench {
  readonly ports: CallPorts;
  readonly commands: ReserveCommand[];
  readonly settlements: Map<string, Settlement>;
  readonly records: CallRecord[];
  readonly kept: KeptObject[];
  readonly forgotten: string[];
}

function bench({
  rule = {},
  refuse = () => false,
  objects = [],
}: { rule?: object; refuse?: (command: ReserveCommand) => boolean; objects?: readonly KeptObject[] } = {}): Bench {
  const known = { openai: [], anthropic: [], google: [], deepseek: [] };
  const compiled = compile(
    [openai, claude, budget, route(rule)],
    [
      { namespace: 'shop', name: 'alpha' },
      { namespace: 'shop', name: 'beta' },
    ],
    { own: [], known, simulatedUrl: undefined, readCertificates: (pem: string) => ({ ok: true, value: pem }) as const },
  );
  const commands: ReserveCommand[] = [];
  const settlements = new Map<string, Settlement>();
  const records: CallRecord[] = [];
  const kept: KeptObject[] = [...objects];
  const forgotten: string[] = [];
  const ports: CallPorts = {
    snapshots: { current: (workload) => compiled.snapshots.get(workload) },
    keys: { get: () => 'sk-real', rejected: () => undefined, accepted: () => undefined },
    budgets: {
      admit: async (command) => {
        if (refuse(command))
          return { kind: 'refused', id: command.id, account: { limit: 'shop/life', subject: '' }, reason: 'exhausted', retryAtMs: undefined };
        commands.push(command);
        return { kind: 'granted', id: command.id, holds: [], outputCap: command.quote.outputCap, shrunk: false, observed: [] };
      },
      extend: () => undefined,
      cancel: () => undefined,
      settle: (id, settlement, record) => {
        settlements.set(id, settlement);
        records.push(record({ kind: 'settled', id, posted: [] }));
      },
    },
    state: {
      find: async (workload, kind, id) => kept.findLast((object) => object.workload === workload && object.kind === kind && object.id === id),
      idsOf: async (workload, kind, provider) =>
        new Set(kept.filter((object) => object.workload === workload && object.kind === kind && object.provider === provider).map(({ id }) => id)),
      keep: (object) => void kept.push(object),
      forget: ({ id }) => void forgotten.push(id),
      settle: async () => undefined,
      nextTurn: async () => undefined,
    },
    clock: { epochMs: () => 1000, monotonicMs: () => 1 },
    health: new ProviderHealth(
      () => 1,
      () => undefined,
    ),
    answers: { look: () => ({ kind: 'unknown', slot: { end: () => undefined } }) },
    merging: new Merging(
      () => 1,
      () => undefined,
    ),
    observer: { reused: () => undefined, merged: () => undefined, refused: () => undefined, settled: () => undefined },
    random: () => 0.5,
    newId: () => 'air_1',
  };
  return { ports, commands, settlements, records, kept, forgotten };
}

const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(typeof value === 'string' ? value : JSON.stringify(value));
const text = (array: Uint8Array | undefined): string => new TextDecoder().decode(array);

const decide = ({ ports }: Bench, method: string, path: string, body?: Uint8Array, { workload = 'shop/alpha', headers = {} as Record<string, string> } = {}) =>
  begin('air_1', { workload, method, path, body, headers: new Map(Object.entries({ 'content-type': 'application/json', ...headers })) }, ports);

async function forward(...args: Parameters<typeof decide>): Promise<Forwarded> {
  const decided = await decide(...args);
  if (decided.kind !== 'forward') throw new Error(`refused: ${decided.refusal?.code} ${decided.refusal?.message}`);
  return decided;
}

const codeOf = async (...args: Parameters<typeof decide>): Promise<string> => {
  const decided = await decide(...args);
  return decided.kind === 'reply' ? `${decided.refusal?.code}` : 'forwarded';
};

const answer = ({ call }: Forwarded, value: unknown, status = 200, contentType = 'application/json'): string => {
  call.onAnswerHead({ status, contentType, contentEncoding: undefined, local: undefined });
  const passed = text(call.onAnswerBody(bytes(value), true));
  call.end('complete');
  return passed;
};

const FORM = { 'content-type': 'multipart/form-data; boundary=B' };
const line = (body: object, url = '/v1/chat/completions'): string => JSON.stringify({ custom_id: 'a', method: 'POST', url, body });
const form = (...lines: readonly string[]): Uint8Array =>
  bytes(
    `--B\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--B\r\ncontent-disposition: form-data; name="file"; filename="in.jsonl"\r\n\r\n${lines.join('\n')}\r\n--B--\r\n`,
  );
const linesOf = (body: Uint8Array | undefined): { body: Record<string, unknown> }[] =>
  (/\r\n\r\n(\{[^]*\})\r\n--B--/.exec(text(body))?.[1] ?? '').split('\n').map((each) => JSON.parse(each) as { body: Record<string, unknown> });
const chat = (fields: object = {}): object => ({ model: 'gpt-4.1', messages: [{ role: 'user', content: 'hi' }], ...fields });
const upload = (at: Bench, ...lines: readonly string[]): Promise<Forwarded> => forward(at, 'POST', '/v1/files', form(...lines), { headers: FORM });
const CREATE = bytes({ input_file_id: 'file-1', endpoint: '/v1/chat/completions', completion_window: '24h' });

describe('a file for a batch', () => {
  it('goes on with each request as its rule wants it', async () => {
    const at = bench({ rule: { transform: { systemPrompt: 'Be kind', maxOutputTokens: 300, body: { set: { user: 'u' } } } } });
    const { instructions } = await upload(at, line(chat({ model: 'GPT-4' })), line(chat({ model: 'own', max_tokens: 9 })));
    const [one, other] = linesOf(instructions.body);
    expect(one?.body).toMatchObject({
      model: 'gpt-4.1',
      max_completion_tokens: 300,
      user: 'u',
      messages: [{ role: 'system', content: 'Be kind' }, { role: 'user' }],
    });
    expect(other?.body).toMatchObject({ model: 'gpt-own', max_tokens: 9 });
    expect(instructions.path).toBe('/v1/files');
    expect(instructions.setHeaders).toContainEqual(['content-length', String(instructions.body?.byteLength)]);
    expect(instructions.setHeaders).toContainEqual(['authorization', 'Bearer sk-real']);
  });

  it('never has answers stored, and refuses what a batch cannot have', async () => {
    const at = bench();
    const { instructions } = await upload(at, line({ model: 'gpt-4.1', input: 'hi' }, '/v1/responses'));
    expect(linesOf(instructions.body)[0]?.body).toMatchObject({ store: false });
    for (const body of [
      chat({ stream: true }),
      chat({ service_tier: 'priority' }),
      chat({ model: 'nope' }),
      chat({ model: 'claude-sonnet-4.5' }),
      chat({ max_tokens: -1 }),
      { model: 'gpt-4.1' },
    ]) {
      expect(await codeOf(at, 'POST', '/v1/files', form(line(chat()), line(body)), { headers: FORM })).toBe('invalid_value');
    }
    expect(await codeOf(at, 'POST', '/v1/files', form(line({ model: 'gpt-4.1', input: 'hi', store: true }, '/v1/responses')), { headers: FORM })).toBe(
      'unsupported_state',
    );
    expect(
      await codeOf(at, 'POST', '/v1/files', form(line({ model: 'gpt-4.1', input: 'hi', previous_response_id: 'resp_1' }, '/v1/responses')), { headers: FORM }),
    ).toBe('object_not_found');
  });

  it('costs nothing by itself, and is kept with what it may cost', async () => {
    const at = bench();
    const call = await upload(at, line(chat({ max_tokens: 100, n: 2 })), line(chat({ max_tokens: 50 })));
    expect(at.commands[0]?.quote).toMatchObject({ fixedNanoUsd: 0n, inputTokens: 0 });
    answer(call, { id: 'file-1', object: 'file', expires_at: 99 });
    expect(at.kept.at(-1)).toMatchObject({
      provider: 'shop/openai',
      kind: 'file',
      id: 'file-1',
      workload: 'shop/alpha',
      expiresAt: 99_000,
      requests: { endpointPath: '/chat/completions', parts: [{ model: 'gpt-4.1', rule: 'shop/all#all', requests: 2, outputTokens: 250 }] },
    });
    expect(at.settlements.get('air_1')).toEqual({ kind: 'actual', actual: { nanoUsd: 0n, tokens: 0, outputTokens: 0 } });
  });

  it('is not forwarded where a rule’s words would end the form', async () => {
    const at = bench({ rule: { transform: { systemPrompt: 'abc --B def' } } });
    expect(await codeOf(at, 'POST', '/v1/files', form(line(chat())), { headers: FORM })).toBe('invalid_body');
  });
});

describe('a batch', () => {
  const FILE: KeptObject = {
    provider: 'shop/openai',
    kind: 'file',
    id: 'file-1',
    workload: 'shop/alpha',
    at: 0,
    requests: {
      endpointPath: '/chat/completions',
      parts: [
        {
          model: 'gpt-4.1',
          rule: 'shop/all#all',
          requests: 2,
          inputTokens: 1000,
          outputTokens: 500,
          estimate: { inputTokens: 100, outputTokens: 50 },
          unbounded: [],
        },
      ],
    },
  };
  const create = (at: Bench): Promise<Forwarded> => forward(at, 'POST', '/v1/batches', CREATE);

  it('is held for its worst case, at batch price, and left to whoever looks after it', async () => {
    const at = bench({ objects: [FILE] });
    const call = await create(at);
    // Half of $2 and of $8 a million, and a nano-dollar for each rounding.
    expect(at.commands).toMatchObject([{ id: 'air_1', quote: { fixedNanoUsd: 1000n * 1000n + 500n * 4000n + 2n, outputCap: 0, inputTokens: 1500 } }]);
    expect(call.instructions.body).toBeUndefined();
    answer(call, { id: 'batch_1', object: 'batch', status: 'validating' });
    expect(at.kept.at(-1)).toMatchObject({ kind: 'batch', id: 'batch_1', open: { endpointPath: '/chat/completions', holds: ['air_1'] } });
    expect(at.settlements.size).toBe(0);
  });

  it.each([
    ['the provider refuses it', { status: 400, local: undefined }, 'complete', 'void'],
    ['the provider cannot be reached', { status: 503, local: 'unreachable' }, 'complete', 'void'],
    ['the connection breaks after it was sent', { status: 503, local: 'reset' }, 'closed', 'estimated'],
    ['the answer does not name it', { status: 200, local: undefined }, 'complete', 'estimated'],
  ] as const)('is settled at once where %s', async (_name, { status, local }, how, kind) => {
    const at = bench({ objects: [FILE] });
    const { call } = await create(at);
    call.onAnswerHead({ status, contentType: 'application/json', contentEncoding: undefined, local });
    call.onAnswerBody(bytes({ object: 'batch' }), true);
    call.end(how);
    call.end('closed');
    expect(at.settlements.get('air_1')?.kind).toBe(kind);
    expect(at.records).toHaveLength(1);
  });

  it('is made of a file of one’s own, for what it was read for', async () => {
    const at = bench({
      objects: [
        FILE,
        { ...FILE, id: 'file-2', requests: { endpointPath: '/embeddings', parts: [] } },
        { provider: FILE.provider, kind: 'file', id: 'file-3', workload: FILE.workload, at: 0 },
      ],
    });
    const batch = (file: string): Uint8Array => bytes({ input_file_id: file, endpoint: '/v1/chat/completions', completion_window: '24h' });
    expect(await codeOf(at, 'POST', '/v1/batches', batch('file-1'), { workload: 'shop/beta' })).toBe('object_not_found');
    expect(await codeOf(at, 'POST', '/v1/batches', batch('file-9'))).toBe('object_not_found');
    expect(await codeOf(at, 'POST', '/v1/batches', batch('file-2'))).toBe('invalid_value');
    expect(await codeOf(at, 'POST', '/v1/batches', batch('file-3'))).toBe('invalid_value');
  });

  it('without a bound is refused by a strict budget', async () => {
    const parts = (FILE.requests?.parts ?? []).map((part) => ({ ...part, unbounded: ['hosted tool "web_search"'] }));
    expect(await codeOf(bench({ objects: [{ ...FILE, requests: { endpointPath: '/chat/completions', parts } }] }), 'POST', '/v1/batches', CREATE)).toBe(
      'cost_unbounded',
    );
  });

  it('counts as one request, and not among the tokens of a minute', async () => {
    const at = bench({ objects: [FILE], rule: { limits: { requestsPerMinute: 5, tokensPerMinute: 10 } } });
    await create(at);
    expect(at.commands[0]?.accounts.map(({ limit }) => limit)).toEqual(['shop/life', 'shop/all#all/requestsPerMinute']);
  });
});

describe('a batch of several models', () => {
  const ANTHROPIC = { 'anthropic-version': '2023-06-01' };
  const params = (model: string): object => ({ model, max_tokens: 100, messages: [{ role: 'user', content: 'hi' }] });
  const body = bytes({
    requests: [
      { custom_id: 'a', params: params('small') },
      { custom_id: 'b', params: params('claude-sonnet-4.5') },
    ],
  });

  it('is held for each of them', async () => {
    const at = bench({ rule: { match: { models: ['gpt-4.1'] } } });
    const call = await forward(at, 'POST', '/v1/messages/batches', body, { headers: ANTHROPIC });
    expect(at.commands.map(({ id }) => id)).toEqual(['air_1', 'air_1.1']);
    answer(call, { id: 'msgbatch_1', type: 'message_batch', processing_status: 'in_progress' });
    expect(at.kept.at(-1)?.open?.holds).toEqual(['air_1', 'air_1.1']);
  });

  it('is held for all of them or for none', async () => {
    const at = bench({ rule: { match: { models: ['gpt-4.1'] } }, refuse: ({ id }) => id === 'air_1.1' });
    expect(await codeOf(at, 'POST', '/v1/messages/batches', body, { headers: ANTHROPIC })).toBe('budget_exhausted');
    expect(at.settlements).toEqual(new Map([['air_1', { kind: 'void' }]]));
  });
});

describe('what exists', () => {
  const MINE: KeptObject = { provider: 'shop/openai', kind: 'file', id: 'file-1', workload: 'shop/alpha', at: 0 };

  it('is answered to others as what does not', async () => {
    const at = bench({ objects: [MINE] });
    const [theirs, nobodys] = await Promise.all([
      decide(at, 'GET', '/v1/files/file-1', undefined, { workload: 'shop/beta' }),
      decide(at, 'GET', '/v1/files/file-2', undefined, { workload: 'shop/beta' }),
    ]);
    if (theirs.kind !== 'reply' || nobodys.kind !== 'reply') throw new Error('forwarded');
    expect(text(theirs.reply.body)).toBe(text(nobodys.reply.body).replace('file-2', 'file-1'));
    expect(theirs.reply.status).toBe(404);
    expect(at.commands).toEqual([]);
  });

  it('is asked for without a body, and counted as a request that costs nothing', async () => {
    const at = bench({ objects: [MINE] });
    const call = await forward(at, 'GET', '/v1/files/file-1/content?x=1');
    expect(call.instructions).toMatchObject({ path: '/v1/files/file-1/content?x=1', providerId: 'shop/openai', body: undefined });
    expect(call.instructions.setHeaders.map(([name]) => name)).not.toContain('content-length');
    expect(answer(call, 'raw bytes', 200, 'application/octet-stream')).toBe('raw bytes');
    expect(at.records[0]).toMatchObject({ ending: 'finished', operation: 'files', model: '<none>', costNanoUsd: 0n, estimated: false });
  });

  it.each([
    [200, ['file-1']],
    [404, ['file-1']],
    [500, []],
    [401, []],
  ])('is forgotten when its deletion is answered %d', async (status, forgotten) => {
    const at = bench({ objects: [MINE] });
    answer(await forward(at, 'DELETE', '/v1/files/file-1'), { deleted: true }, status);
    expect(at.forgotten).toEqual(forgotten);
  });

  it('is out of reach where no rule leads to its provider', async () => {
    expect(await codeOf(bench({ objects: [{ ...MINE, provider: 'shop/elsewhere' }] }), 'GET', '/v1/files/file-1')).toBe('stateful_endpoint_refused');
    expect(await codeOf(bench({ objects: [MINE], rule: { match: { paths: ['/chat/completions'] } } }), 'GET', '/v1/files/file-1')).toBe(
      'stateful_endpoint_refused',
    );
    expect(await codeOf(bench({ objects: [MINE], rule: { match: { paths: ['/files'] } } }), 'GET', '/v1/files/file-1')).toBe('forwarded');
  });

  it.each([
    ['gzip', 'application/json', '{"data":[{"id":"file-9"}]}'],
    [undefined, 'text/html', '<html>file-9'],
    [undefined, 'application/json', '{"secret":"file-9"}'],
    [undefined, 'application/json', '{"data":[{"id":"file-9"}'],
  ])('is not listed from what cannot be read (%s, %s)', async (contentEncoding, contentType, body) => {
    const { call } = await forward(bench({ objects: [MINE] }), 'GET', '/v1/files');
    const changes = call.onAnswerHead({ status: 200, contentType, contentEncoding, local: undefined });
    const passed = text(call.onAnswerBody(bytes(body), true));
    expect(passed).not.toContain('file-9');
    expect(JSON.parse(passed)).toMatchObject({ error: { code: 'internal_error' } });
    if (contentType !== 'application/json' || contentEncoding !== undefined) expect(changes.status).toBe(502);
  });
});

describe('a stored response', () => {
  const respond = (fields: object = {}): Uint8Array => bytes({ model: 'gpt-4.1', input: 'hi', max_output_tokens: 10, ...fields });
  const usage = { input_tokens: 100, output_tokens: 20, total_tokens: 120 };

  it('is its caller’s before its name goes on, and brings its length to the next', async () => {
    const at = bench();
    const { call, instructions } = await forward(at, 'POST', '/v1/responses', respond());
    expect(instructions.body).toBeUndefined();
    call.onAnswerHead({ status: 200, contentType: 'application/json', contentEncoding: undefined, local: undefined });
    call.onAnswerBody(bytes('{"id":"resp_'), false);
    expect(at.kept).toEqual([]);
    call.onAnswerBody(bytes('1","model":"gpt-4.1",'), false);
    expect(at.kept).toMatchObject([{ kind: 'response', id: 'resp_1', workload: 'shop/alpha', provider: 'shop/openai' }]);
    call.onAnswerBody(bytes(`"usage":${JSON.stringify(usage)}}`), true);
    call.end('complete');
    expect(at.kept.at(-1)).toMatchObject({ id: 'resp_1', tokens: 120 });

    await forward(at, 'POST', '/v1/responses', respond());
    await forward(at, 'POST', '/v1/responses', respond({ previous_response_id: 'resp_1' }));
    const [, without = 0, with_ = 0] = at.commands.map(({ quote }) => quote.inputTokens);
    expect(with_ - without).toBe(120 + ',"previous_response_id":"resp_1"'.length);
  });

  it('is not reached by the id of an item of it that another workload owns, or nobody', async () => {
    const input = [
      { type: 'reasoning', id: 'rs_1', summary: [] },
      { role: 'user', content: 'go on' },
    ];
    expect(await codeOf(bench(), 'POST', '/v1/responses', respond({ input }))).toBe('object_not_found');
    expect(await codeOf(bench(), 'POST', '/v1/files', form(line({ model: 'gpt-4.1', input }, '/v1/responses')), { headers: FORM })).toBe('unsupported_state');
    expect(await codeOf(bench(), 'POST', '/v1/responses', respond({ model: 'claude-sonnet-4.5', input }))).not.toBe('unsupported_state');
  });

  it.each(['reasoning', 'item_reference'])('goes on by the ids of its items (%s), each as long as the answer at most', async (type) => {
    const at = bench();
    answer(await forward(at, 'POST', '/v1/responses', respond()), {
      id: 'resp_1',
      output: [
        { type: 'reasoning', id: 'rs_1' },
        { type: 'message', id: 'msg_1' },
      ],
      usage,
    });
    expect(at.kept.filter(({ tokens }) => tokens !== undefined).map(({ kind, id, tokens }) => [kind, id, tokens])).toEqual([
      ['response', 'resp_1', 120],
      ['item', 'rs_1', 20],
      ['item', 'msg_1', 20],
    ]);
    const input = [
      { type, id: 'rs_1', ...(type === 'reasoning' ? { summary: [] } : {}) },
      { role: 'user', content: 'go on' },
    ];
    await forward(at, 'POST', '/v1/responses', respond({ input }));
    expect(await codeOf(at, 'POST', '/v1/responses', respond({ input }), { workload: 'shop/beta' })).toBe('object_not_found');
  });

  it('of unknown length is refused by a strict budget', async () => {
    const at = bench({ objects: [{ provider: 'shop/openai', kind: 'response', id: 'resp_1', workload: 'shop/alpha', at: 0 }] });
    expect(await codeOf(at, 'POST', '/v1/responses', respond({ previous_response_id: 'resp_1' }))).toBe('cost_unbounded');
    expect(await codeOf(at, 'POST', '/v1/responses', respond({ previous_response_id: 'resp_1' }), { workload: 'shop/beta' })).toBe('object_not_found');
  });

  it.each([
    [{ store: false }, 200],
    [{}, 400],
  ])('is not noted with %j and status %d', async (fields, status) => {
    const at = bench();
    answer(await forward(at, 'POST', '/v1/responses', respond(fields)), { id: 'resp_1', usage }, status);
    expect(at.kept).toEqual([]);
  });
});
