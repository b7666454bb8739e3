import { deepStrictEqual } from 'node:assert/strict';
import { inspect } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import type { SidecarState } from '../../../core/control/index.ts';
import { anyState, stateOf } from '../states.test-support.ts';
import { decodeAnswer, encodeAnswer } from './answer.ts';
import { decodeReport, encodeReport } from './report.ts';
import type { SidecarReport } from './report.ts';
import { decodeState, encodeState } from './state.ts';

const PROTO = new URL('../../../../proto/airmesh/policy/v1/policy.proto', import.meta.url).pathname;
const SECRET = 'sk-PLANTED-0123456789abcdef';

function rootOf(): protobuf.Root {
  return protobuf.loadSync(PROTO);
}

type Tree = { [field: string]: unknown };

/** Bytes that no encoder of ours would make: those of a good state, after `spoil`. */
function spoilt(state: SidecarState, spoil: (raw: Tree) => void, root = rootOf()): Uint8Array {
  const type = root.lookupType('airmesh.policy.v1.State');
  const raw = type.toObject(type.decode(encodeState(state)), { longs: Number, defaults: false });
  const packed = (raw['snapshot'] as Tree)['providers'] as unknown[];
  const providerType = type.root.lookupType('airmesh.policy.v1.Provider');
  packed.forEach((bytes, index) => (packed[index] = providerType.toObject(providerType.decode(gunzipSync(bytes as Uint8Array)), { longs: Number })));
  spoil(raw);
  packed.forEach((one, index) => {
    if (!(one instanceof Uint8Array)) packed[index] = gzipSync(providerType.encode(providerType.fromObject(one as Tree)).finish());
  });
  return type.encode(type.fromObject(raw)).finish();
}

/** Classes that hide their keys, as plain as they came. */
function plain(state: SidecarState): SidecarState {
  const { interception, keys, ...rest } = state;
  const hosts = interception?.hosts.map(({ leaf, ...host }) =>
    leaf === undefined ? host : { ...host, leaf: { certificate: leaf.certificate, key: leaf.key, notAfter: leaf.notAfter } },
  );
  return {
    ...rest,
    keys: new Map([...keys].map(([ref, { type, value }]) => [ref, { type, value }])),
    ...(interception === undefined || hosts === undefined ? {} : { interception: { ...interception, hosts } }),
  };
}

const full: SidecarState = stateOf('shop/checkout', {
  snapshot: {
    version: '1',
    workload: { namespace: 'shop', name: 'checkout' },
    providers: new Map([
      [
        'shop/openai',
        {
          id: 'shop/openai',
          type: 'OpenAI',
          back: 'openai',
          apiVersion: undefined,
          baseUrl: { tls: true, host: 'api.openai.com', port: 443, basePath: '/v1' },
          caCertificates: undefined,
          key: 'shop/openai',
          models: new Map([['gpt-4.1', { name: 'gpt-4.1', price: { input: 2_000_000_000n, output: 8_000_000_000n, source: 'airmesh-catalog/1' } }]]),
          unknownPrice: 'Refuse',
          timeouts: { connectMs: 1, requestMs: 0, idleMs: 1 },
          retries: { attempts: 0, baseIntervalMs: 1, maxIntervalMs: 1 },
          circuitBreaker: { maxConnections: 1, maxPendingRequests: 1, maxRequests: 1 },
          outlierDetection: { consecutive5xx: 1, intervalMs: 1, baseEjectionTimeMs: 1 },
        },
      ],
    ]),
    rules: [
      {
        id: 'shop/route#1',
        match: { models: [], paths: [], headers: [] },
        backends: [{ provider: 'shop/openai', model: undefined, weight: 1, priority: 0 }],
        failover: { consecutiveFailures: 3, ejectionTimeMs: 1, maxEjectionTimeMs: 1 },
        sticky: undefined,
        transform: {
          systemPrompt: undefined,
          defaultMaxOutputTokens: undefined,
          maxOutputTokens: 0,
          headers: { set: [], add: [], remove: [] },
          body: { set: { user: { deep: [1, null] } }, remove: [] },
        },
        limits: { requestsPerMinute: 0, tokensPerMinute: undefined },
        cache: undefined,
        mergeEmbeddings: undefined,
      },
    ],
    budgets: [
      {
        id: 'shop/daily',
        unit: 'usd',
        limit: 25_000_000_000n,
        window: { kind: 'calendar', unit: 'day', timeZone: 'UTC' },
        mode: 'Strict',
        nearLimit: 'Shrink',
        floorOutputTokens: 16,
        waitMs: 0,
        alerts: [50, 100],
        per: [{ kind: 'header', name: 'x-team' }],
        models: [],
        providers: [],
        headers: [],
      },
    ],
    aliases: new Map([['gpt-4', 'gpt-4.1']]),
    knownModels: new Map([['gpt-4.1', 'gpt-4.1']]),
    hosts: ['api.openai.com'],
  },
  keys: new Map([['shop/openai', { type: 'OpenAI', value: SECRET }]]),
  interception: {
    hosts: [{ host: 'api.openai.com', leaf: { certificate: 'PEM', key: SECRET, notAfter: 9 }, ports: [8443] }],
    roots: 'ROOTS',
    egress: 'Open',
  },
});

