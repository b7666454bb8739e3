/** Backends by weight: what the resources say is what 10,000 calls get. */
import { describe, expect, it } from 'vitest';
import { compile, parseResource, pickBackend, resolveModel } from '../../src/core/policy/index.ts';
import type { Resource, WorkloadSnapshot } from '../../src/core/policy/index.ts';

const CALLS = 10_000;

/** Standard deviations that a share may be off: chance alone does so once in 50,000 tries. */
const SIGMAS = 4.2;

const MODEL = 'gpt-4.1';

const resource = (kind: string, name: string, spec: object): Resource => {
  const parsed = parseResource({ apiVersion: 'airmesh.dev/v1alpha1', kind, metadata: { name }, spec });
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error));
  return parsed.value;
};

interface Backend {
  readonly weight: number;
  /** What its provider serves, if not all that it could. */
  readonly serves?: string;
}

function snapshotOf(backends: readonly Backend[], sticky: object = {}): WorkloadSnapshot {
  const providers = backends.map(({ serves }, index) =>
    resource('AIProvider', `p${index}`, {
      type: 'OpenAICompatible',
      baseUrl: `https://p${index}.example/v1`,
      ...(serves === undefined ? {} : { models: [{ name: serves }] }),
    }),
  );
  const rules = [{ match: { models: [MODEL] }, backends: backends.map(({ weight }, index) => ({ provider: `p${index}`, weight })), ...sticky }];
  const known = { openai: [], anthropic: [], google: [], deepseek: [] };
  const { snapshots, findings } = compile([...providers, resource('AIRoute', 'all', { workloads: ['*'], rules })], [{ namespace: 'default', name: 'w' }], {
    own: [],
    known,
    simulatedUrl: undefined,
    readCertificates: (pem: string) => ({ ok: true, value: pem }) as const,
  });
  expect(findings.filter(({ severity }) => severity === 'error')).toEqual([]);
  return snapshots.get('default/w') as WorkloadSnapshot;
}

/** Index of the backend that a call gets. */
function pick(snapshot: WorkloadSnapshot, random: () => number, headers: ReadonlyMap<string, string> = new Map()): number {
  const resolved = resolveModel(snapshot, { model: MODEL, path: '/chat/completions', headers });
  if (resolved.kind !== 'resolved') throw new Error(resolved.kind);
  const backend = pickBackend(resolved.rule, snapshot, resolved.model, random, headers);
  return Number(backend?.provider.slice('default/p'.length));
}

/** mulberry32: the same calls in every run, so that a failure is one to look into. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function expectShares(picks: readonly number[], shares: readonly number[]): void {
  shares.forEach((share, index) => {
    const got = picks.filter((backend) => backend === index).length;
    const deviation = Math.sqrt(picks.length * share * (1 - share));
    // So rare that one call is many deviations: one is fair.
    expect(Math.abs(got - picks.length * share)).toBeLessThanOrEqual(share > 0 && share < 1 ? Math.max(1, SIGMAS * deviation) : 0);
  });
}

const TABLE: readonly (readonly [string, readonly Backend[], readonly number[]])[] = [
  ['a canary', [{ weight: 90 }, { weight: 10 }], [0.9, 0.1]],
  ['a canary that comes first', [{ weight: 1 }, { weight: 99 }], [0.01, 0.99]],
  ['halves', [{ weight: 1 }, { weight: 1 }], [0.5, 0.5]],
  ['three', [{ weight: 50 }, { weight: 30 }, { weight: 20 }], [0.5, 0.3, 0.2]],
  ['one of weight zero', [{ weight: 3 }, { weight: 0 }, { weight: 1 }], [0.75, 0, 0.25]],
  ['one that has not the model', [{ weight: 3 }, { weight: 96, serves: 'deepseek-v3.2' }, { weight: 1 }], [0.75, 0, 0.25]],
  ['one in a million', [{ weight: 1_000_000 }, { weight: 1 }], [1_000_000 / 1_000_001, 1 / 1_000_001]],
  ['sixteen', Array.from({ length: 16 }, (_, index) => ({ weight: index + 1 })), Array.from({ length: 16 }, (_, index) => (index + 1) / 136)],
];

describe.each(TABLE)('%s', (_name, backends, shares) => {
  it('gets its share by chance', () => {
    const snapshot = snapshotOf(backends);
    for (const seed of [1, 2, 3]) {
      const random = seeded(seed);
      expectShares(
        Array.from({ length: CALLS }, () => pick(snapshot, random)),
        shares,
      );
    }
  });

  it('gets its share of callers who stay with theirs', () => {
    const snapshot = snapshotOf(backends, { sticky: { header: 'X-User' } });
    const never = (): number => {
      throw new Error('chance has no part in it');
    };
    const ofCaller = (caller: number): number => pick(snapshot, never, new Map([['x-user', `user-${caller}`]]));
    const picks = Array.from({ length: CALLS }, (_, caller) => ofCaller(caller));
    expectShares(picks, shares);
    expect(picks.slice(0, 500)).toEqual(Array.from({ length: 500 }, (_, caller) => ofCaller(caller)));
  });

  it('is never chosen without a weight or the model, whatever chance says', () => {
    const snapshot = snapshotOf(backends);
    for (const point of [0, Number.MIN_VALUE, 0.25, 0.5, 0.75, 1 - Number.EPSILON / 2]) expect(shares[pick(snapshot, () => point)]).toBeGreaterThan(0);
  });
});

it('callers who do not say who they are are spread by chance', () => {
  const snapshot = snapshotOf([{ weight: 90 }, { weight: 10 }], { sticky: { header: 'X-User' } });
  const random = seeded(4);
  expectShares(
    Array.from({ length: CALLS }, () => pick(snapshot, random)),
    [0.9, 0.1],
  );
});
