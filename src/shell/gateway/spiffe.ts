/** `spiffe://TRUST-DOMAIN/ns/NAMESPACE/sa/SERVICE-ACCOUNT`, as Istio, Linkerd's SPIRE and most meshes name workloads. */
const ID = /^spiffe:\/\/([a-z0-9._-]{1,255})\/ns\/([a-z0-9-]{1,63})\/sa\/([a-z0-9.-]{1,253})$/;

export interface SpiffeName {
  readonly trustDomain: string;
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** `undefined`: it is no name of a service account. */
export function readSpiffe(uri: string): SpiffeName | undefined {
  const [, trustDomain, namespace, serviceAccount] = ID.exec(uri) ?? [];
  if (trustDomain === undefined || namespace === undefined || serviceAccount === undefined) return undefined;
  return { trustDomain, namespace, serviceAccount };
}
