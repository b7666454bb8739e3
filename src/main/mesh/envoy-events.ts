import type { EnvoyEvent } from '../../shell/envoy/index.ts';
import type { Logger, Metrics } from '../../shell/telemetry/index.ts';

/** What an operator is told of Envoy's life; its own lines below an error are for debugging. */
export function tellOfEnvoy(event: EnvoyEvent, logger: Logger, metrics: Metrics): void {
  switch (event.kind) {
    case 'started':
      return logger.info('envoy.started', { pid: event.pid });
    case 'adopted':
      return logger.info('envoy.adopted', { pid: event.pid });
    case 'replaced':
      return logger.warn('envoy.replaced', { pid: event.pid, reason: event.reason });
    case 'died':
      metrics.envoyRestarted();
      return logger.error('envoy.died', { how: event.how, restartInMs: event.restartInMs });
    case 'log':
      return event.level === 'error' || event.level === 'critical'
        ? logger.error('envoy.log', { message: event.message })
        : logger.debug('envoy.log', { message: event.message });
  }
}
