import { INIT_CONTAINER, SIDECAR_PATHS, SIDECAR_PORTS, SIDECAR_UID } from '../control/index.ts';
import { javaLauncherVariable, javaOption, trustVariables } from './variables.ts';
import type { Variable } from './variables.ts';

/** What the mesh's operator decides of it. */
export interface AdditionSettings {
  /** The sidecar's image: it has the command, and the packet filter's programs. */
  readonly image: string;
  readonly imagePullPolicy: string;
  /** Redirected besides 443 and, where there is no mesh, 80; `all`: every port, which enforced egress needs. */
  readonly ports: readonly number[] | 'all';
  /** The user of a mesh's own proxy in the pod: what it connects to is not redirected, and port 80 is the mesh's. Absent: there is no mesh. */
  readonly meshUser?: number;
  /** A ConfigMap of the pod's namespace, of authorities that its applications trust besides; it need not be there. */
  readonly authorities: string;
}

/** A container, as far as it is read. */
interface Application {
  readonly name: string;
  readonly env?: readonly { readonly name: string; readonly value?: string }[];
  readonly envFrom?: readonly unknown[];
}

// Types rather than interfaces: injection's have room for fields that it does not read.
type Mount = { readonly name: string; readonly mountPath: string; readonly readOnly?: boolean };
type Named = { readonly name: string; readonly [field: string]: unknown };

/** What interception adds to a pod, in the shape of injection's additions. */
export interface InterceptionAddition {
  readonly initContainers: readonly Named[];
  readonly privateVolumes: readonly Named[];
  readonly sharedVolumes: readonly Named[];
  readonly sidecar: { readonly volumeMounts: readonly Mount[] };
  readonly application: (container: Application) => {
    readonly env: readonly { readonly name: string; readonly value: string }[];
    readonly volumeMounts: readonly Mount[];
    readonly warnings: readonly string[];
  };
}

const VOLUME = 'airmesh-trust';
const AUTHORITIES = 'airmesh-authorities';
/** A bundle of public authorities is a quarter of a megabyte, in two forms; a ConfigMap's is a megabyte at most, in three; and each is written beside the former. */
const VOLUME_SIZE = '8Mi';

/** The init container that redirects, the volume of trust, and the variables that point at it. */
export function interceptionAddition(settings: AdditionSettings): InterceptionAddition {
  return {
    initContainers: [initContainer(settings)],
    privateVolumes: [{ name: AUTHORITIES, configMap: { name: settings.authorities, optional: true } }],
    sharedVolumes: [{ name: VOLUME, emptyDir: { medium: 'Memory', sizeLimit: VOLUME_SIZE } }],
    sidecar: {
      volumeMounts: [
        { name: VOLUME, mountPath: SIDECAR_PATHS.trust },
        { name: AUTHORITIES, mountPath: SIDECAR_PATHS.authorities, readOnly: true },
      ],
    },
    application: (container) => {
      const { env, warnings } = variablesFor(container);
      return {
        env: env.map(({ name, value }) => ({ name, value })),
        volumeMounts: [{ name: VOLUME, mountPath: SIDECAR_PATHS.trust, readOnly: true }],
        warnings,
      };
    },
  };
}

/** Root with one capability, for the fraction of a second that it lasts; nothing else in the pod has any. */
function initContainer({ image, imagePullPolicy, ports, meshUser }: AdditionSettings): Named {
  const always = meshUser === undefined ? [80, 443] : [443];
  return {
    name: INIT_CONTAINER,
    image,
    imagePullPolicy,
    args: [
      'init',
      '--to-port',
      String(SIDECAR_PORTS.outbound),
      '--except',
      String(SIDECAR_UID),
      // Kubelets ask there; a mesh's redirection that was not told takes it in, and in strict mutual TLS refuses it.
      ...(meshUser === undefined ? [] : ['--reached', String(SIDECAR_PORTS.admin)]),
      '--ports',
      ports === 'all' ? 'all' : [...new Set([...always, ...ports])].join(','),
      ...(meshUser === undefined ? [] : ['--except-mesh', String(meshUser)]),
    ],
    resources: { requests: { cpu: '10m', memory: '32Mi' }, limits: { memory: '128Mi' } },
    securityContext: {
      runAsUser: 0,
      runAsGroup: 0,
      runAsNonRoot: false,
      privileged: false,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
  };
}

/** What a container has not set for itself. What its ConfigMaps and Secrets hold is not seen here, and would lose. */
function variablesFor({ name, env = [], envFrom = [] }: Application): { readonly env: readonly Variable[]; readonly warnings: readonly string[] } {
  const present = new Map(env.map((variable) => [variable.name, variable.value]));
  const wanted = trustVariables(SIDECAR_PATHS.trust);
  const java = javaOption(SIDECAR_PATHS.trust);
  const launcher = javaLauncherVariable(SIDECAR_PATHS.trust);
  const isJavaTaken = present.has('JAVA_TOOL_OPTIONS') && present.get('JAVA_TOOL_OPTIONS')?.includes(java) !== true;
  const kept = wanted.filter(
    (variable) => present.has(variable.name) && present.get(variable.name) !== variable.value && variable.name !== 'JAVA_TOOL_OPTIONS',
  );
  const free = wanted.filter((variable) => !present.has(variable.name));
  return {
    env: isJavaTaken && !present.has(launcher.name) ? [...free, launcher] : free,
    warnings: [
      ...kept.map(
        (variable) =>
          `container ${name} has a ${variable.name} of its own, which stays: calls to intercepted hosts fail unless it holds what is in ${variable.value}`,
      ),
      ...(isJavaTaken && present.has(launcher.name) ? [`container ${name} has options for Java of its own, which stay: add ${java} to them`] : []),
      ...(envFrom.length > 0 && free.length > 0 ? [`container ${name} takes variables from elsewhere; of those that say whom to trust, the mesh's count`] : []),
    ],
  };
}
