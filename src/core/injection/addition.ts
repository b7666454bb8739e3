import type { InjectionSettings } from './settings.ts';
import type { Overrides } from './overrides.ts';
import type { Container, EnvironmentVariable, Pod, Volume, VolumeMount } from './pod.ts';

/** What one of the application's containers is given. What it has already, by variable's name or mount's path, stays as it is. */
export interface ApplicationPart {
  readonly env: readonly EnvironmentVariable[];
  readonly volumeMounts: readonly VolumeMount[];
  /** What whoever creates the pod should know, in a sentence. */
  readonly warnings: readonly string[];
}

/** What one concern adds to a pod. All additions are of names that no application uses: `airmesh-…`. */
export interface Addition {
  /** Run to their end, one after the other, before the sidecar starts. */
  readonly initContainers?: readonly Container[];
  /** Only the sidecar may mount these. */
  readonly privateVolumes?: readonly Volume[];
  /** The application's containers may mount these as well. */
  readonly sharedVolumes?: readonly Volume[];
  /** Of the pod. */
  readonly labels?: Readonly<Record<string, string>>;
  /** Of the pod, in the place of those of the same name: whoever adds them has read what was there. */
  readonly annotations?: Readonly<Record<string, string>>;
  /** Containers of another mesh's injector, by name: they are not the application's, and are given these mounts and nothing else. */
  readonly others?: readonly { readonly name: string; readonly volumeMounts: readonly VolumeMount[] }[];
  /** Init containers, by name, that ours come behind, where they are. */
  readonly after?: readonly string[];
  /** Users that no container of the application may run as, each with whose it is, in words. */
  readonly reservedUsers?: readonly { readonly uid: number; readonly whose: string }[];
  readonly sidecar?: {
    /** Of `airmesh`; `sidecar`, if nobody says otherwise. */
    readonly command?: 'processor';
    readonly env?: readonly EnvironmentVariable[];
    readonly volumeMounts?: readonly VolumeMount[];
    /** Behind the command's name. */
    readonly args?: readonly string[];
  };
  /** Asked for each of the application's containers, init containers included. */
  readonly application?: (container: Container) => ApplicationPart;
  readonly warnings?: readonly string[];
  /** Why the pod cannot be made as it is. */
  readonly problems?: readonly string[];
}

/** One concern of injection. Pure: the same pod and settings, the same addition. The pod has nothing of an earlier injection but what is in its application's containers. */
export type Contributor = (pod: Pod, settings: InjectionSettings, overrides: Overrides) => Addition;
