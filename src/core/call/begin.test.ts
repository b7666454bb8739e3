import { describe, expect, it } from 'vitest';
import { compile, parseResource } from '../policy/index.ts';
import type { Resource } from '../policy/index.ts';
import type { Granted, ReserveCommand, Settlement } from '../ledger/index.ts';
import { begin } from './begin.ts';
import { ProviderHealth } from './health.ts';
import { Merging } from './merge/merging.ts';
import type { CallPorts } from './ports.ts';
import type { CallRecord } from './record.ts';

const resource = (kind: string, name: string, spec: object): Resource => {
  const parsed = parseResource({ apiVersion: 'airmesh.dev/v1alpha1', kind, metadata: { name }, spec });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
};

const provider = resource('AIProvider', 'relay', { type: 'OpenAICompatible', baseUrl: 'https://relay.example/v1', auth: { apiKey: { env: 'KEY' } } });
const budget = resource('AIBudget', 'life', { limit: { usd: '5' }, window: { lifetime: true }, per: ['Workload', { header: 'X-Team' }] });
const route = (transform: object, more: object = {}): Resource =>
  resource('AIRoute', 'all', {
    workloads: ['*'],
    rules: [{ name: 'chat', match: { models: ['gpt-4.1'] }, backends: [{ provider: 'relay' }], transform, ...more }],
  });

interface Bench {
  readonly ports: CallPorts;
  readonly commands: ReserveCommand[];
  readonly settlements: Settlement[];
  readonly records: CallRecord[];
}

