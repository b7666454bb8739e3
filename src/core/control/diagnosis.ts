import type { Kind, Labels } from '../policy/index.ts';
import type { EpochMs } from '../units/index.ts';
import { formerConditions } from './conditions.ts';
import { INJECT_LABEL } from './names.ts';
import type { PodFacts } from './pods.ts';
import { labelOf } from './resources.ts';
import type { Observed } from './resources.ts';
import { ownerName } from './workloads.ts';

/** What a person sees of a cluster, through their own access to it. `undefined` is what they may not see. */
export interface Sight {
  readonly rootNamespace: string;
  /** Of this program. */
  readonly program: string;
  /** Definitions as they are installed, by kind; absent from it: not installed. */
  readonly definitions: ReadonlyMap<Kind, { readonly missingFields: readonly string[] }> | undefined;
  readonly webhook: WebhookSight | 'absent' | undefined;
  readonly controllers: { readonly wanted: number; readonly ready: number; readonly program?: string } | 'absent' | undefined;
  readonly namespaces: ReadonlyMap<string, Labels>;
  /** Of namespaces that inject, and those that have a sidecar elsewhere. */
  readonly pods: readonly PodFacts[];
  readonly resources: readonly Observed[];
  readonly now: EpochMs;
}

export interface WebhookSight {
  /** Of its parts, those that API servers cannot ask, as they would not trust the answer. */
  readonly untrusted: readonly string[];
  /** When the last of the authorities that are trusted ends. */
  readonly trustedUntil?: EpochMs;
}

/** Something that is not as it should be, and what mends it. */
export interface Diagnosis {
  readonly severity: 'error' | 'warning';
  readonly subject: string;
  readonly problem: string;
  readonly remedy: string;
}

const DAY_MS = 86_400_000;
const KINDS: readonly Kind[] = ['AIProvider', 'AIRoute', 'AIBudget'];

/** What is wrong with a cluster, the most fundamental first. */
export function diagnose(sight: Sight): Diagnosis[] {
  return [...definitions(sight), ...controllers(sight), ...webhook(sight), ...uninjected(sight), ...confined(sight), ...skew(sight), ...resources(sight)];
}

function definitions({ definitions: installed }: Sight): Diagnosis[] {
  if (installed === undefined) return [];
  return KINDS.flatMap((kind): Diagnosis[] => {
    const found = installed.get(kind);
    const subject = `definition of ${kind}`;
    if (found === undefined)
      return [{ severity: 'error', subject, problem: 'is not installed', remedy: 'helm install airmesh charts/airmesh -n airmesh-system --create-namespace' }];
    const [first, ...others] = found.missingFields;
    return first === undefined
      ? []
      : [
          {
            severity: 'warning',
            subject,
            problem: `is older than this program: it lacks ${first}${others.length === 0 ? '' : ` and ${others.length} more`}`,
            remedy: 'helm upgrade; or kubectl apply --server-side -f charts/airmesh/files/crds',
          },
        ];
  });
}

function controllers({ controllers: found, rootNamespace }: Sight): Diagnosis[] {
  const subject = `controllers in ${rootNamespace}`;
  if (found === undefined) return [];
  if (found === 'absent')
    return [{ severity: 'error', subject, problem: 'there are none', remedy: `helm install airmesh charts/airmesh -n ${rootNamespace} --create-namespace` }];
  if (found.ready === 0)
    return [
      {
        severity: 'error',
        subject,
        problem: `none of ${found.wanted} is ready; calls go on by what sidecars have`,
        remedy: `kubectl logs -n ${rootNamespace} -l app.kubernetes.io/component=controller`,
      },
    ];
  return found.ready < found.wanted
    ? [
        {
          severity: 'warning',
          subject,
          problem: `${found.ready} of ${found.wanted} are ready`,
          remedy: `kubectl describe pods -n ${rootNamespace} -l app.kubernetes.io/component=controller`,
        },
      ]
    : [];
}

function webhook({ webhook: found, rootNamespace, now, controllers: running }: Sight): Diagnosis[] {
  const subject = 'injector’s webhook';
  if (found === undefined) return [];
  if (found === 'absent')
    return running === 'absent'
      ? []
      : [{ severity: 'warning', subject, problem: 'is not registered, so no pod gets a sidecar', remedy: 'helm upgrade with injector.enabled=true' }];
  if (found.untrusted.length > 0)
    return [
      {
        severity: 'error',
        subject,
        problem: `${found.untrusted.join(' and ')} cannot be asked: API servers know no authority for it`,
        remedy: `a controller sets it when it is ready: kubectl logs -n ${rootNamespace} -l app.kubernetes.io/component=controller`,
      },
    ];
  if (found.trustedUntil === undefined || found.trustedUntil - now > 30 * DAY_MS) return [];
  const isOver = found.trustedUntil <= now;
  return [
    {
      severity: isOver ? 'error' : 'warning',
      subject,
      problem: `its authority ${isOver ? 'ended' : 'ends'} at ${new Date(found.trustedUntil).toISOString()}, and no other follows`,
      remedy: `controllers renew it by themselves when they run: kubectl logs -n ${rootNamespace} -l app.kubernetes.io/component=controller`,
    },
  ];
}

