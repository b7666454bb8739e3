import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { SpendQuery, SpendRow } from '../../core/call/index.ts';
import type { AccountView } from '../../core/ledger/index.ts';
import type { Readiness } from '../admin/index.ts';
import { overviewOf } from './index.ts';
import type { OverviewSources, ResourceRow } from './index.ts';

const NOW = Date.UTC(2026, 2, 31, 12);
const READY: Readiness = { ready: true, reasons: [], warnings: [], configuration: { present: '1', running: '1' }, providers: [] };

const row = (key: string, costNanoUsd: string, more: Partial<SpendRow> = {}): SpendRow => ({
  key,
  requests: 1_200,
  estimated: 0,
  inputTokens: 34_000,
  cachedInputTokens: 1_000,
  outputTokens: 5_600,
  reasoningTokens: 0,
  costNanoUsd,
  chargedNanoUsd: costNanoUsd,
  ...more,
});

const ROWS: Partial<Record<SpendQuery['by'], readonly SpendRow[]>> = {
  workload: [row('shop/support', '40000000'), row('shop/checkout', '12345678901', { estimated: 2 })],
  model: [row('gpt-4.1', '12385678901', { estimated: 2 })],
  provider: [row('shop/openai', '12385678901', { estimated: 2 })],
  day: [row('2026-03-31', '4000000000'), row('2026-03-30', '8000000000')],
};

const account = (limit: string, posted: bigint, more: Partial<AccountView> = {}): AccountView => ({
  limit,
  subject: '',
  unit: 'usd',
  mode: 'Strict',
  limitAmount: 25_000_000_000n,
  posted,
  pending: 1_000_000_000n,
  free: 24_000_000_000n - posted,
  windowStart: Date.UTC(2026, 2, 31),
  windowEnd: Date.UTC(2026, 3, 1),
  ...more,
});

const RESOURCES: readonly ResourceRow[] = [
  {
    kind: 'AIRoute',
    id: 'shop/chat',
    status: {
      observedGeneration: 2,
      conditions: [
        { type: 'Accepted', status: 'True', reason: 'Accepted', message: '', lastTransitionTime: '2026-03-31T00:00:00Z', observedGeneration: 2 },
        {
          type: 'Programmed',
          status: 'False',
          reason: 'SidecarsBehind',
          message: '1 of 2 is behind',
          lastTransitionTime: '2026-03-31T00:00:00Z',
          observedGeneration: 2,
        },
      ],
      findings: [{ severity: 'warning', path: 'spec.rules[0].match', message: 'no provider has the model "gpt-9"' }],
      sidecars: { total: 2, applied: 1, summary: '1/2', behind: [{ pod: 'shop/checkout-1', reason: 'Refused', message: 'no such model' }] },
    },
  },
];

const sourcesOf = (more: Partial<OverviewSources> = {}): OverviewSources => ({
  version: '1.2.3',
  spending: {
    spend: async ({ by }) => ROWS[by] ?? [],
    records: async () => [],
    views: () => [account('shop/day', 5_000_000_000n), account('shop/life', 24_000_000_000n, { pending: 0n, free: 1_000_000_000n, windowEnd: undefined })],
    cnyPerUsdNano: 7_300_000_000n,
  },
  readiness: () => READY,
  now: () => NOW,
  ...more,
});

async function page(sources: OverviewSources, parameters: Record<string, string> = {}): Promise<string> {
  const made = await overviewOf(sources, new Map(Object.entries(parameters)));
  if (!made.ok) throw new Error(made.error);
  return made.value;
}

