import { SIDECAR_UID } from '../control/index.ts';
import type { Container, Pod, SecurityContext } from './pod.ts';

const ID_FIELDS = ['runAsUser', 'runAsGroup', 'fsGroup'] as const;

/** Whoever has the sidecar's user or group is not redirected, and may read what is the sidecar's. */
export function borrowedIds({ spec }: Pod, application: readonly Container[]): readonly string[] {
  return [
    ...idsIn(spec.securityContext).map((field) => `${field} ${SIDECAR_UID} of the pod's securityContext is the sidecar's own; choose another`),
    ...application.flatMap(({ name, securityContext }) =>
      idsIn(securityContext).map((field) => `container ${name} has ${field} ${SIDECAR_UID}, which is the sidecar's own; choose another`),
    ),
  ];
}

function idsIn(context: SecurityContext = {}): readonly string[] {
  return [
    ...ID_FIELDS.filter((field) => context[field] === SIDECAR_UID),
    ...(context.supplementalGroups?.includes(SIDECAR_UID) === true ? ['supplementalGroups'] : []),
  ];
}

/** Capabilities by which a process changes the redirection, or its own user and group. */
const POWERS: ReadonlySet<string> = new Set(['ALL', 'NET_ADMIN', 'SYS_ADMIN', 'SYS_PTRACE', 'SETUID', 'SETGID']);

/** What in an application could get around the redirection, though its namespace lets it. Root that an image chooses is not seen here. */
export function waysAround({ spec }: Pod, application: readonly Container[]): readonly string[] {
  return application.flatMap(({ name, securityContext: own = {} }) => {
    const { add = [], drop = [] } = own.capabilities ?? {};
    const powers = add.map((capability) => capability.replace(/^CAP_/, '')).filter((capability) => POWERS.has(capability));
    const isRoot = (own.runAsUser ?? spec.securityContext?.runAsUser) === 0 && !drop.includes('ALL');
    const means = [
      ...(own.privileged === true ? ['is privileged'] : []),
      ...powers.map((power) => `has ${power}`),
      ...(isRoot ? ['runs as root with its capabilities'] : []),
    ];
    return means.length === 0 ? [] : [`container ${name} ${means.join(', ')}: it could get around its sidecar`];
  });
}
