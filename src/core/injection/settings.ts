/** Quantities as Kubernetes writes them, such as `100m` and `128Mi`. What is absent is not set. */
export interface ContainerResources {
  readonly cpuRequest?: string;
  readonly cpuLimit?: string;
  readonly memoryRequest?: string;
  readonly memoryLimit?: string;
}

/** What the mesh's operator decides of all injected pods. */
export interface InjectionSettings {
  readonly image: string;
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  /** Names of Secrets of the pod's own namespace by which its node may pull the image. */
  readonly imagePullSecrets: readonly string[];
  /** `host:port` */
  readonly controllers: readonly string[];
  /** Authorities of the controllers' certificates, PEM. */
  readonly controllerRoots: string;
  readonly logLevel: string;
  /** Envoy's worker threads. */
  readonly concurrency: number;
  readonly resources: ContainerResources;
  /** Whether applications are told to call the sidecar by the base-URL variables of SDKs. */
  readonly baseUrls: boolean;
  /** Whether connections that applications open are redirected to the sidecar; whoever contributes the redirection asks. */
  readonly intercept: boolean;
  /** ConfigMap of a pod's namespace that holds authorities which its applications trust besides; it need not be there. */
  readonly authorities: string;
  /** Whether applications without a key are given one that SDKs start with, and that is none. */
  readonly placeholderKeys: boolean;
  /** The version that is injected, as a label's value; for people who ask which pods are of yesterday. */
  readonly program: string;
}
