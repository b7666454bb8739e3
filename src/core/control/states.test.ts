import { describe, expect, it } from 'vitest';
import type { SidecarState } from './state.ts';
import type { KeyBook } from './keybook.ts';
import { declaredVersion, stateOf, withControllerRoots, withFormerKeys } from './states.ts';

const snapshot: SidecarState['snapshot'] = {
  version: 'v',
  workload: { namespace: 'shop', name: 'checkout' },
  providers: new Map(),
  rules: [],
  hosts: [],
  budgets: [],
  aliases: new Map(),
  knownModels: new Map(),
};
const states = new Map<string, SidecarState>([['shop/checkout', { version: 'declared.leaves', snapshot, keys: new Map() }]]);

it('roots of controllers come with each state, and a change of them is a new version of the same declarations', () => {
  const [first, second] = ['one', 'two'].map((roots) => withControllerRoots(states, roots).get('shop/checkout'));
  expect([first?.controllerRoots, second?.controllerRoots]).toEqual(['one', 'two']);
  expect(first?.version).not.toBe(second?.version);
  expect([first, second].map((state) => declaredVersion(state?.version ?? ''))).toEqual(['declared', 'declared']);
  expect(withControllerRoots(states, 'one').get('shop/checkout')?.version).toBe(first?.version);
  expect(withControllerRoots(states, undefined)).toBe(states);
});

describe('a key that is not there any more', () => {
  const provider = { id: 'shop/relay', key: 'shop/relay' } as unknown as SidecarState['snapshot']['providers'] extends ReadonlyMap<string, infer Of>
    ? Of
    : never;
  const keyed = { ...snapshot, providers: new Map([['shop/relay', provider]]) };
  const material = { type: 'OpenAICompatible', value: 'hs_one' } as const;
  const state = (entry: KeyBook extends ReadonlyMap<string, infer Entry> ? Entry : never): SidecarState =>
    stateOf(keyed, new Map([['shop/relay', entry]]), undefined);
  const good = state({ source: 'shop/relay/apiKey', material, revision: '1' });
  const lost = state({ source: 'shop/relay/apiKey' });
  const elsewhere = state({ source: 'shop/other/apiKey' });

  it.each<[what: string, next: SidecarState, present: SidecarState | undefined, keys: readonly string[]]>([
    ['stays, where it is declared to come from the same place', lost, good, ['hs_one']],
    ['stays, however often a state comes without it', lost, withFormerKeys(lost, good), ['hs_one']],
    ['goes, where it is declared to come from another', elsewhere, good, []],
    ['goes with its provider', stateOf(snapshot, new Map(), undefined), good, []],
    ['was never there', lost, undefined, []],
    ['was not marked, by an older controller', lost, { version: 'old', snapshot: keyed, keys: good.keys }, []],
    ['is another, where there is one', state({ source: 'shop/relay/apiKey', material: { ...material, value: 'hs_two' }, revision: '2' }), good, ['hs_two']],
  ])('%s', (_what, next, present, keys) => {
    expect([...withFormerKeys(next, present).keys.values()].map(({ value }) => value)).toEqual(keys);
    expect(withFormerKeys(next, present).version).toBe(next.version);
  });

  it('is another version for each place where it could come from', () => {
    expect(new Set([good, lost, elsewhere].map(({ version }) => version)).size).toBe(3);
    expect(JSON.stringify([lost.version, [...(lost.keySources ?? [])]])).not.toContain('hs_');
  });
});
