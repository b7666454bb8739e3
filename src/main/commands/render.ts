import { stringify } from 'yaml';
import { cutsStreams, headersReadBy } from '../../core/call/index.ts';
import { PLACEHOLDER_KEY } from '../../core/control/index.ts';
import { MESHES, MESH_SOCKET, podsComponent, usesOf } from '../../core/meshes/index.ts';
import type { MeshName } from '../../core/meshes/index.ts';
import type { AIRoute, Resource } from '../../core/policy/index.ts';
import { formatFinding } from '../../shell/resources/index.ts';
import { EXIT } from '../exit-codes.ts';
import { SIMULATED_URL, loadPolicies, policySource } from '../mesh/policies.ts';
import { MAX_REQUEST_BYTES, MESSAGE_TIMEOUT_MS } from '../mesh/settings.ts';
import { StartError } from '../start-error.ts';
import type { Terminal } from '../terminal/terminal.ts';

export interface RenderFlags {
  /** What goes on the pods, instead of what is applied. */
  readonly pods: boolean;
  /** The controller's. */
  readonly rootNamespace: string;
}

/** Writes what a mesh needs as YAML; what could not be rendered goes to the error output, and makes the exit code a finding's. */
export function render(name: MeshName, paths: readonly string[], { pods, rootNamespace }: RenderFlags, terminal: Terminal): number {
  const mesh = MESHES[name];
  const { environment } = terminal;
  // As in a cluster: a namespace's resources are for its own workloads.
  const boundaries = { rootNamespace, namespaces: new Map() };
  const compileFor = (workloads: Parameters<typeof loadPolicies>[1]['workloads']): ReturnType<typeof loadPolicies> =>
    loadPolicies(policySource(paths, environment), { workloads, own: [], simulatedUrl: SIMULATED_URL, environment, boundaries });
  const { resources } = compileFor([]);
  const { compiled, findings } = compileFor(representatives(resources));
  const errors = findings.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new StartError(`The resources have errors:\n${errors.map(formatFinding).join('\n')}`, 'Mend them first.');
  const snapshots = [...compiled.snapshots.values()];
  const uses = usesOf(snapshots);
  const settings = {
    processorSocket: MESH_SOCKET.file,
    headersRead: headersReadBy(snapshots),
    placeholderKey: PLACEHOLDER_KEY,
    maxRequestBytes: MAX_REQUEST_BYTES,
    messageTimeoutMs: MESSAGE_TIMEOUT_MS,
    endsAnswers: snapshots.some(cutsStreams),
  };
  const { objects, notes } = mesh.render({ uses, settings });
  const documents = pods ? uses.map((use) => podsComponent(mesh, use)) : objects;
  for (const document of documents) terminal.out(`---\n${stringify(document, { lineWidth: 0 })}`);
  if (!pods && mesh.kinds.length === 0)
    terminal.err(`${mesh.title} takes nothing of ours: our own Envoy runs beside its proxy. Pods need what --pods prints.\n`);
  for (const { resource, message } of notes) terminal.err(`${resource} ${message}.\n`);
  return notes.length === 0 ? EXIT.ok : EXIT.finding;
}

/** One workload for each that a route names, and one of its namespace for those that it selects otherwise. */
function representatives(resources: readonly Resource[]): Parameters<typeof loadPolicies>[1]['workloads'] {
  return resources
    .filter((resource): resource is AIRoute => resource.kind === 'AIRoute')
    .flatMap(({ metadata, spec }) => {
      const { namespace, name } = metadata;
      const named = (spec.workloads ?? []).filter((workload) => workload !== '*').map((workload) => workload.split('/', 2));
      const [first] = named;
      if (first !== undefined) return named.map(([one = '', other]) => (other === undefined ? { namespace, name: one } : { namespace: one, name: other }));
      return [{ namespace, name: `selected-by-${name}`, labels: spec.workloadSelector?.matchLabels ?? {} }];
    });
}
