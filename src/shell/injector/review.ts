import { z } from 'zod';
import { patchOf } from '../../core/injection/index.ts';
import type { Pod, Verdict } from '../../core/injection/index.ts';
import { err, ok } from '../../core/units/index.ts';
import type { Result } from '../../core/units/index.ts';

const named = z.looseObject({ name: z.string() });
const words = z.record(z.string(), z.string());
const capabilities = z.looseObject({ add: z.array(z.string()).optional(), drop: z.array(z.string()).optional() });
const securityContext = z.looseObject({
  runAsUser: z.number().optional(),
  runAsGroup: z.number().optional(),
  fsGroup: z.number().optional(),
  supplementalGroups: z.array(z.number()).optional(),
  privileged: z.boolean().optional(),
  capabilities: capabilities.optional(),
});

const container = z.looseObject({
  name: z.string(),
  env: z.array(named).optional(),
  envFrom: z.array(z.unknown()).optional(),
  ports: z.array(z.looseObject({ containerPort: z.number() })).optional(),
  volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })).optional(),
  volumeDevices: z.array(named).optional(),
  securityContext: securityContext.optional(),
});

const serviceAccountToken = z.looseObject({ audience: z.string().optional() });
const volume = z.looseObject({
  name: z.string(),
  projected: z.looseObject({ sources: z.array(z.looseObject({ serviceAccountToken: serviceAccountToken.optional() })).optional() }).optional(),
});

const pod = z.looseObject({
  metadata: z.looseObject({ labels: words.optional(), annotations: words.optional(), name: z.string().optional(), generateName: z.string().optional() }),
  spec: z.looseObject({
    containers: z.array(container),
    initContainers: z.array(container).optional(),
    volumes: z.array(volume).optional(),
    imagePullSecrets: z.array(z.looseObject({ name: z.string().optional() })).optional(),
    securityContext: securityContext.optional(),
    hostNetwork: z.boolean().optional(),
    hostPID: z.boolean().optional(),
    shareProcessNamespace: z.boolean().optional(),
    os: z.looseObject({ name: z.string().optional() }).optional(),
  }),
});

/** admission.k8s.io/v1 AdmissionReview, as it asks. */
const review = z.looseObject({
  apiVersion: z.literal('admission.k8s.io/v1'),
  kind: z.literal('AdmissionReview'),
  request: z.looseObject({
    uid: z.string().min(1).max(128),
    kind: z.looseObject({ group: z.literal(''), version: z.literal('v1'), kind: z.literal('Pod') }),
    operation: z.literal('CREATE'),
    namespace: z.string().max(253).default(''),
    object: pod,
  }),
});

export interface PodReview {
  readonly uid: string;
  readonly namespace: string;
  /** Of the pod, or what its name will begin with. */
  readonly name: string;
  readonly pod: Pod;
}

/** The error says what is no review of a pod that is being created, in words that quote nothing of it. */
export function readReview(body: Buffer): Result<PodReview, string> {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return err('the body is no JSON in UTF-8');
  }
  const read = review.safeParse(json);
  if (!read.success) {
    const [issue] = read.error.issues;
    return err(`the body is no AdmissionReview (admission.k8s.io/v1) of a pod that is created: ${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
  }
  const { uid, namespace, object } = read.data.request;
  // Optional fields are absent, never undefined, as all of it was JSON.
  return ok({ uid, namespace, name: object.metadata.name ?? object.metadata.generateName ?? '', pod: object as Pod });
}

/** AdmissionReview, as it answers. */
export function answerReview({ uid, pod: before }: PodReview, verdict: Verdict): object {
  const answer = (response: object): object => ({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid, ...response } });
  switch (verdict.kind) {
    case 'left':
      return answer({ allowed: true, warnings: verdict.warnings });
    case 'refused':
      return answer({
        allowed: false,
        status: {
          code: 422,
          reason: 'Invalid',
          message: `airmesh: ${verdict.problems.join('; ')}. To run it without a sidecar, label the pod airmesh.dev/inject: disabled`,
        },
      });
    case 'injected': {
      const patch = patchOf(before, verdict.pod);
      const patched = patch.length === 0 ? {} : { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') };
      return answer({ allowed: true, warnings: verdict.warnings, ...patched });
    }
  }
}