describe('a state', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(anyState, (state) => {
        const decoded = decodeState(encodeState(state));
        if (!decoded.ok) throw new Error(decoded.error);
        // Not toStrictEqual: it takes a field that is called `constructor` for what the object is of.
        deepStrictEqual(plain(decoded.value), structuredClone(plain(state)));
      }),
      { numRuns: 300 },
    );
  });

  it('tells what is absent from what is nothing', () => {
    const decoded = decodeState(encodeState(full));
    const rule = decoded.ok ? decoded.value.snapshot.rules[0] : undefined;
    expect(rule?.transform.maxOutputTokens).toBe(0);
    expect(rule?.transform.defaultMaxOutputTokens).toBeUndefined();
    expect(rule?.limits).toEqual({ requestsPerMinute: 0, tokensPerMinute: undefined });
  });

  it('shows no key of it to whatever prints it', () => {
    const decoded = decodeState(encodeState(full));
    expect(decoded.ok && decoded.value.keys.get('shop/openai')?.value).toBe(SECRET);
    expect(inspect(decoded, { depth: 20, showHidden: true })).not.toContain('PLANTED');
    expect(
      JSON.stringify(decoded, (_, value: unknown) => (value instanceof Map ? [...value] : typeof value === 'bigint' ? String(value) : value)),
    ).not.toContain('PLANTED');
  });

  const first = (raw: Tree, ...path: string[]): Tree =>
    path.reduce((at, field) => {
      const next = at[field];
      return (Array.isArray(next) ? next[0] : next) as Tree;
    }, raw);
  const provider = (raw: Tree): Tree => first(raw, 'snapshot', 'providers');
  const rule = (raw: Tree): Tree => first(raw, 'snapshot', 'rules');
  const budget = (raw: Tree): Tree => first(raw, 'snapshot', 'budgets');

  it.each<[string, (raw: Tree) => void]>([
    ['State.version: is missing', (raw) => delete raw['version']],
    ['State.snapshot: is missing', (raw) => delete raw['snapshot']],
    ['State.snapshot.version: is missing', (raw) => delete first(raw, 'snapshot')['version']],
    ['State.snapshot.workload: is missing', (raw) => delete first(raw, 'snapshot')['workload']],
    ['State.snapshot.workload.namespace: is missing', (raw) => delete first(raw, 'snapshot', 'workload')['namespace']],
    ['State.snapshot.providers[0].id: is missing', (raw) => delete provider(raw)['id']],
    ['State.snapshot.providers[0].type: "Oracle" is not known here; it may come from a newer version', (raw) => (provider(raw)['type'] = 'Oracle')],
    ['State.snapshot.providers[0].back: is missing', (raw) => delete provider(raw)['back']],
    ['State.snapshot.providers[0].baseUrl.host: is missing', (raw) => delete first(provider(raw), 'baseUrl')['host']],
    ['State.snapshot.providers[0].timeouts: is missing', (raw) => delete provider(raw)['timeouts']],
    ['State.snapshot.providers[0].retries: is missing', (raw) => delete provider(raw)['retries']],
    ['State.snapshot.providers[0].circuitBreaker: is missing', (raw) => delete provider(raw)['circuitBreaker']],
    ['State.snapshot.providers[0].outlierDetection: is missing', (raw) => delete provider(raw)['outlierDetection']],
    ['State.snapshot.providers[0].models[0].model: is missing', (raw) => delete first(provider(raw), 'models')['model']],
    [
      'State.snapshot.providers[0].models[0].model.price.input: "1.5" is not an amount',
      (raw) => (first(provider(raw), 'models', 'model', 'price')['input'] = '1.5'),
    ],
    ['State.snapshot.providers[0].models[0].model.price.output: is missing', (raw) => delete first(provider(raw), 'models', 'model', 'price')['output']],
    [
      'State.snapshot.providers[0].models[0].model.contextWindow: is larger than 2^53',
      (raw) => (first(provider(raw), 'models', 'model')['contextWindow'] = 2 ** 60),
    ],
    ['State.snapshot.rules[0].id: is missing', (raw) => delete rule(raw)['id']],
    ['State.snapshot.rules[0].match: is missing', (raw) => delete rule(raw)['match']],
    ['State.snapshot.rules[0].backends[0].provider: is missing', (raw) => delete first(rule(raw), 'backends')['provider']],
    ['State.snapshot.rules[0].transform: is missing', (raw) => delete rule(raw)['transform']],
    ['State.snapshot.rules[0].transform.setBody[0].value: is not JSON', (raw) => (first(rule(raw), 'transform', 'setBody')['value'] = '{')],
    [
      'State.snapshot.rules[0].transform.systemPrompt: has 200001 characters; at most 200000 were expected',
      (raw) => (first(rule(raw), 'transform')['systemPrompt'] = 'x'.repeat(200_001)),
    ],
    [
      'State.snapshot.rules[0].match.models: has 1001 entries; at most 1000 were expected',
      (raw) => (first(rule(raw), 'match')['models'] = Array(1_001).fill('m')),
    ],
    [
      'State.snapshot.rules[0].match.models[1]: has 5000 characters; at most 4096 were expected',
      (raw) => (first(rule(raw), 'match')['models'] = ['m', 'x'.repeat(5_000)]),
    ],
    ['State.snapshot.budgets[0].unit: "yen" is not known here; it may come from a newer version', (raw) => (budget(raw)['unit'] = 'yen')],
    ['State.snapshot.budgets[0].limit: is missing', (raw) => delete budget(raw)['limit']],
    ['State.snapshot.budgets[0].mode: is missing', (raw) => delete budget(raw)['mode']],
    ['State.snapshot.budgets[0].nearLimit: is missing', (raw) => delete budget(raw)['nearLimit']],
    ['State.snapshot.budgets[0].window: is missing', (raw) => delete budget(raw)['window']],
    ['State.snapshot.budgets[0].window: is of no kind that is known here; it may come from a newer version', (raw) => (budget(raw)['window'] = {})],
    [
      'State.snapshot.budgets[0].window.calendar.unit: "fortnight" is not known here; it may come from a newer version',
      (raw) => (first(budget(raw), 'window', 'calendar')['unit'] = 'fortnight'),
    ],
    ['State.snapshot.budgets[0].per[0].kind: is missing', (raw) => delete first(budget(raw), 'per')['kind']],
    ['State.snapshot.budgets[0].per[0].name: is missing', (raw) => delete first(budget(raw), 'per')['name']],
    ['State.snapshot.providers[0]: cannot be decompressed, or is too large', (raw) => (first(raw, 'snapshot')['providers'] = [Buffer.from('what?')])],
    [
      'State.snapshot.providers[0]: cannot be decompressed, or is too large',
      (raw) => (first(raw, 'snapshot')['providers'] = [gzipSync(Buffer.alloc(17 * 1_048_576))]),
    ],
    ['State.snapshot.providers[0]: these 5 bytes are no such message', (raw) => (first(raw, 'snapshot')['providers'] = [gzipSync('what?')])],
    ['State.keys[0].ref: is missing', (raw) => delete first(raw, 'keys')['ref']],
    ['State.keys[0].type: is missing', (raw) => delete first(raw, 'keys')['type']],
    ['State.keys[0].value: is missing', (raw) => delete first(raw, 'keys')['value']],
    ['State.keys[0].value: has 5000 characters; at most 4096 were expected', (raw) => (first(raw, 'keys')['value'] = SECRET.padEnd(5_000))],
    ['State.interception.egress: is missing', (raw) => delete first(raw, 'interception')['egress']],
    ['State.interception.hosts[0].host: is missing', (raw) => delete first(raw, 'interception', 'hosts')['host']],
    ['State.interception.hosts[0].leaf.key: is missing', (raw) => delete first(raw, 'interception', 'hosts', 'leaf')['key']],
    [
      'State.interception.hosts[0].ports: has 101 entries; at most 100 were expected',
      (raw) => (first(raw, 'interception', 'hosts')['ports'] = Array(101).fill(1)),
    ],
  ])('that is wrong is told by field: %s', (message, spoil) => {
    expect(decodeState(spoilt(full, spoil))).toEqual({ ok: false, error: message });
  });

  it('of bytes that are none is refused, whatever they are', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => typeof decodeState(bytes).ok === 'boolean'));
    expect(decodeState(Buffer.from('what?'))).toEqual({ ok: false, error: 'State: these 5 bytes are no such message' });
  });
});

