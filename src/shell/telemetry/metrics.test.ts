import { afterEach, describe, expect, it } from 'vitest';
import type { CallRecord } from '../../core/call/index.ts';
import type { AccountView } from '../../core/ledger/index.ts';
import { SILENT_LOGGER, createCallObserver, createLogger, createMetrics } from './index.ts';
import type { Metrics } from './index.ts';
import { MAX_BUDGET_SERIES, MAX_CALL_SERIES } from './series.ts';

const record: CallRecord = {
  id: 'call-1',
  at: 0,
  namespace: 'shop',
  workload: 'checkout',
  rule: 'shop/route#1',
  provider: 'shop/openai',
  model: 'gpt-4.1',
  operation: 'responses',
  stream: true,
  priceSource: 'airmesh-catalog/1',
  heldNanoUsd: 9_000_000n,
  endedAt: 1,
  ending: 'finished',
  status: 200,
  servedModel: 'gpt-4.1-2025-04-14',
  usage: { inputTokens: 10, outputTokens: 101, cachedInputTokens: 4, reasoningTokens: 7 },
  estimated: false,
  costNanoUsd: 828_000n,
  chargedNanoUsd: 828_000n,
  posted: [],
  shrunkToTokens: undefined,
};
const timings = { durationMs: 1_200, firstByteMs: 200 };

const account: AccountView = {
  limit: 'shop/daily',
  subject: 'shop/checkout',
  unit: 'usd',
  mode: 'Strict',
  limitAmount: 25_000_000_000n,
  posted: 1_500_000_000n,
  pending: 500_000_000n,
  free: 23_000_000_000n,
  windowStart: 0,
  windowEnd: 86_400_000,
};

const made: Metrics[] = [];
function metricsWith(accounts: readonly AccountView[] = []): Metrics {
  const metrics = createMetrics({ accounts: () => accounts, providerType: () => 'OpenAI', ready: () => true }, '0.1.0');
  made.push(metrics);
  return metrics;
}
afterEach(() => made.splice(0).forEach(({ registry }) => registry.clear()));

const linesOf = async (metrics: Metrics, name: string): Promise<string[]> =>
  (await metrics.render()).body.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));

it('messages to and from the ledger service are as they are told, each time', async () => {
  let sent = 3;
  const ledgerMessages = () => ({ hold: { sent, received: 2 } });
  const metrics = createMetrics({ accounts: () => [], providerType: () => undefined, ready: () => true, ledgerMessages }, '0.1.0');
  made.push(metrics);
  await metrics.render();
  sent = 4;
  expect(await linesOf(metrics, 'airmesh_ledger_messages_total')).toEqual([
    'airmesh_ledger_messages_total{stream="hold",direction="sent"} 4',
    'airmesh_ledger_messages_total{stream="hold",direction="received"} 2',
  ]);
});

describe('a settled call', () => {
  it('is counted by ending, tokens and money', async () => {
    const metrics = metricsWith();
    metrics.callSettled(record, timings);
    const call = 'workload="shop/checkout",model="gpt-4.1",provider="shop/openai"';
    expect(await linesOf(metrics, 'airmesh_calls_total')).toEqual([`airmesh_calls_total{${call},ending="finished"} 1`]);
    expect(await linesOf(metrics, 'airmesh_cost_usd_total')).toEqual([`airmesh_cost_usd_total{${call}} 0.000828`]);
    expect(await linesOf(metrics, 'airmesh_tokens_total')).toEqual([
      `airmesh_tokens_total{${call},token_type="input"} 10`,
      `airmesh_tokens_total{${call},token_type="output"} 101`,
    ]);
    expect(await linesOf(metrics, 'airmesh_cached_input_tokens_total')).toEqual([`airmesh_cached_input_tokens_total{${call}} 4`]);
    expect(await linesOf(metrics, 'airmesh_reasoning_tokens_total')).toEqual([`airmesh_reasoning_tokens_total{${call}} 7`]);
  });

  it("is measured by the conventions' names and units", async () => {
    const metrics = metricsWith();
    metrics.callSettled(record, timings);
    const labels = 'gen_ai_operation_name="chat",gen_ai_provider_name="openai",gen_ai_request_model="gpt-4.1",gen_ai_response_model="gpt-4.1-2025-04-14"';
    expect(await linesOf(metrics, 'gen_ai_client_token_usage_sum')).toEqual([
      `gen_ai_client_token_usage_sum{${labels},gen_ai_token_type="input"} 10`,
      `gen_ai_client_token_usage_sum{${labels},gen_ai_token_type="output"} 101`,
    ]);
    expect(await linesOf(metrics, 'gen_ai_client_operation_duration_seconds_sum')).toEqual([
      `gen_ai_client_operation_duration_seconds_sum{${labels},error_type=""} 1.2`,
    ]);
    expect(await linesOf(metrics, 'gen_ai_server_time_to_first_token_seconds_sum')).toEqual([`gen_ai_server_time_to_first_token_seconds_sum{${labels}} 0.2`]);
    expect(await linesOf(metrics, 'gen_ai_server_time_per_output_token_seconds_sum')).toEqual([
      `gen_ai_server_time_per_output_token_seconds_sum{${labels}} 0.01`,
    ]);
  });

  it.each([
    ['provider_error', 429, 'error_type="429"'],
    ['timeout', 0, 'error_type="timeout"'],
    ['client_gone', 200, 'error_type="client_gone"'],
  ] as const)('%s with status %i: %s, and no time to first token', async (ending, status, label) => {
    const metrics = metricsWith();
    metrics.callSettled({ ...record, ending, status }, timings);
    expect((await linesOf(metrics, 'gen_ai_client_operation_duration_seconds_count'))[0]).toContain(label);
    expect(await linesOf(metrics, 'gen_ai_server_time_to_first_token_seconds_count')).toEqual([]);
  });

  it('without a count of the provider is flagged, and not reported as used', async () => {
    const metrics = metricsWith();
    metrics.callSettled({ ...record, estimated: true, chargedNanoUsd: 9_000_000n }, timings);
    expect(await linesOf(metrics, 'airmesh_estimated_settlements_total')).toHaveLength(1);
    expect((await linesOf(metrics, 'airmesh_charged_usd_total'))[0]).toMatch(/ 0\.009$/);
    expect(await linesOf(metrics, 'gen_ai_client_token_usage_count')).toEqual([]);
  });

  it('without a price costs neither nothing nor something', async () => {
    const metrics = metricsWith();
    metrics.callSettled({ ...record, costNanoUsd: undefined }, timings);
    expect(await linesOf(metrics, 'airmesh_cost_usd_total')).toEqual([]);
    expect(await linesOf(metrics, 'airmesh_unpriced_calls_total')).toHaveLength(1);
  });
});

