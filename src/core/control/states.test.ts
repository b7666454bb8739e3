import { expect, it } from 'vitest';
import type { SidecarState } from './state.ts';
import { declaredVersion, withControllerRoots } from './states.ts';

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