describe('a version of skew', () => {
  /** The next version's protocol: something more in each message. */
  function nextVersion(): protobuf.Root {
    const root = rootOf();
    for (const name of ['State', 'Snapshot', 'Provider', 'Rule', 'Budget', 'SidecarReport', 'KeyHealth', 'Window'])
      root.lookupType(`airmesh.policy.v1.${name}`).add(new protobuf.Field('tomorrow', 900, 'string', 'optional'));
    return root;
  }

  it('from a newer controller: what is not known here is passed over', () => {
    const more = (tree: unknown): void => {
      if (Array.isArray(tree)) return tree.forEach(more);
      if (typeof tree !== 'object' || tree === null || tree instanceof Uint8Array) return;
      Object.values(tree).forEach(more);
      Object.assign(tree, { tomorrow: 'new' });
    };
    const bytes = spoilt(full, more, nextVersion());
    expect(bytes.length).toBeGreaterThan(encodeState(full).length + 5 * 6);
    const decoded = decodeState(bytes);
    expect(decoded.ok && plain(decoded.value)).toStrictEqual(plain(full));
  });

  it('from an older controller: what it does not say yet is absent', () => {
    const decoded = decodeState(spoilt(full, (raw) => void (delete raw['interception'], delete raw['controllerRoots'])));
    expect(decoded.ok && decoded.value).not.toHaveProperty('interception');
  });

  it('from a newer sidecar: what is not known here is passed over; from an older one, what it does not say is absent', () => {
    const report: SidecarReport = { program: '2', applied: 'v', keys: [{ ref: 'k', totalRejections: 1, used: true, isRefused: false }], ownKeysFor: ['h'] };
    const type = nextVersion().lookupType('airmesh.policy.v1.SidecarReport');
    const raw = type.toObject(type.decode(encodeReport(report)), { longs: Number });
    Object.assign(raw, { tomorrow: 'new' });
    expect(decodeReport(type.encode(type.fromObject(raw)).finish())).toEqual({ ok: true, value: report });
    expect(decodeReport(type.encode(type.fromObject({ program: '0' })).finish())).toEqual({ ok: true, value: { program: '0', keys: [], ownKeysFor: [] } });
  });

  it('a word of a newer controller makes one state unusable by its name, and not the stream', () => {
    const root = rootOf();
    const type = root.lookupType('airmesh.policy.v1.ToSidecar');
    const raw = type.toObject(type.decode(encodeAnswer({ kind: 'state', state: full })), { longs: Number });
    raw['state'].snapshot.budgets[0].unit = 'yen';
    expect(decodeAnswer(type.encode(type.fromObject(raw)).finish())).toEqual({
      ok: true,
      value: {
        kind: 'bad',
        version: full.version,
        reason: 'State.snapshot.budgets[0].unit: "yen" is not known here; it may come from a newer version',
      },
    });
  });
});