/** What a reader sees, line by line. */
const wordsOf = (text: string): string =>
  text
    .replace(/<head>[^]*<\/head>/, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();

describe('the page that people open', () => {
  it('shows who spent what, the dearest first, and the budgets that are nearest to their end', async () => {
    const words = wordsOf(await page(sourcesOf()));
    expect(words).toContain('spent $12.3857 ¥90.4155 calls 1,200 2 settled by an estimate');
    expect(words).toContain(
      'shop/life Strict all $24.0000 $0.0000 $1.0000 $25.0000 no end shop/day Strict all $5.0000 $1.0000 $19.0000 $25.0000 2026-04-01 00:00 UTC',
    );
    expect(words).toContain('shop/checkout 2 estimated 1,200 34,000 5,600 12.3457 90.1235 shop/support 1,200 34,000 5,600 0.0400 0.2920');
    expect(words).toContain('2026-03-30 to 2026-03-31, at most $8.0000 a day');
    expect(words).not.toContain('Resources');
  });

  it('shows what becomes of each resource, and where it is wrong', async () => {
    const words = wordsOf(await page(sourcesOf({ resources: () => RESOURCES })));
    expect(words).toContain(
      'AIRoute shop/chat spec.rules[0].match: no provider has the model &quot;gpt-9&quot; shop/checkout-1: Refused (no such model) yes SidecarsBehind 1/2',
    );
    expect(wordsOf(await page(sourcesOf({ resources: () => [] })))).toContain('There is no AIProvider, AIRoute or AIBudget yet.');
  });

  it('says first what is wrong', async () => {
    const readiness = { ...READY, ready: false, reasons: ['Envoy is not there'], warnings: ['the key of shop/openai is refused'] };
    const words = wordsOf(await page(sourcesOf({ readiness: () => readiness })));
    expect(words).toMatch(/all Not ready Envoy is not there To be looked at the key of shop\/openai is refused spent/);
  });

  it.each([
    ['1', Date.UTC(2026, 2, 31)],
    ['7', Date.UTC(2026, 2, 25)],
    ['30', Date.UTC(2026, 2, 2)],
    ['all', 0],
  ])('asks for whole days: %s', async (days, since) => {
    const asked = new Set<number>();
    const { spending } = sourcesOf();
    await page(sourcesOf({ spending: { ...spending, spend: async ({ sinceMs }) => (asked.add(sinceMs ?? -1), []) } }), { days });
    expect([...asked]).toEqual([since]);
  });

  it('asks for days where they are shown alone', async () => {
    const askedFor = async (days: string): Promise<readonly SpendQuery['by'][]> => {
      const asked: SpendQuery['by'][] = [];
      const { spending } = sourcesOf();
      await page(sourcesOf({ spending: { ...spending, spend: async (query) => (asked.push(query.by), spending.spend(query)) } }), { days });
      return asked.toSorted();
    };
    expect(await askedFor('1')).toEqual(['model', 'provider', 'workload']);
    expect(await askedFor('7')).toEqual(['day', 'model', 'provider', 'workload']);
  });

  it('says which days there are', async () => {
    expect(await overviewOf(sourcesOf(), new Map([['days', '8']]))).toEqual({ ok: false, error: 'days is none of 1, 7, 30, all' });
  });

  it('shows every name as it is written, and runs none of them', async () => {
    const tagsOf = (text: string): string[] => [...text.matchAll(/<\/?[a-z]+/g)].map(([tag]) => tag);
    const named = (name: string): OverviewSources => {
      const { spending } = sourcesOf();
      return sourcesOf({
        spending: { ...spending, spend: async () => [row(name, '1'), row('b', '2')], views: () => [account(name, 1n, { subject: name })] },
        readiness: () => ({ ...READY, reasons: [name], warnings: [name] }),
        resources: () => RESOURCES.map((each) => ({ ...each, id: name })),
      });
    };
    const usual = tagsOf(await page(named('a')));
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('<script>alert(1)</script>', '"><img src=x onerror=y>', "' onload='z")),
        async (name) => {
          const text = await page(named(name));
          expect(tagsOf(text)).toEqual(usual);
          if (/[<>"']/.test(name)) expect(text).not.toContain(`>${name}<`);
        },
      ),
    );
  });
});
