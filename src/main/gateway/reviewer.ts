import type { Clock } from '../../core/call/index.ts';
import { GATEWAY_AUDIENCE, workloadOf } from '../../core/control/index.ts';
import type { PodFacts } from '../../core/control/index.ts';
import { err, ok } from '../../core/units/index.ts';
import type { MonotonicMs } from '../../core/units/index.ts';
import type { CallerReviewer } from '../../shell/gateway/index.ts';
import { TokenReviews } from '../../shell/kube/index.ts';
import type { ApiServer } from '../../shell/kube/index.ts';
import { endOf } from '../../shell/wire/index.ts';

/** A pod is looked for again after so long; a token ends with its pod within it. */
const POD_KEPT_MS = 10_000;
const MAX_PODS = 4_096;

/** By TokenReview: whose a token is, with the labels of its pod. */
export function reviewerOf(api: ApiServer, clock: Clock): CallerReviewer {
  const pods = new Map<string, { readonly pod: PodFacts; readonly until: MonotonicMs }>();
  const reviews = new TokenReviews({
    api,
    clock,
    audience: GATEWAY_AUDIENCE,
    pod: (uid) => {
      const kept = pods.get(uid);
      return kept !== undefined && kept.until > clock.monotonicMs() && kept.pod.phase !== 'ended' ? kept.pod : undefined;
    },
    onPod: (pod) => {
      if (pods.size >= MAX_PODS) pods.clear();
      pods.set(pod.uid, { pod, until: clock.monotonicMs() + POD_KEPT_MS });
    },
  });
  return {
    review: async (token) => {
      const reviewed = await reviews.review(token);
      if (!reviewed.ok) return reviewed;
      const pod = pods.get(reviewed.value.uid)?.pod;
      if (pod === undefined) return err('its pod is not known');
      return pod.phase === 'ended' ? err('its pod has ended') : ok({ workload: workloadOf(pod), validUntil: endOf(token) ?? clock.epochMs() });
    },
  };
}