describe('what is said besides', () => {
  const name = fc.string({ minLength: 1, maxLength: 20 });
  const report: fc.Arbitrary<SidecarReport> = fc.record(
    {
      program: name,
      applied: name,
      refused: fc.record({ version: name, reason: name }),
      keys: fc.array(
        fc.record(
          { ref: name, totalRejections: fc.maxSafeNat(), used: fc.boolean(), lastRejectedAt: fc.maxSafeNat(), isRefused: fc.boolean() },
          { requiredKeys: ['ref', 'totalRejections', 'used'] },
        ),
        { maxLength: 3 },
      ),
      ownKeysFor: fc.array(name, { maxLength: 3 }),
    },
    { requiredKeys: ['program', 'keys', 'ownKeysFor'] },
  );

  it('a report comes back as it was', () => {
    fc.assert(
      fc.property(report, (said) => {
        expect(decodeReport(encodeReport(said))).toStrictEqual({ ok: true, value: structuredClone(said) });
      }),
    );
  });

  it.each<[string, object]>([
    ['SidecarReport.program: is missing', {}],
    ['SidecarReport.keys[0].ref: is missing', { program: '1', keys: [{}] }],
    ['SidecarReport.keys[0].totalRejections: is larger than 2^53', { program: '1', keys: [{ ref: 'k', totalRejections: 2 ** 60 }] }],
    ['SidecarReport.ownKeysFor: has 1001 entries; at most 1000 were expected', { program: '1', ownKeysFor: Array(1_001).fill('h') }],
    ['SidecarReport.refused.reason: has 5000 characters; at most 4096 were expected', { program: '1', refused: { version: 'v', reason: 'x'.repeat(5_000) } }],
  ])('a report that is wrong is told by field: %s', (message, raw) => {
    const type = rootOf().lookupType('airmesh.policy.v1.SidecarReport');
    expect(decodeReport(type.encode(type.fromObject(raw)).finish())).toEqual({ ok: false, error: message });
  });

  it('an answer comes back as it was', () => {
    for (const answer of [{ kind: 'waiting', reason: 'soon' } as const, { kind: 'current', version: 'v' } as const])
      expect(decodeAnswer(encodeAnswer(answer))).toEqual({ ok: true, value: answer });
    expect(decodeAnswer(Buffer.alloc(0))).toEqual({ ok: false, error: 'ToSidecar: holds no message that is known here' });
  });
});