describe('bounds', () => {
  it('counts models beyond the bound under "other"', async () => {
    const metrics = metricsWith();
    for (let index = 0; index < MAX_CALL_SERIES + 5; index += 1) {
      metrics.callSettled({ ...record, model: `made-up-${index}`, servedModel: undefined }, timings);
    }
    const calls = await linesOf(metrics, 'airmesh_calls_total');
    expect(calls).toHaveLength(MAX_CALL_SERIES + 1);
    expect(calls.at(-1)).toBe('airmesh_calls_total{workload="other",model="other",provider="other",ending="finished"} 5');
    expect(await linesOf(metrics, 'airmesh_series_overflow_total')).toEqual(['airmesh_series_overflow_total 5']);
  });

  it('clips long names', async () => {
    const metrics = metricsWith();
    metrics.callSettled({ ...record, model: 'm'.repeat(10_000) }, timings);
    expect((await linesOf(metrics, 'airmesh_calls_total'))[0]?.length).toBeLessThan(300);
  });

  it('sums accounts beyond the bound under one subject', async () => {
    const accounts = Array.from({ length: MAX_BUDGET_SERIES + 3 }, (_, index) => ({ ...account, subject: `team-${index}` }));
    const posted = await linesOf(metricsWith(accounts), 'airmesh_budget_posted');
    expect(posted).toHaveLength(MAX_BUDGET_SERIES + 1);
    expect(posted.at(-1)).toBe('airmesh_budget_posted{budget="shop/daily",subject="other",unit="usd"} 4.5');
  });
});

describe('budgets', () => {
  it('are shown in their unit, as they stand at the scrape', async () => {
    const accounts = [account];
    const metrics = metricsWith(accounts);
    const labels = 'budget="shop/daily",subject="shop/checkout",unit="usd"';
    expect(await linesOf(metrics, 'airmesh_budget_free')).toEqual([`airmesh_budget_free{${labels}} 23`]);
    expect(await linesOf(metrics, 'airmesh_budget_window_end_timestamp_seconds')).toEqual([`airmesh_budget_window_end_timestamp_seconds{${labels}} 86400`]);
    accounts.splice(0, 1, { ...account, unit: 'tokens', limitAmount: 1_000n, free: 400n });
    expect(await linesOf(metrics, 'airmesh_budget_free')).toEqual([`airmesh_budget_free{${labels.replace('usd', 'tokens')}} 400`]);
  });
});

describe('createCallObserver', () => {
  it('tells metrics and log', async () => {
    const lines: string[] = [];
    const destination = { write: (text: string) => void lines.push(text), flush: () => undefined };
    const metrics = metricsWith();
    const observer = createCallObserver(metrics, createLogger({ level: 'info', format: 'json', colour: false, destination }));
    observer.settled(record, timings);
    observer.refused({ workload: 'shop/checkout', code: 'budget_exhausted' });
    expect(lines.map((line) => JSON.parse(line))).toMatchObject([
      { event: 'call.settled', call: 'call-1', workload: 'shop/checkout', costUsd: '0.000828', inputTokens: 10, durationMs: 1_200 },
      { event: 'call.refused', workload: 'shop/checkout', code: 'budget_exhausted' },
    ]);
    expect(await linesOf(metrics, 'airmesh_refusals_total')).toEqual(['airmesh_refusals_total{code="budget_exhausted",workload="shop/checkout"} 1']);
  });

  it('is quiet with a quiet logger', () => {
    expect(() => createCallObserver(metricsWith(), SILENT_LOGGER).settled(record, timings)).not.toThrow();
  });
});
