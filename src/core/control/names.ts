/** Names that the controller, the injector, the chart and the sidecar share. */

/** Of service-account tokens: a sidecar's token is for the controller alone. */
export const TOKEN_AUDIENCE = 'airmesh';

/** Of tokens that callers show a gateway as API keys. Another one: with a sidecar's, an application could ask a controller for keys. */
export const GATEWAY_AUDIENCE = 'airmesh-gateway';

/** On a namespace (label) or a pod (label or annotation): `enabled` or `disabled`. A pod's word counts before its namespace's. */
export const INJECT_LABEL = 'airmesh.dev/inject';

/** On each pod that has a sidecar of ours, whoever put it there, so that controllers watch these pods and no others; the value is the program's version. */
export const SIDECAR_LABEL = 'airmesh.dev/sidecar';

/** Annotation that the injector leaves on a pod whose connections it could not have redirected; the value says why, in a word. */
export const NOT_INTERCEPTED = 'airmesh.dev/not-intercepted';

/** Its value where the namespace's Pod Security refuses what the redirection needs. */
export const BY_POD_SECURITY = 'pod-security';

export const SIDECAR_CONTAINER = 'airmesh-sidecar';
export const INIT_CONTAINER = 'airmesh-init';

/** What the sidecar's processes run as; traffic of this user is not redirected. */
export const SIDECAR_UID = 1533;

/** Ports in an injected pod. None is one of Istio's, Linkerd's, Consul's or Kuma's. */
export const SIDECAR_PORTS = {
  /** Redirected outbound connections; loopback only. */
  outbound: 15401,
  /** For callers that are told a base URL; loopback only. */
  api: 15480,
  /** Probes and metrics; on the pod's address. */
  admin: 15420,
} as const;

/** Ports of a controller. */
export const CONTROLLER_PORTS = {
  /** Policies and ledger, gRPC over TLS. */
  grpc: 15010,
  /** Probes, metrics, spending. */
  admin: 15012,
  webhook: 9443,
} as const;

/** Paths in the sidecar's container. */
export const SIDECAR_PATHS = {
  /** Projected service-account token, for `TOKEN_AUDIENCE`. */
  token: '/var/run/secrets/airmesh/token',
  /** Memory-backed, mounted by no other container. The kubelet's, so that everybody may write there. */
  memory: '/var/lib/airmesh',
  /** In it, and the sidecar's own: journal, books, the last state. */
  state: '/var/lib/airmesh/state',
  /** Memory-backed, mounted read-only by the application's containers: the CA bundle. */
  trust: '/etc/airmesh/trust',
  /** Authorities that the namespace adds, each file of it; absent where the namespace has none. */
  authorities: '/etc/airmesh/authorities',
} as const;

/** The sidecar's environment, set by the injector. */
export const SIDECAR_ENVIRONMENT = {
  /** `host:port` of the controllers, separated by commas. */
  controllers: 'AIRMESH_CONTROLLERS',
  /** Authorities of the controllers' certificates, PEM; newer ones come with states. */
  controllerRoots: 'AIRMESH_CONTROLLER_ROOTS',
} as const;

/** Stands in an application's environment where SDKs want a key to start; a sidecar replaces it. Recognised by `shell/keys` as no key. */
export const PLACEHOLDER_KEY = 'airmesh-injected';
