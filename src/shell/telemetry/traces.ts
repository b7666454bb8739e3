import type { SpanExporter } from '@opentelemetry/sdk-trace';
import type { CallRecord, CallTimings } from '../../core/call/index.ts';
import type { ProviderType } from '../../core/policy/index.ts';

/** One span a call, to an OpenTelemetry collector. */
export interface Tracing {
  settled(record: CallRecord, timings: CallTimings): void;
  /** Sends what is left. */
  close(): Promise<void>;
}

export interface TracingOptions {
  readonly environment: NodeJS.ProcessEnv;
  readonly version: string;
  providerType(provider: string): ProviderType | undefined;
  /** Instead of the collector that the environment names. */
  readonly exporter?: SpanExporter;
}

export const NO_TRACING: Tracing = { settled: () => undefined, close: async () => undefined };

/** Where a collector is. Source: OpenTelemetry, "OTLP exporter configuration". */
const ENDPOINTS = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'];

/** Spans for calls, if the environment names a collector. OpenTelemetry's packages are loaded only then: few sidecars have one, and they take a tenth of its memory. */
export async function createTracing(options: TracingOptions): Promise<Tracing> {
  const isWanted = options.exporter !== undefined || ENDPOINTS.some((name) => (options.environment[name] ?? '') !== '');
  if (!isWanted) return NO_TRACING;
  const { traceCalls } = await import('./spans.ts');
  return traceCalls(options);
}
