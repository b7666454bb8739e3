import { SIDECAR_CONTAINER, SIDECAR_ENVIRONMENT, SIDECAR_PATHS, SIDECAR_PORTS, SIDECAR_UID, TOKEN_AUDIENCE } from '../control/index.ts';
import type { Addition, Contributor } from './addition.ts';
import type { Overrides } from './overrides.ts';
import type { Container, EnvironmentVariable, VolumeMount } from './pod.ts';
import type { ContainerResources, InjectionSettings } from './settings.ts';

/** Kubelets renew a token when a fifth of its life is left. */
const TOKEN_LIFETIME_S = 3600;
/** Counts as the sidecar's memory as it fills. */
const STATE_SIZE = '64Mi';
const TEMPORARY_SIZE = '16Mi';
/** So long may the first state take; then the container starts anew. */
const STARTUP_FAILURES = 120;

const [, TOKEN_FOLDER = '', TOKEN_FILE = ''] = /^(.*)\/([^/]+)$/.exec(SIDECAR_PATHS.token) ?? [];
const VOLUMES = { token: 'airmesh-token', state: 'airmesh-state', temporary: 'airmesh-tmp' } as const;

/** What Kubernetes' Restricted profile asks for, and a root file system that nothing writes to. */
export const restrictedSecurity = (uid: number): Readonly<Record<string, unknown>> => ({
  runAsUser: uid,
  runAsGroup: uid,
  runAsNonRoot: true,
  privileged: false,
  allowPrivilegeEscalation: false,
  readOnlyRootFilesystem: true,
  capabilities: { drop: ['ALL'] },
  seccompProfile: { type: 'RuntimeDefault' },
});

/** Who the sidecar is, whom it talks to, and where it keeps what it knows. */
export const contributeSidecar: Contributor = (_pod, settings): Addition => ({
  privateVolumes: [
    {
      name: VOLUMES.token,
      projected: { sources: [{ serviceAccountToken: { path: TOKEN_FILE, audience: TOKEN_AUDIENCE, expirationSeconds: TOKEN_LIFETIME_S } }] },
    },
    { name: VOLUMES.state, emptyDir: { medium: 'Memory', sizeLimit: STATE_SIZE } },
    { name: VOLUMES.temporary, emptyDir: { medium: 'Memory', sizeLimit: TEMPORARY_SIZE } },
  ],
  sidecar: {
    env: [
      { name: SIDECAR_ENVIRONMENT.controllers, value: settings.controllers.join(',') },
      { name: SIDECAR_ENVIRONMENT.controllerRoots, value: settings.controllerRoots },
    ],
    volumeMounts: [
      { name: VOLUMES.token, mountPath: TOKEN_FOLDER, readOnly: true },
      { name: VOLUMES.state, mountPath: SIDECAR_PATHS.memory },
      { name: VOLUMES.temporary, mountPath: '/tmp' },
    ],
  },
});

/**
 * A native sidecar: an init container that goes on. The application's containers start when its startup probe has passed,
 * which is when it has policies, and are gone before it is told to end: so the first call of an application is governed,
 * its last one answered without any hook, and a Job ends when its own containers do.
 */
export function sidecarContainer(settings: InjectionSettings, overrides: Overrides, additions: readonly Addition[]): Container {
  const parts = additions.flatMap(({ sidecar }) => (sidecar === undefined ? [] : [sidecar]));
  const command = parts.find((part) => part.command !== undefined)?.command ?? 'sidecar';
  const concurrency = command === 'sidecar' ? ['--concurrency', String(overrides.concurrency)] : [];
  return {
    name: SIDECAR_CONTAINER,
    image: overrides.image,
    imagePullPolicy: settings.imagePullPolicy,
    restartPolicy: 'Always',
    args: [command, '--log-level', overrides.logLevel, '--log-format', 'json', ...concurrency, ...parts.flatMap(({ args = [] }) => args)],
    env: parts.flatMap(({ env = [] }): readonly EnvironmentVariable[] => env),
    ports: [{ name: 'airmesh-admin', containerPort: SIDECAR_PORTS.admin, protocol: 'TCP' }],
    startupProbe: { ...probe('/readyz'), periodSeconds: 1, timeoutSeconds: 1, failureThreshold: STARTUP_FAILURES },
    readinessProbe: { ...probe('/readyz'), periodSeconds: 5, timeoutSeconds: 2, failureThreshold: 3 },
    livenessProbe: { ...probe('/healthz'), periodSeconds: 10, timeoutSeconds: 5, failureThreshold: 6 },
    resources: resourcesOf(overrides.resources),
    securityContext: restrictedSecurity(SIDECAR_UID),
    volumeMounts: parts.flatMap(({ volumeMounts = [] }): readonly VolumeMount[] => volumeMounts),
  };
}

const probe = (path: string): object => ({ httpGet: { path, port: SIDECAR_PORTS.admin } });

function resourcesOf({ cpuRequest, cpuLimit, memoryRequest, memoryLimit }: ContainerResources): object {
  const listed = (cpu: string | undefined, memory: string | undefined): object => ({
    ...(cpu === undefined ? {} : { cpu }),
    ...(memory === undefined ? {} : { memory }),
  });
  return { requests: listed(cpuRequest, memoryRequest), limits: listed(cpuLimit, memoryLimit) };
}
