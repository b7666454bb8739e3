import { InMemorySpanExporter } from '@opentelemetry/sdk-trace';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { describe, expect, it } from 'vitest';
import type { CallRecord, CallTimings } from '../../core/call/index.ts';
import { NO_TRACING, createTracing } from './traces.ts';

const RECORD: CallRecord = {
  id: 'air_1',
  at: 1_000,
  endedAt: 2_500,
  namespace: 'shop',
  workload: 'checkout',
  rule: 'shop/chat#0',
  provider: 'shop/openai',
  model: 'gpt-4.1',
  operation: 'responses',
  stream: false,
  priceSource: 'shipped',
  ending: 'finished',
  status: 200,
  servedModel: 'gpt-4.1-2025-04-14',
  usage: { inputTokens: 10, outputTokens: 5 },
  estimated: false,
  costNanoUsd: 60_000n,
  chargedNanoUsd: 60_000n,
  heldNanoUsd: 90_000n,
  posted: [],
  shrunkToTokens: undefined,
};
const TIMINGS: CallTimings = { durationMs: 1_400, firstByteMs: 300.4 };
const PARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

async function spansOf(record: Partial<CallRecord>, timings: Partial<CallTimings> = {}, environment: NodeJS.ProcessEnv = {}): Promise<readonly ReadableSpan[]> {
  const exporter = new InMemorySpanExporter();
  let spans: readonly ReadableSpan[] = [];
  // What it holds goes with its end.
  const keeping = Object.assign(exporter, { shutdown: async () => void (spans = exporter.getFinishedSpans().slice()) });
  const tracing = await createTracing({ environment, version: '1', providerType: () => 'OpenAI', exporter: keeping });
  tracing.settled({ ...RECORD, ...record }, { ...TIMINGS, ...timings });
  await tracing.close();
  return spans;
}

describe('a call’s span', () => {
  it('says in the conventions’ words what was asked, served and used, from when it was forwarded until it ended', async () => {
    const [span] = await spansOf({});
    expect([span?.name, span?.startTime, span?.endTime]).toEqual(['chat gpt-4.1', [1, 100_000_000], [2, 500_000_000]]);
    expect(span?.attributes).toMatchObject({
      'gen_ai.operation.name': 'chat',
      'gen_ai.provider.name': 'openai',
      'gen_ai.request.model': 'gpt-4.1',
      'gen_ai.response.model': 'gpt-4.1-2025-04-14',
      'gen_ai.usage.input_tokens': 10,
      'gen_ai.usage.output_tokens': 5,
      'airmesh.workload': 'shop/checkout',
      'airmesh.cost_usd': '0.00006',
      'airmesh.first_byte_ms': 300,
    });
    expect(span?.attributes).not.toHaveProperty('error.type');
  });

  it('of a call that was not served says why', async () => {
    const [failed] = await spansOf({ ending: 'provider_error', status: 503 });
    expect(failed).toMatchObject({ status: { code: 2 }, attributes: { 'error.type': '503', 'http.response.status_code': 503 } });
    const [lost] = await spansOf({ ending: 'client_gone', status: 0, costNanoUsd: undefined });
    expect(lost?.attributes).toMatchObject({ 'error.type': 'client_gone' });
    expect(lost?.attributes).not.toHaveProperty('airmesh.cost_usd');
  });

  it('is its caller’s child, and sampled as its caller is', async () => {
    const [span] = await spansOf({}, { traceparent: PARENT });
    expect(span?.spanContext().traceId).toBe('0af7651916cd43dd8448eb211c80319c');
    expect(span?.parentSpanContext?.spanId).toBe('b7ad6b7169203331');
    expect(await spansOf({}, { traceparent: PARENT.replace(/01$/, '00') })).toEqual([]);
    expect(await spansOf({}, {}, { OTEL_TRACES_SAMPLER_ARG: '0' })).toEqual([]);
  });

  it.each(['', 'nonsense', `ff${PARENT.slice(2)}`, PARENT.replace('0af7651916cd43dd8448eb211c80319c', '0'.repeat(32)), PARENT.toUpperCase(), `${PARENT}x`])(
    'begins a trace where the caller sent %j',
    async (traceparent) => {
      const [span] = await spansOf({}, { traceparent });
      expect(span?.parentSpanContext).toBeUndefined();
    },
  );
});

it('is made only where the environment names a collector', async () => {
  expect(await createTracing({ environment: {}, version: '1', providerType: () => undefined })).toBe(NO_TRACING);
});
