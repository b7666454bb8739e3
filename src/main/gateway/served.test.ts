import { describe, expect, it } from 'vitest';
import type { SidecarState } from '../../core/control/index.ts';
import type { KnownWorkload } from '../../core/policy/index.ts';
import { stateOf } from '../../shell/distribution/states.test-support.ts';
import { RecentCallers, isSameCaller, policiesOfAll } from './served.ts';

const provider = (id: string): readonly [string, never] => [id, { id, type: 'OpenAI', key: id } as never];

function state(id: string, providers: readonly string[], keys: Readonly<Record<string, string>> = {}): SidecarState {
  const [namespace = '', name = ''] = id.split('/');
  const plain = stateOf(id);
  return {
    version: id,
    snapshot: { ...plain.snapshot, workload: { namespace, name }, providers: new Map(providers.map(provider)) },
    keys: new Map(Object.entries(keys).map(([ref, value]) => [ref, { type: 'OpenAI', value }])),
  };
}

describe('policies of several', () => {
  const common = state('*/*', ['shop/openai', 'lab/openai', 'lab/idle']);
  const policies = policiesOfAll(common, [
    state('shop/checkout', ['shop/openai'], { 'shop/openai': 'sk-shop' }),
    state('lab/search', ['lab/openai'], { 'lab/openai': 'sk-lab' }),
  ]);

  it('each key is its own provider’s, and what nobody calls has none to miss', () => {
    expect([...policies.providers].map(([id, { key }]) => [id, key?.source])).toEqual([
      ['shop/openai', { value: 'sk-shop' }],
      ['lab/openai', { value: 'sk-lab' }],
      ['lab/idle', undefined],
    ]);
  });

  it('a workload goes to its own providers and no others', () => {
    expect([...policies.snapshots].map(([id, { providers }]) => [id, [...providers.keys()]])).toEqual([
      ['*/*', ['shop/openai', 'lab/openai', 'lab/idle']],
      ['shop/checkout', ['shop/openai']],
      ['lab/search', ['lab/openai']],
    ]);
  });

  it('go with whoever goes', () => {
    const without = policiesOfAll(common, []);
    expect([...without.providers.values()].filter(({ key }) => key !== undefined)).toEqual([]);
    expect(policiesOfAll(undefined, []).providers.size).toBe(0);
  });
});

it.each([
  [{ a: '1', b: '2' }, { b: '2', a: '1' }, true],
  [{ a: '1' }, { a: '2' }, false],
  [{}, undefined, true],
  [{ a: '1' }, undefined, false],
])('labels %j and %j are the same: %s', (one, other, isSame) => {
  const caller = (labels?: Readonly<Record<string, string>>): KnownWorkload => ({ namespace: 'shop', name: 'a', ...(labels === undefined ? {} : { labels }) });
  expect(isSameCaller(caller(one), caller(other))).toBe(isSame);
  // Once more, as it is remembered.
  expect(isSameCaller(caller(other), caller(one))).toBe(isSame);
});

it('those who call are kept, and of too many the one that called longest ago goes', () => {
  const callers = new RecentCallers(2);
  const caller = (name: string): { namespace: string; name: string } => ({ namespace: 'shop', name });
  expect(['a', 'b', 'a'].map((name) => callers.called(caller(name)))).toEqual([undefined, undefined, undefined]);
  expect(callers.called(caller('c'))).toEqual(caller('b'));
  expect(callers.all().map(({ name }) => name)).toEqual(['a', 'c']);
  expect(callers.get('shop/b')).toBeUndefined();
});
