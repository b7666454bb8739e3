import type { HealthEvent } from '../../core/call/index.ts';
import type { Logger, Metrics } from '../../shell/telemetry/index.ts';

/** What an operator is told when a provider's model goes out of use, and when it is back. */
export function tellOfProvider({ provider, model, isOut, forMs }: HealthEvent, logger: Logger, metrics: Metrics): void {
  metrics.providerOut(provider, model, isOut);
  if (isOut) logger.warn('provider.out', { provider, model, forMs: Math.round(forMs) });
  else logger.info('provider.back', { provider, model });
}
