import { nearest } from './findings.ts';
import type { Finding } from './findings.ts';
import { allows } from './providers.ts';
import type { CompiledProvider } from './providers.ts';
import type { AIProvider } from './schema.ts';
import type { Boundaries } from './selection.ts';

/** AIProviders by `namespace/name`: all that there are, and those of them that can be used. */
export interface ProviderDirectory {
  readonly declared: ReadonlyMap<string, AIProvider>;
  readonly compiled: ReadonlyMap<string, CompiledProvider>;
  readonly boundaries: Boundaries | undefined;
}

export type ProviderReference =
  | { readonly found: true; readonly id: string; readonly provider: CompiledProvider }
  | { readonly found: false; readonly id: string; readonly reason: NonNullable<Finding['reason']>; readonly message: string };

/**
 * What a resource of a namespace means by `name` or `namespace/name`. Of other namespaces' providers that do not allow it,
 * nothing is told, not even that they exist.
 */
export function lookUpProvider(reference: string, namespace: string, { declared, compiled, boundaries }: ProviderDirectory): ProviderReference {
  const id = reference.includes('/') ? reference : `${namespace}/${reference}`;
  const visible = declared.get(id);
  if (visible !== undefined && allows(visible, namespace, boundaries)) {
    const provider = compiled.get(id);
    return provider === undefined
      ? { found: false, id, reason: 'RefInvalid', message: `the AIProvider ${id} has errors of its own` }
      : { found: true, id, provider };
  }
  if (boundaries !== undefined && !id.startsWith(`${namespace}/`)) {
    return {
      found: false,
      id,
      reason: 'RefNotPermitted',
      message: `there is no AIProvider ${id} that allows namespace ${namespace} to use it; see its spec.allowedRoutes`,
    };
  }
  const candidates = [...declared].filter(([, provider]) => allows(provider, namespace, boundaries)).map(([candidate]) => candidate);
  return { found: false, id, reason: 'RefNotFound', message: `there is no AIProvider ${id}${meant(id, candidates)}` };
}

export const meant = (word: string, candidates: readonly string[]): string => {
  const guess = nearest(word, candidates);
  return guess === undefined ? '' : `; did you mean ${guess}?`;
};
