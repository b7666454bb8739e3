import { ROOT_CONTEXT, SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api';
import type { Attributes, Context, Tracer } from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { AlwaysOnSampler, BatchSpanProcessor, ParentBasedSampler, TraceIdRatioBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace';
import type { Sampler } from '@opentelemetry/sdk-trace';
import type { CallRecord, CallTimings } from '../../core/call/index.ts';
import type { ProviderType } from '../../core/policy/index.ts';
import { formatNanoUsd } from '../../core/units/index.ts';
import { errorType, operationName, providerName } from './conventions.ts';
import type { Tracing, TracingOptions } from './traces.ts';

/** A collector that is away costs a queue, and no call. */
const MAX_QUEUED_SPANS = 4_096;
const CLOSE_WITHIN_MS = 2_000;
/** Source: W3C Trace Context, 3.2. Later versions begin the same. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-|$)/;

/** A span for each call, to a collector. */
export function traceCalls({ environment, version, providerType, exporter }: TracingOptions): Tracing {
  const provider = new TracerProvider({
    sampler: new ParentBasedSampler({ root: samplerOf(environment) }),
    resource: resourceFromAttributes({ 'service.name': environment['OTEL_SERVICE_NAME'] ?? 'airmesh', 'service.version': version }),
    spanProcessors: [new BatchSpanProcessor({ exporter: exporter ?? new OTLPTraceExporter(), maxQueueSize: MAX_QUEUED_SPANS })],
  });
  const tracer = provider.getTracer('airmesh', version);
  return {
    settled: (record, timings) => tell(tracer, record, timings, providerType(record.provider)),
    close: async () => {
      await provider.forceFlush({ timeoutMillis: CLOSE_WITHIN_MS }).catch(() => undefined);
      await provider.shutdown().catch(() => undefined);
    },
  };
}

/** Source: OpenTelemetry, "General SDK configuration": `OTEL_TRACES_SAMPLER_ARG`, a share of new traces. */
function samplerOf(environment: NodeJS.ProcessEnv): Sampler {
  const share = Number(environment['OTEL_TRACES_SAMPLER_ARG'] ?? '1');
  return share >= 0 && share < 1 ? new TraceIdRatioBasedSampler(share) : new AlwaysOnSampler();
}

/** Of a call that has ended, with its own beginning and end. */
function tell(tracer: Tracer, record: CallRecord, timings: CallTimings, type: ProviderType | undefined): void {
  const error = errorType(record.ending, record.status);
  const span = tracer.startSpan(
    `${operationName(record.operation)} ${record.model}`,
    { kind: SpanKind.CLIENT, startTime: record.endedAt - timings.durationMs, attributes: attributesOf(record, timings, type, error) },
    parentOf(timings.traceparent),
  );
  if (error !== '') span.setStatus({ code: SpanStatusCode.ERROR });
  span.end(record.endedAt);
}

/** The caller's span, where it sent one; else a trace begins here. */
function parentOf(traceparent: string | undefined): Context {
  const [, traceId, spanId, flags] = TRACEPARENT.exec(traceparent ?? '') ?? [];
  if (traceId === undefined || spanId === undefined || flags === undefined) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: Number.parseInt(flags, 16) & TraceFlags.SAMPLED, isRemote: true });
}

/** Source: OpenTelemetry semantic conventions for generative AI, "Inference"; `airmesh.*` are ours. No prompt and no answer. */
function attributesOf(record: CallRecord, timings: CallTimings, type: ProviderType | undefined, error: string): Attributes {
  const { usage, costNanoUsd } = record;
  return {
    'gen_ai.operation.name': operationName(record.operation),
    'gen_ai.provider.name': providerName(type),
    'gen_ai.request.model': record.model,
    ...(record.servedModel === undefined ? {} : { 'gen_ai.response.model': record.servedModel }),
    'gen_ai.usage.input_tokens': usage.inputTokens,
    'gen_ai.usage.output_tokens': usage.outputTokens,
    ...(usage.cachedInputTokens === undefined ? {} : { 'gen_ai.usage.cache_read.input_tokens': usage.cachedInputTokens }),
    ...(error === '' ? {} : { 'error.type': error }),
    ...(record.status === 0 ? {} : { 'http.response.status_code': record.status }),
    'airmesh.call': record.id,
    'airmesh.workload': `${record.namespace}/${record.workload}`,
    'airmesh.provider': record.provider,
    'airmesh.rule': record.rule,
    'airmesh.ending': record.ending,
    'airmesh.estimated': record.estimated,
    ...(costNanoUsd === undefined ? {} : { 'airmesh.cost_usd': formatNanoUsd(costNanoUsd) }),
    ...(timings.firstByteMs === undefined ? {} : { 'airmesh.first_byte_ms': Math.round(timings.firstByteMs) }),
  };
}
