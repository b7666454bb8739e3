import type { Metrics } from './metrics.ts';

/** One metric as the reference lists it. */
export interface MetricDescription {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly labels: readonly string[];
}

/** prom-client keeps the label names on each metric, and its types leave them out. */
interface RegisteredMetric {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly labelNames: readonly string[];
}

/** All metrics, ours before those of the process, in the order in which they are defined. */
export function describeMetrics(metrics: Metrics): MetricDescription[] {
  const registered = metrics.registry.getMetricsAsArray() as unknown as RegisteredMetric[];
  return registered.map(({ name, help, type, labelNames }) => ({ name, type, help, labels: labelNames }));
}