/** Pods that were there before their namespace was labelled, or came while nobody answered. */
function uninjected({ pods, namespaces }: Sight): Diagnosis[] {
  const injects = (namespace: string): boolean => namespaces.get(namespace)?.[INJECT_LABEL] === 'enabled';
  const without = pods.filter(
    ({ namespace, isInjected, exemption, phase }) => injects(namespace) && !isInjected && exemption === undefined && phase !== 'ended',
  );
  return [...Map.groupBy(without, (pod) => `${pod.namespace}/${ownerName(pod)}`)].map(([workload, [first, ...others]]): Diagnosis => {
    const count = others.length + 1;
    return {
      severity: 'warning',
      subject: workload,
      problem: `${count} ${count === 1 ? 'pod runs' : 'pods run'} without a sidecar, although the namespace wants one`,
      remedy: first === undefined ? '' : restartOf(first),
    };
  });
}

/** Pods that have a sidecar, and whose connections do not come to it by themselves. */
function confined({ pods }: Sight): Diagnosis[] {
  const those = pods.filter(({ isConfined, phase }) => isConfined === true && phase !== 'ended');
  return [...Map.groupBy(those, (pod) => `${pod.namespace}/${ownerName(pod)}`)].map(([workload, [first, ...others]]): Diagnosis => ({
    severity: 'warning',
    subject: workload,
    problem: `connections of ${others.length + 1} of its pods are not redirected, as the namespace's Pod Security allows no NET_ADMIN: only calls by a base URL are governed`,
    remedy: `kubectl label namespace ${first?.namespace ?? ''} pod-security.kubernetes.io/enforce=privileged --overwrite, then make the pods anew; or annotate them airmesh.dev/intercept: disabled where base URLs will do`,
  }));
}

/** How a person has a workload's pods made anew. */
function restartOf(pod: PodFacts): string {
  const { owner, namespace, name } = pod;
  if (owner === undefined) return `make the pod anew: kubectl delete pod ${name} -n ${namespace}, then create it again`;
  const kind = owner.kind === 'ReplicaSet' && ownerName(pod) !== owner.name ? 'Deployment' : owner.kind;
  if (kind === 'Job') return 'its next run will have one';
  const restartable = ['Deployment', 'StatefulSet', 'DaemonSet'].includes(kind);
  return restartable
    ? `kubectl rollout restart ${kind.toLowerCase()}/${ownerName(pod)} -n ${namespace}`
    : `make the pods of ${kind} ${ownerName(pod)} in ${namespace} anew`;
}

/** `1.4` of `1.4.2`, and how many minor versions lie between two of the same major one. */
function minorsBetween(one: string, other: string): number | undefined {
  const [a, b] = [one, other].map((version) => /^(\d+)\.(\d+)\./.exec(version));
  if (a == null || b == null) return undefined;
  return a[1] === b[1] ? Math.abs(Number(a[2]) - Number(b[2])) : Infinity;
}

/** Sidecars and controllers bear one minor version between them. */
function skew({ pods, controllers: found, program }: Sight): Diagnosis[] {
  const running = typeof found === 'object' && found.program !== undefined ? found.program : program;
  const sidecars = pods.filter((pod) => pod.phase !== 'ended' && pod.program !== undefined && (minorsBetween(pod.program, running) ?? 0) > 1);
  return [...Map.groupBy(sidecars, (pod) => `${pod.namespace}/${ownerName(pod)}`)].map(([workload, [first, ...others]]): Diagnosis => ({
    severity: 'warning',
    subject: workload,
    problem: `${others.length + 1} of its sidecars are of version ${first?.program ?? '?'}, and controllers of ${running}; one minor version may lie between`,
    remedy: first === undefined ? '' : restartOf(first),
  }));
}

function resources({ resources: found }: Sight): Diagnosis[] {
  return found.flatMap((observed): Diagnosis[] => {
    const subject = labelOf(observed);
    const { conditions, findings } = textsOf(observed.status);
    if (formerConditions(observed.status).size === 0)
      return [
        { severity: 'warning', subject, problem: 'has no status yet', remedy: 'a controller that watches its namespace writes it within seconds; see above' },
      ];
    const said = conditions
      .filter(({ status, reason }) => status === 'False' && reason !== 'NoSidecars')
      .map(({ type, message, reason }): Diagnosis => ({
        severity: type === 'Programmed' && reason === 'Pending' ? 'warning' : 'error',
        subject,
        problem: `${type} is False (${reason}): ${message}`,
        remedy:
          type === 'Programmed'
            ? `kubectl describe ${observed.kind.toLowerCase()}/${observed.name} -n ${observed.namespace} names the sidecars`
            : `kubectl edit ${observed.kind.toLowerCase()}/${observed.name} -n ${observed.namespace}`,
      }));
    const warned = findings.map(({ path, message }): Diagnosis => ({
      severity: 'warning',
      subject,
      problem: `${path === '' ? '' : `${path}: `}${message}`,
      remedy: 'mend it, or leave it if it is meant',
    }));
    return [...said, ...warned];
  });
}

interface Texts {
  readonly conditions: readonly { readonly type: string; readonly status: string; readonly reason: string; readonly message: string }[];
  readonly findings: readonly { readonly path: string; readonly message: string }[];
}

/** Warnings alone: errors are in conditions. */
function textsOf(status: unknown): Texts {
  const { conditions = [], findings = [] } = (status ?? {}) as {
    readonly conditions?: Texts['conditions'];
    readonly findings?: readonly (Texts['findings'][number] & { readonly severity: string })[];
  };
  return { conditions, findings: findings.filter(({ severity }) => severity === 'warning') };
}
