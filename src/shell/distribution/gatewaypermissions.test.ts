import { describe, expect, it } from 'vitest';
import { limitIdentity } from '../../core/leases/index.ts';
import type { RulePolicy } from '../../core/policy/index.ts';
import { GatewayPermissions } from './gatewaypermissions.ts';
import { dollarBudget as budget, identityOf } from './states.test-support.ts';

const rateOf = (id: string): string => limitIdentity({ id: `${id}/requestsPerMinute`, unit: 'requests', window: { kind: 'rolling', durationMs: 60_000 } });
const rule = (id: string): RulePolicy => ({ id, limits: { requestsPerMinute: 5, tokensPerMinute: undefined } }) as Partial<RulePolicy> as RulePolicy;

const POLICIES = {
  budgets: [
    budget('shop/each', { kind: 'workload' }),
    budget('shop/all'),
    budget('shop/mixed', { kind: 'serviceAccount' }, { kind: 'model' }),
    budget('shop/model-first', { kind: 'model' }, { kind: 'workload' }),
    budget('shop/space-last', { kind: 'model' }, { kind: 'namespace' }),
    budget('shop/by-team', { kind: 'header', name: 'team' }),
    budget('closed/all'),
    budget('airmesh-system/by-namespace', { kind: 'namespace' }),
    budget('airmesh-system/cluster'),
  ],
  rules: [rule('shop/route#0'), rule('closed/route#0')],
};

let now = 0;
const opened = (...namespaces: readonly string[]): GatewayPermissions => {
  const permissions = new GatewayPermissions('airmesh-system', () => now);
  permissions.publish(new Set(namespaces), POLICIES);
  return permissions;
};

describe('a gateway may spend', () => {
  it.each<[limit: string, subject: string, isAllowed: boolean]>([
    [identityOf('shop/each'), 'shop/checkout', true],
    [identityOf('shop/each'), 'closed/vault', false],
    [identityOf('shop/each'), '', false],
    [identityOf('shop/all'), '', true],
    [identityOf('shop/mixed'), 'shop/till|gpt-4.1', true],
    [identityOf('shop/mixed'), 'closed/till|gpt-4.1', false],
    [identityOf('shop/model-first'), 'gpt|4.1|shop/till', true],
    [identityOf('shop/model-first'), 'shop/gpt|closed/till', false],
    [identityOf('shop/model-first'), 'shop/till', false],
    [identityOf('shop/space-last'), 'closed/gpt|shop', true],
    [identityOf('shop/space-last'), 'shop/gpt|closed', false],
    [identityOf('shop/by-team'), 'closed/vault', true],
    [identityOf('closed/all'), '', false],
    [identityOf('airmesh-system/by-namespace'), 'shop', true],
    [identityOf('airmesh-system/by-namespace'), 'closed', false],
    [identityOf('airmesh-system/cluster'), '', true],
    [identityOf('shop/unknown'), 'shop/checkout', false],
    [rateOf('shop/route#0'), 'shop/checkout', true],
    [rateOf('shop/route#0'), 'closed/vault', false],
    [rateOf('closed/route#0'), 'closed/vault', false],
  ])('%s of %j: %s', (limit, subject, isAllowed) => {
    expect(opened('shop').mayUse(undefined, limit, subject)).toBe(isAllowed);
    // Whoever else allows it.
    expect(opened('lab', 'shop', 'zoo').mayUse(undefined, limit, subject)).toBe(isAllowed);
  });

  it.each(['shop/all', 'shop/by-team', 'airmesh-system/cluster'])('of %s, which names nobody, whichever namespaces allow it', (budgetId) => {
    now = 0;
    const permissions = opened('shop', 'lab');
    const mayUse = (): boolean => permissions.mayUse(undefined, identityOf(budgetId), '');
    permissions.publish(new Set(['shop']), POLICIES);
    expect(mayUse()).toBe(true);
    now = 60_000;
    permissions.publish(new Set(), POLICIES);
    expect(mayUse()).toBe(true);
    now = 11 * 60_000;
    permissions.publish(new Set(), POLICIES);
    expect(mayUse()).toBe(false);
  });

  it('nothing where no namespace allows it', () => {
    expect(opened().mayUse(undefined, identityOf('airmesh-system/cluster'), '')).toBe(false);
  });
});

it('it speaks for namespaces that allow it, and a while for those that did, so that nothing is left unsettled', () => {
  now = 0;
  const permissions = opened('shop');
  const speaks = (): boolean => permissions.maySpeakFor(undefined, { namespace: 'shop' });
  expect([speaks(), permissions.maySpeakFor(undefined, { namespace: 'closed' })]).toEqual([true, false]);
  permissions.publish(new Set(), POLICIES);
  now = 9 * 60_000;
  permissions.publish(new Set(), POLICIES);
  expect([speaks(), permissions.mayUse(undefined, identityOf('shop/each'), 'shop/checkout')]).toEqual([true, true]);
  now = 10 * 60_000;
  expect([speaks(), permissions.mayUse(undefined, identityOf('shop/each'), 'shop/checkout')]).toEqual([false, false]);
  permissions.publish(new Set(), POLICIES);
  permissions.publish(new Set(['shop']), POLICIES);
  expect(speaks()).toBe(true);
});
