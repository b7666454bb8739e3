import { fileURLToPath } from 'node:url';
import { compile, parseResource } from '../../core/policy/index.ts';
import type { Boundaries, Compiled, Finding, KnownWorkload, Resource } from '../../core/policy/index.ts';
import { knownModels } from '../../shell/prices/index.ts';
import { budgetOf, readResources, resourcesFromEnvironment } from '../../shell/resources/index.ts';
import type { LocatedFinding } from '../../shell/resources/index.ts';
import { readCertificates } from '../../shell/trust/index.ts';
import type { Address } from '../ports.ts';
import { StartError } from '../start-error.ts';

/** What `airmesh run` governs by where nothing is named and the environment has no key. */
export const QUICKSTART = fileURLToPath(new URL('../../../examples/quickstart', import.meta.url));

/** Where resources come from; files are watched, the environment is read once. */
export type PolicySource =
  | { readonly kind: 'files'; readonly paths: readonly string[] }
  | { readonly kind: 'environment'; readonly resources: readonly Resource[] };

/** Stands for the simulated provider's address where none runs. */
export const SIMULATED_URL = 'http://simulated.invalid/v1';

export interface LoadedPolicies {
  readonly resources: readonly Resource[];
  readonly compiled: Compiled;
  readonly findings: readonly LocatedFinding[];
}

/** Named files, else the environment's keys, else the quickstart. `AIRMESH_BUDGET_USD` counts in the last two. */
export function policySource(paths: readonly string[], environment: NodeJS.ProcessEnv): PolicySource {
  if (paths.length > 0) return { kind: 'files', paths };
  const declared = resourcesFromEnvironment(environment);
  switch (declared.kind) {
    case 'resources':
      return { kind: 'environment', resources: declared.resources };
    case 'error':
      throw new StartError(`${declared.variable} ${declared.message}`, `Mend ${declared.variable}, or unset it.`);
    case 'none':
      return { kind: 'files', paths: [QUICKSTART] };
  }
}

export interface CompileSettings {
  readonly workloads: readonly KnownWorkload[];
  readonly own: readonly Address[];
  readonly simulatedUrl: string | undefined;
  readonly environment: NodeJS.ProcessEnv;
  /** Absent: all files are of one hand. */
  readonly boundaries?: Boundaries;
}

const known = knownModels();

/** Reads and compiles everything. Findings carry their place. */
export function loadPolicies(source: PolicySource, settings: CompileSettings): LoadedPolicies {
  const read = source.kind === 'files' ? readResources(source.paths) : undefined;
  const isQuickstart = source.kind === 'files' && source.paths.length === 1 && source.paths[0] === QUICKSTART;
  const resources = [
    ...(read?.resources ?? (source.kind === 'environment' ? source.resources : [])),
    ...(isQuickstart ? extraBudget(settings.environment) : []),
  ];
  const compiled = compile(resources, settings.workloads, {
    own: settings.own,
    known,
    simulatedUrl: settings.simulatedUrl,
    readCertificates,
    boundaries: settings.boundaries,
  });
  const locate = read?.locate ?? ((finding: Finding): LocatedFinding => ({ ...finding, file: 'environment', line: 0, column: 0 }));
  return { resources, compiled, findings: [...(read?.findings ?? []), ...compiled.findings.map(locate)] };
}

function extraBudget(environment: NodeJS.ProcessEnv): Resource[] {
  const document = budgetOf(environment);
  if (document === undefined) return [];
  const parsed = parseResource(document);
  if (parsed.ok) return [parsed.value];
  throw new StartError(`AIRMESH_BUDGET_USD: ${parsed.error[0]?.message ?? 'cannot be read'}`, 'Write dollars as a decimal, such as AIRMESH_BUDGET_USD=5.');
}

/** Whether any of these providers is the simulated one without an address of its own. */
export function needsSimulator(resources: readonly Resource[]): boolean {
  return resources.some((resource) => resource.kind === 'AIProvider' && resource.spec.type === 'Simulated' && resource.spec.baseUrl === undefined);
}