function bench(resources: readonly Resource[], key: string | undefined = 'sk-real'): Bench {
  const known = { openai: [], anthropic: [], google: [], deepseek: [] };
  const compiled = compile(resources, [{ namespace: 'shop', name: 'checkout' }], {
    own: [],
    known,
    simulatedUrl: undefined,
    readCertificates: (pem: string) => ({ ok: true, value: pem }) as const,
  });
  const commands: ReserveCommand[] = [];
  const settlements: Settlement[] = [];
  const records: CallRecord[] = [];
  const ports: CallPorts = {
    snapshots: { current: (workload) => compiled.snapshots.get(workload) },
    keys: { get: () => key, rejected: () => undefined, accepted: () => undefined },
    budgets: {
      admit: async (command) => {
        commands.push(command);
        return { kind: 'granted', id: command.id, holds: [], outputCap: command.quote.outputCap, shrunk: false, observed: [] } satisfies Granted;
      },
      extend: () => undefined,
      cancel: () => undefined,
      settle: (id, settlement, record) => {
        settlements.push(settlement);
        records.push(record({ kind: 'settled', id, posted: [] }));
      },
    },
    state: {
      find: async () => undefined,
      idsOf: async () => new Set(),
      keep: () => undefined,
      forget: () => undefined,
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
  return { ports, commands, settlements, records };
}

const text = new TextEncoder();
const chat = (fields: object = {}): Uint8Array => text.encode(JSON.stringify({ model: 'gpt-4.1', messages: [{ role: 'user', content: 'hi' }], ...fields }));
const request = (body: Uint8Array, headers: Record<string, string> = {}) => ({
  workload: 'shop/checkout',
  method: 'POST',
  path: '/v1/chat/completions?x=1',
  body,
  headers: new Map(Object.entries({ 'content-type': 'application/json', ...headers })),
});

async function forward(ports: CallPorts, body: Uint8Array, headers: Record<string, string> = {}) {
  const decided = await begin('air_1', request(body, headers), ports);
  if (decided.kind !== 'forward') throw new Error(`refused: ${decided.refusal?.code}`);
  return decided;
}

const bodyOf = (bytes: Uint8Array | undefined): Record<string, unknown> => JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;

describe('begin', () => {
  const plain = route({});
  const all = [provider, plain, budget].map((item) => ({ ...item, metadata: { ...item.metadata, namespace: 'shop' } }) as Resource);
  const withRoute = (item: Resource): Resource[] =>
    [all[0], { ...item, metadata: { ...item.metadata, namespace: 'shop' } } as Resource, all[2]].filter((one) => one !== undefined);

  it('puts the key in and takes the caller’s credentials out', async () => {
    const { instructions } = await forward(bench(all).ports, chat());
    expect(instructions.providerId).toBe('shop/relay');
    expect(instructions.path).toBe('/v1/chat/completions?x=1');
    expect(instructions.setHeaders).toContainEqual(['authorization', 'Bearer sk-real']);
    expect(instructions.setHeaders).toContainEqual(['accept-encoding', 'identity']);
    expect(instructions.removeHeaders).toEqual(expect.arrayContaining(['x-api-key', 'openai-organization']));
    expect(instructions.removeHeaders).not.toContain('authorization');
  });

  it('sends no cap upstream above the one that is held', async () => {
    const { ports, commands } = bench(all);
    const { instructions } = await forward(ports, chat());
    expect(commands[0]?.quote.outputCap).toBe(32_768);
    expect(bodyOf(instructions.body)['max_tokens']).toBe(32_768);
  });

  it('prices a system prompt that the rule adds', async () => {
    const prompt = 'x'.repeat(10_000);
    const [without, with_] = [bench(all), bench(withRoute(route({ systemPrompt: prompt })))];
    await forward(without.ports, chat());
    const { instructions } = await forward(with_.ports, chat());
    const more = (with_.commands[0]?.quote.inputTokens ?? 0) - (without.commands[0]?.quote.inputTokens ?? 0);
    expect(more).toBeGreaterThanOrEqual(prompt.length);
    expect(bodyOf(instructions.body)['messages']).toHaveLength(2);
  });

  it('keeps an account for each header value, a long one cut and a separator escaped', async () => {
    const { ports, commands } = bench(all);
    await forward(ports, chat(), { 'x-team': 'a|b' });
    await forward(ports, chat());
    await forward(ports, chat(), { 'x-team': 'y'.repeat(1000) });
    const subjects = commands.map(({ accounts }) => accounts[0]?.subject);
    expect(subjects).toEqual(['shop/checkout|a%7Cb', 'shop/checkout|<none>', `shop/checkout|${'y'.repeat(128)}`]);
  });

  it.each([
    [{ tools: [{ type: 'web_search' }] }, 'invalid_body|cost_unbounded|invalid_value'],
    [{ web_search_options: {} }, 'cost_unbounded'],
    [{ model: 'nope' }, 'model_not_found'],
    [{ max_tokens: 1.5 }, 'invalid_value'],
  ])('refuses %j', async (fields, code) => {
    const decided = await begin('air_1', request(chat(fields)), bench(all).ports);
    expect(decided.kind).toBe('reply');
    expect(decided.kind === 'reply' ? decided.refusal?.code : '').toMatch(new RegExp(`^(?:${code})$`));
  });

  it('refuses where the provider has no key, and where nobody knows the workload', async () => {
    const keyless = await begin('air_1', request(chat()), {
      ...bench(all).ports,
      keys: { get: () => undefined, rejected: () => undefined, accepted: () => undefined },
    });
    expect(keyless).toMatchObject({ kind: 'reply', refusal: { code: 'provider_key_missing', status: 503 } });
    const stranger = await begin('air_1', { ...request(chat()), workload: 'shop/other' }, bench(all).ports);
    expect(stranger).toMatchObject({ kind: 'reply', refusal: { code: 'model_not_allowed' } });
  });

  it('settles once, however often it is ended', async () => {
    const { ports, settlements, records } = bench(all);
    const { call } = await forward(ports, chat());
    call.onAnswerHead({ status: 200, contentType: 'application/json', contentEncoding: undefined, local: undefined });
    call.onAnswerBody(text.encode('{"model":"gpt-4.1","choices":[],"usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}'), true);
    call.end('complete');
    call.end('closed');
    call.end('unsent');
    expect(settlements).toEqual([{ kind: 'actual', actual: { nanoUsd: 60_000n, tokens: 15, outputTokens: 5 } }]);
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({ ending: 'finished', estimated: false, costNanoUsd: 60_000n });
  });

  it.each([
    ['default', 60_000n],
    ['flex', 30_000n],
    ['priority', 120_000n],
    ['new', 30_000n],
  ])('costs what the tier costs that was served (%s), whatever was asked for', async (tier, nanoUsd) => {
    const { ports, settlements } = bench(all);
    const { call } = await forward(ports, chat({ service_tier: 'flex' }));
    call.onAnswerHead({ status: 200, contentType: 'application/json', contentEncoding: undefined, local: undefined });
    call.onAnswerBody(
      text.encode(`{"model":"gpt-4.1","choices":[],"service_tier":"${tier}","usage":{"prompt_tokens":10,"completion_tokens":5,"total_tokens":15}}`),
      true,
    );
    call.end('complete');
    expect(settlements).toMatchObject([{ kind: 'actual', actual: { nanoUsd } }]);
  });
});
