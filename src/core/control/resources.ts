import { parseKnownFields } from '../policy/index.ts';
import type { Finding, Kind, Resource } from '../policy/index.ts';

/** A custom resource as the API server has it, with what was made of it. */
export interface Observed {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  /** Rises with each change of the spec. */
  readonly generation: number;
  readonly resourceVersion: string;
  /** Absent where nothing of it can be used; the findings say why. */
  readonly resource?: Resource;
  readonly findings: readonly Finding[];
  /** As it was written last, by whatever version. */
  readonly status: unknown;
}

/** A custom resource, as far as it is the same for all kinds. */
export interface CustomObject {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata?: {
    readonly name?: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly generation?: number;
    readonly resourceVersion?: string;
    readonly creationTimestamp?: string | Date;
  };
  readonly spec?: unknown;
  readonly status?: unknown;
}

/** How findings name a resource. */
export const labelOf = ({ kind, namespace, name }: Pick<Observed, 'kind' | 'namespace' | 'name'>): string => `${kind} ${namespace}/${name}`;

/** Fields that a newer definition has are left out with a warning; what else is wrong, is a finding. */
export function observe(kind: Kind, object: CustomObject): Observed {
  const { metadata = {}, status, ...rest } = object;
  const { namespace = 'default', name = '', uid = '', generation = 0, resourceVersion = '' } = metadata;
  const parsed = parseKnownFields({ ...rest, kind, metadata: { name, namespace, ...createdOf(metadata.creationTimestamp) } });
  return {
    kind,
    namespace,
    name,
    uid,
    generation,
    resourceVersion,
    ...(parsed.ok ? { resource: parsed.value.resource } : {}),
    findings: parsed.ok ? parsed.value.warnings : parsed.error,
    status,
  };
}

const createdOf = (created: string | Date | undefined): { readonly creationTimestamp?: string } =>
  created === undefined ? {} : { creationTimestamp: typeof created === 'string' ? created : created.toISOString() };
