import { describe, expect, it } from 'vitest';
import { limitIdentity } from '../../core/leases/index.ts';
import type { BudgetPolicy, RulePolicy } from '../../core/policy/index.ts';
import type { SidecarState } from '../../core/control/index.ts';
import type { Identity } from '../wire/index.ts';
import { PublishedPermissions } from './permissions.ts';
import { dollarBudget as budget, identityOf, stateOf } from './states.test-support.ts';

const rule: RulePolicy = {
  id: 'shop/route#0',
  match: { models: [], paths: [], headers: [] },
  backends: [],
  failover: { consecutiveFailures: 1, ejectionTimeMs: 1, maxEjectionTimeMs: 1 },
  cache: undefined,
  mergeEmbeddings: undefined,
  sticky: undefined,
  transform: {
    systemPrompt: undefined,
    defaultMaxOutputTokens: undefined,
    maxOutputTokens: undefined,
    headers: { set: [], add: [], remove: [] },
    body: { set: {}, remove: [] },
  },
  limits: { requestsPerMinute: 5, tokensPerMinute: undefined },
};

function state(workload: string, version: string, budgets: readonly BudgetPolicy[]): SidecarState {
  const plain = stateOf(workload, { version });
  return { ...plain, snapshot: { ...plain.snapshot, workload: { ...plain.snapshot.workload, serviceAccount: 'till' }, budgets, rules: [rule] } };
}

const sidecarOf = (workload: string): Identity => ({
  processor: `pod/${workload}`,
  pod: { namespace: 'shop', name: 'p', uid: 'u', workload, serviceAccount: 'till' },
});
const A = sidecarOf('shop/checkout');

let now = 0;
function published(...states: readonly SidecarState[]): PublishedPermissions {
  const permissions = new PublishedPermissions(() => now);
  permissions.publish(new Map(states.map((one) => [`${one.snapshot.workload.namespace}/${one.snapshot.workload.name}`, one])));
  return permissions;
}

describe('a sidecar may use', () => {
  const permissions = published(
    state('shop/checkout', '1', [
      budget('shop/all'),
      budget('shop/own', { kind: 'workload' }),
      budget('shop/team', { kind: 'header', name: 'x-team' }, { kind: 'workload' }),
      budget('shop/space', { kind: 'namespace' }, { kind: 'model' }),
      budget('shop/account', { kind: 'serviceAccount' }),
    ]),
    state('shop/search', '1', [budget('shop/theirs')]),
  );

  it.each<[string, string, string, boolean]>([
    ['a budget of its own', identityOf('shop/all'), '', true],
    ['not another subject of it', identityOf('shop/all'), 'shop/checkout', false],
    ['its own account', identityOf('shop/own'), 'shop/checkout', true],
    ['not another workload’s account', identityOf('shop/own'), 'shop/search', false],
    ['not an account that begins like its own', identityOf('shop/own'), 'shop/checkout2', false],
    ['any header’s account, of its own', identityOf('shop/team'), 'blue|shop/checkout', true],
    ['not any header’s account, of another', identityOf('shop/team'), 'blue|shop/search', false],
    ['its namespace’s', identityOf('shop/space'), 'shop|gpt-4.1', true],
    ['not another namespace’s', identityOf('shop/space'), 'bank|gpt-4.1', false],
    ['its service account’s', identityOf('shop/account'), 'shop/till', true],
    ['not another service account’s', identityOf('shop/account'), 'shop/root', false],
    ['not a budget that is another workload’s', identityOf('shop/theirs'), '', false],
    ['not a budget of another unit', limitIdentity({ id: 'shop/all', unit: 'tokens', window: { kind: 'lifetime' } }), '', false],
    ['not what there is not', 'nonsense', '', false],
    ['its rule’s rate', 'shop/route#0/requestsPerMinute|requests|60000', 'shop/checkout', true],
    ['not another’s rate', 'shop/route#0/requestsPerMinute|requests|60000', 'shop/search', false],
  ])('%s', (_, limit, subject, may) => {
    expect(permissions.mayUse(A, limit, subject)).toBe(may);
  });

  it('nothing where it is no pod', () => {
    expect(permissions.mayUse({ processor: 'spiffe://x/y' }, identityOf('shop/all'), '')).toBe(false);
  });

  it('what an older state had for ten minutes, and what the newest has for ever', () => {
    now = 0;
    const changing = published(state('shop/checkout', '1', [budget('shop/old')]));
    const newer = state('shop/checkout', '2', [budget('shop/new')]);
    changing.publish(new Map([['shop/checkout', newer]]));
    const may = (): boolean[] => ['shop/old', 'shop/new'].map((id) => changing.mayUse(A, identityOf(id), ''));
    expect(may()).toEqual([true, true]);
    now = 10 * 60_000 - 1;
    expect(may()).toEqual([true, true]);
    now = 10 * 60_000;
    expect(may()).toEqual([false, true]);
    changing.publish(new Map([['shop/checkout', newer]]));
    now = 1e9;
    expect(may()).toEqual([false, true]);
  });

  it('what it had before its workload was no more, for ten minutes, and again when it is back', () => {
    now = 0;
    const first = state('shop/checkout', '1', [budget('shop/all')]);
    const changing = published(first);
    changing.publish(new Map());
    expect(changing.mayUse(A, identityOf('shop/all'), '')).toBe(true);
    now = 10 * 60_000;
    expect(changing.mayUse(A, identityOf('shop/all'), '')).toBe(false);
    changing.publish(new Map([['shop/checkout', first]]));
    now = 1e9;
    expect(changing.mayUse(A, identityOf('shop/all'), '')).toBe(true);
  });
});

it('a sidecar speaks for its own workload’s calls alone', () => {
  const permissions = published(state('shop/checkout', '1', []));
  expect(permissions.maySpeakFor(A, { namespace: 'shop', workload: 'checkout' })).toBe(true);
  expect(permissions.maySpeakFor(A, { namespace: 'shop', workload: 'search' })).toBe(false);
  expect(permissions.maySpeakFor({ processor: 'x' }, { namespace: 'shop', workload: 'checkout' })).toBe(false);
});
