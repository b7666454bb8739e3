/** core/v1 Pod, as far as injection reads it. What is not named here stays as it came. */

interface Unread {
  readonly [field: string]: unknown;
}

export interface EnvironmentVariable extends Unread {
  readonly name: string;
  readonly value?: string;
}

export interface VolumeMount extends Unread {
  readonly name: string;
  readonly mountPath: string;
}

export interface SecurityContext extends Unread {
  readonly runAsUser?: number;
  readonly runAsGroup?: number;
  /** Of pods alone, as the next. */
  readonly fsGroup?: number;
  readonly supplementalGroups?: readonly number[];
  /** Of containers alone, as the next. */
  readonly privileged?: boolean;
  readonly capabilities?: Unread & { readonly add?: readonly string[]; readonly drop?: readonly string[] };
}

export interface Container extends Unread {
  readonly name: string;
  readonly env?: readonly EnvironmentVariable[];
  readonly envFrom?: readonly unknown[];
  readonly ports?: readonly (Unread & { readonly containerPort: number })[];
  readonly volumeMounts?: readonly VolumeMount[];
  readonly volumeDevices?: readonly (Unread & { readonly name: string })[];
  readonly securityContext?: SecurityContext;
}

export interface Volume extends Unread {
  readonly name: string;
  readonly projected?: Unread & {
    readonly sources?: readonly (Unread & { readonly serviceAccountToken?: Unread & { readonly audience?: string } })[];
  };
}

export interface Pod extends Unread {
  readonly metadata: Unread & {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: Unread & {
    readonly containers: readonly Container[];
    readonly initContainers?: readonly Container[];
    readonly volumes?: readonly Volume[];
    readonly imagePullSecrets?: readonly (Unread & { readonly name?: string })[];
    readonly securityContext?: SecurityContext;
    readonly hostNetwork?: boolean;
    readonly hostPID?: boolean;
    readonly shareProcessNamespace?: boolean;
    readonly os?: Unread & { readonly name?: string };
  };
}
