import type { ProviderReadiness, Readiness } from '../../shell/admin/index.ts';
import type { EnvoyReadiness } from '../../shell/envoy/index.ts';
import type { KeyHealth } from '../../shell/keys/index.ts';
import type { Policies } from './feed.ts';

/** The answer of /readyz: ready when Envoy runs the present configuration; refused keys and broken files are told beside it. */
export function readinessOf(envoy: EnvoyReadiness, policies: Policies, keys: readonly KeyHealth[], problems: readonly string[]): Readiness {
  const providers = [...policies.providers.values()].map(({ policy }) => providerReadiness(policy.id, keys));
  const version = [...policies.snapshots.values()].map((snapshot) => snapshot.version).join('.');
  const refused = keys.flatMap(({ ref, usable, reason, rejections }) => {
    if (!usable) return [`the key of ${ref} ${reason ?? 'cannot be used'}`];
    return rejections > 0 ? [`${ref} refused its key ${rejections} times`] : [];
  });
  return {
    ready: envoy.ready,
    reasons: envoy.ready ? [] : [envoy.reason],
    warnings: [...problems, ...refused],
    configuration: { present: version, running: envoy.ready ? version : undefined },
    providers,
  };
}

function providerReadiness(provider: string, keys: readonly KeyHealth[]): ProviderReadiness {
  const health = keys.find(({ ref }) => ref === provider);
  if (health === undefined) return { provider, key: 'none', keyRejections: 0, lastRejectedAt: undefined };
  const { usable, rejections, totalRejections, used, lastRejectedAtMs } = health;
  const key = !usable ? 'missing' : rejections > 0 ? 'rejected' : used ? 'accepted' : 'unused';
  const lastRejectedAt = lastRejectedAtMs === undefined ? undefined : new Date(lastRejectedAtMs).toISOString();
  return { provider, key, keyRejections: totalRejections, lastRejectedAt };
}
