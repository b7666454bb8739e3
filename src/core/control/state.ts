import type { EpochMs } from '../units/index.ts';
import type { KeyRef, ProviderType, WorkloadSnapshot } from '../policy/index.ts';

/** A provider's key, as its Secret holds it. Never printed: whoever carries it hides `value` from what inspects it. */
export interface KeyMaterial {
  readonly type: ProviderType;
  readonly value: string;
}

/** A certificate for one host with its key, PEM. The chain ends below the root that applications trust. */
export interface LeafCertificate {
  readonly certificate: string;
  readonly key: string;
  readonly notAfter: EpochMs;
}

/** A host whose calls a sidecar takes in, wherever the application connects for it. */
export interface InterceptedHost {
  /** A DNS name in lower case. */
  readonly host: string;
  /** Absent where it is called in plain HTTP only, as model servers in the cluster are. */
  readonly leaf?: LeafCertificate;
  /** Ports besides 80 and 443. */
  readonly ports: readonly number[];
  /** Its addresses, where they are its own alone, as those of a model server in the cluster are. Where egress is enforced they are reached under its names only. */
  readonly addresses?: readonly string[];
}

/** How a sidecar deals with connections that the application opens to the outside. */
export interface Interception {
  readonly hosts: readonly InterceptedHost[];
  /** Authorities that applications are to trust besides the public ones, PEM: the present root, the one to come, the one that goes. */
  readonly roots: string;
  /** Whether what is no intercepted host passes (`Open`), or only what is declared and in the cluster (`Enforced`). */
  readonly egress: 'Open' | 'Enforced';
  /** Hosts in HTTPS that pass untouched, also where egress is enforced: such as those whose clients pin certificates. A DNS name, or `*.` and one. */
  readonly passedHosts?: readonly string[];
  /** Hosts in HTTPS that are refused, also where egress is open. */
  readonly refusedHosts?: readonly string[];
  /** The cluster's own addresses, as CIDR, which pass where egress is enforced. Absent: those that are private by standard. */
  readonly networks?: readonly string[];
  /** Of the intercepted hosts in HTTPS, those whose WebSockets pass to them, ungoverned and with no key of the mesh's. Absent: none's. */
  readonly webSocketHosts?: readonly string[];
}

/** All that one workload's sidecars are given. Immutable; sent whole. */
export interface SidecarState {
  /** Changes whenever anything in it does; tells nothing of keys. */
  readonly version: string;
  readonly snapshot: WorkloadSnapshot;
  /** For the providers of the snapshot that take one. A key that is missing or malformed is absent. */
  readonly keys: ReadonlyMap<KeyRef, KeyMaterial>;
  /** Of each provider that takes a key, a mark of where it is declared to come from; absent where none does, and from older controllers. */
  readonly keySources?: ReadonlyMap<KeyRef, string>;
  readonly interception?: Interception;
  /** Authorities of the controllers' certificates, PEM, as they are to be trusted from now on; absent: those that the sidecar knows. */
  readonly controllerRoots?: string;
}
