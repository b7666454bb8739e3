/**
 * Telemetry: what happened, as log events, metrics and spans.
 *
 * Owns names and labels of metrics, the form of a log line, redaction, and the bound on label values. Must never know of
 * Envoy, of files or of how a call is decided; it is told, synchronously, and answers when it is scraped.
 */
export { redactText } from './redact.ts';
export { LOG_LEVELS, SILENT_LOGGER, createLogger } from './logger.ts';
export type { LogDestination, LogFields, LogLevel, Logger, LoggerOptions } from './logger.ts';
export { fileDescriptorDestination } from './destination.ts';
export { createMetrics } from './metrics.ts';
export type { Exposition, Metrics, MetricSources } from './metrics.ts';
export { createLedgerMetrics } from './ledger-metrics.ts';
export type { LedgerMetrics, LedgerMetricSources } from './ledger-metrics.ts';
export { createCallObserver } from './observer.ts';
export { NO_TRACING, createTracing } from './traces.ts';
export type { Tracing, TracingOptions } from './traces.ts';
export { describeMetrics } from './describe.ts';
export type { MetricDescription } from './describe.ts';
