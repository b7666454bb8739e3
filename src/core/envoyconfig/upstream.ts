import type { ProviderPolicy } from '../policy/index.ts';
import type { UpstreamSettings } from './settings.ts';

/** What Envoy is told of a provider. */
export function upstreamOf({
  id,
  baseUrl,
  caCertificates,
  timeouts,
  retries,
  circuitBreaker,
  outlierDetection,
}: Pick<ProviderPolicy, 'id' | 'baseUrl' | 'caCertificates' | 'timeouts' | 'retries' | 'circuitBreaker' | 'outlierDetection'>): UpstreamSettings {
  const { host, port, tls } = baseUrl;
  return { id, host, port, tls, caCertificates, timeouts, retries, circuitBreaker, outlierDetection };
}
