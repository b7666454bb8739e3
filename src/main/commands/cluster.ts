import { diagnose, ownerName, workloadsOf } from '../../core/control/index.ts';
import type { Diagnosis, Observed, Sight } from '../../core/control/index.ts';
import { compile, explain as explainCall, workloadId } from '../../core/policy/index.ts';
import type { KnownWorkload } from '../../core/policy/index.ts';
import { knownModels } from '../../shell/prices/index.ts';
import { readCertificates } from '../../shell/trust/index.ts';
import { systemClock } from '../mesh/clock.ts';
import { messageOf } from '../mesh/message-of.ts';
import { EXIT } from '../exit-codes.ts';
import { StartError } from '../start-error.ts';
import { printable, table } from '../terminal/table.ts';
import { painter } from '../terminal/terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { VERSION } from '../version.ts';

export interface ClusterFlags {
  readonly rootNamespace: string;
  readonly json: boolean;
}

const DEFAULT_NAMESPACE = 'default';

interface Seen {
  readonly sight: Sight;
  /** Of the context. */
  readonly namespace: string;
}

/** Throws a StartError where there is no cluster, or nobody answers. */
async function seeCluster({ rootNamespace }: ClusterFlags, terminal: Terminal, namespace?: string): Promise<Seen> {
  // Only here: the client of Kubernetes takes seconds to load.
  const { ApiUnreachable, look, openCluster } = await import('../../shell/kube/index.ts');
  const opened = openCluster(terminal.environment);
  if (!opened.ok) throw new StartError(`There is no cluster: ${opened.error}.`, 'Name a kubeconfig with KUBECONFIG.');
  const { api, address } = opened.value;
  const own = namespace ?? opened.value.namespace ?? DEFAULT_NAMESPACE;
  try {
    return { sight: await look(api, { rootNamespace, program: VERSION, now: systemClock.epochMs(), namespace: own }), namespace: own };
  } catch (error) {
    if (error instanceof ApiUnreachable)
      throw new StartError(`The API server ${address} does not answer: ${messageOf(error)}.`, 'Look whether kubectl reaches it.');
    throw error;
  } finally {
    api.close();
  }
}

/** What is wrong with a cluster, and what mends it. */
export async function checkCluster(flags: ClusterFlags, terminal: Terminal): Promise<number> {
  const { sight } = await seeCluster(flags, terminal);
  const found = diagnose(sight);
  if (flags.json) terminal.out(`${JSON.stringify({ diagnoses: found }, undefined, 2)}\n`);
  else
    terminal.out(
      found.length === 0 ? painter(terminal.colour)('green', 'The cluster is in order.\n') : found.map((one) => shownDiagnosis(one, terminal)).join(''),
    );
  return found.some(({ severity }) => severity === 'error') ? EXIT.finding : EXIT.ok;
}

function shownDiagnosis({ severity, subject, problem, remedy }: Diagnosis, terminal: Terminal): string {
  const paint = painter(terminal.colour);
  const look = severity === 'error' ? 'red' : 'yellow';
  return `${paint(look, severity)} ${paint('bold', printable(subject, 120))} ${printable(problem, 1_000)}\n  ${printable(remedy, 300)}\n`;
}

interface AnyStatus {
  readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason: string }[];
  readonly sidecars?: { readonly summary?: string };
  readonly key?: { readonly state?: string };
  readonly models?: number;
  readonly unit?: string;
  readonly limit?: string;
  readonly posted?: string;
  readonly pending?: string;
  readonly free?: string;
  readonly window?: { readonly name?: string };
}

const statusOf = ({ status }: Observed): AnyStatus => (typeof status === 'object' && status !== null ? (status as AnyStatus) : {});

/** How each resource stands, and whether anything is to be done. */
export async function clusterStatus(flags: ClusterFlags, terminal: Terminal): Promise<number> {
  const { sight } = await seeCluster(flags, terminal);
  const problems = diagnose(sight);
  const isSound = !problems.some(({ severity }) => severity === 'error');
  if (flags.json) {
    const resources = sight.resources.map(({ kind, namespace, name, generation, status }) => ({ kind, namespace, name, generation, status }));
    terminal.out(
      `${JSON.stringify({ controllers: sight.controllers, sidecars: sight.pods.filter(({ isInjected }) => isInjected).length, resources, problems }, undefined, 2)}\n`,
    );
    return isSound ? EXIT.ok : EXIT.finding;
  }
  const paint = painter(terminal.colour);
  const bold = (text: string): string => paint('bold', text);
  const said = (observed: Observed, type: string): string => {
    const found = statusOf(observed).conditions?.find((one) => one.type === type);
    if (found === undefined) return paint('yellow', '?');
    return found.status === 'True'
      ? paint('green', 'True')
      : paint(found.reason === 'NoSidecars' || found.reason === 'Pending' ? 'yellow' : 'red', found.reason);
  };
  const nameOf = ({ namespace, name }: Observed): string => printable(`${namespace}/${name}`);
  const of = (kind: Observed['kind']): Observed[] =>
    sight.resources.filter((observed) => observed.kind === kind).toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  const sections = [
    section('PROVIDER', ['ACCEPTED', 'REFS', 'KEY', 'MODELS', 'SIDECARS'], of('AIProvider'), (observed) => {
      const { key, models, sidecars } = statusOf(observed);
      const state = key?.state ?? '?';
      return [
        said(observed, 'Accepted'),
        said(observed, 'ResolvedRefs'),
        paint(state === 'Good' || state === 'None' ? 'green' : state === 'Untried' ? 'yellow' : 'red', state),
        String(models ?? '?'),
        sidecars?.summary ?? '?',
      ];
    }),
    section('ROUTE', ['ACCEPTED', 'REFS', 'PROGRAMMED', 'SIDECARS'], of('AIRoute'), (observed) => [
      said(observed, 'Accepted'),
      said(observed, 'ResolvedRefs'),
      said(observed, 'Programmed'),
      statusOf(observed).sidecars?.summary ?? '?',
    ]),
    section('BUDGET', ['ACCEPTED', 'PROGRAMMED', 'UNIT', 'LIMIT', 'POSTED', 'PENDING', 'FREE', 'WINDOW'], of('AIBudget'), (observed) => {
      const { unit, limit, posted, pending, free, window } = statusOf(observed);
      return [
        said(observed, 'Accepted'),
        said(observed, 'Programmed'),
        ...[unit, limit, posted, pending, free, window?.name].map((text) => printable(text ?? '?')),
      ];
    }),
  ];
  const { controllers, pods } = sight;
  const running = controllers === undefined ? '?' : controllers === 'absent' ? paint('red', 'none') : `${controllers.ready} of ${controllers.wanted} ready`;
  terminal.out(`Controllers: ${running}. Sidecars: ${pods.filter(({ isInjected, phase }) => isInjected && phase !== 'ended').length}.\n`);
  for (const text of sections) if (text !== '') terminal.out(`\n${text}\n`);
  if (problems.length > 0)
    terminal.out(
      paint(
        'yellow',
        `\n${problems.length} ${problems.length === 1 ? 'thing is' : 'things are'} not as they should be; airmesh check --kubernetes says which, and what mends them.\n`,
      ),
    );
  return isSound ? EXIT.ok : EXIT.finding;

  function section(title: string, columns: readonly string[], rows: readonly Observed[], cells: (observed: Observed) => readonly string[]): string {
    return rows.length === 0
      ? ''
      : table(
          [{ title }, ...columns.map((column) => ({ title: column }))],
          rows.map((observed) => [nameOf(observed), ...cells(observed)]),
          bold,
        );
  }
}

const OWNERS: Readonly<Record<string, RegExp>> = {
  Deployment: /^(?:deploy|deployments?)$/,
  StatefulSet: /^(?:sts|statefulsets?)$/,
  DaemonSet: /^(?:ds|daemonsets?)$/,
  CronJob: /^(?:cj|cronjobs?)$/,
  Job: /^jobs?$/,
  Pod: /^(?:po|pods?)$/,
};

export interface Owner {
  readonly kind: string;
  readonly name: string;
}

/** `deploy/checkout` as kubectl takes it; `undefined` where it is none of those. */
export function ownerOf(text: string): Owner | undefined {
  const [, type = '', name] = /^([a-z]+)\/([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?)$/.exec(text) ?? [];
  const kind = Object.keys(OWNERS).find((one) => OWNERS[one]?.test(type) === true);
  return kind === undefined || name === undefined ? undefined : { kind, name };
}

export interface ExplainClusterFlags extends ClusterFlags {
  readonly namespace?: string;
  readonly model: string;
  readonly path: string;
  readonly header: ReadonlyMap<string, string>;
}

/** Which rule, provider, budgets and limits a call of a workload of the cluster would meet, and why. */
export async function explainInCluster(owner: Owner, flags: ExplainClusterFlags, terminal: Terminal): Promise<number> {
  const { sight, namespace } = await seeCluster(flags, terminal, flags.namespace);
  const workload = workloadOfOwner(owner, namespace, sight);
  const usable = sight.resources.flatMap(({ resource }) => (resource === undefined ? [] : [resource]));
  const { snapshots } = compile(usable, [workload.known], {
    own: [],
    known: knownModels(),
    simulatedUrl: 'http://simulated.invalid/v1',
    readCertificates,
    boundaries: { rootNamespace: flags.rootNamespace, namespaces: sight.namespaces },
  });
  const snapshot = snapshots.get(workloadId(workload.known));
  if (snapshot === undefined) throw new Error(`no snapshot of ${workloadId(workload.known)}`);
  const explanation = explainCall(snapshot, { model: flags.model, path: flags.path.replace(/^\/v1(?:alpha|beta)?(?=\/)/, ''), headers: flags.header });
  const notes = workload.isInjected ? [] : [workload.why];
  const shown = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);
  terminal.out(
    flags.json
      ? `${JSON.stringify({ ...explanation, notes }, shown, 2)}\n`
      : `${[...explanation.steps, ...notes].map((line) => printable(line, 1_000)).join('\n')}\n`,
  );
  return explanation.outcome === 'allowed' ? EXIT.ok : EXIT.finding;
}

/** By its pods, as their labels select policies; one without pods is known by its name alone. */
function workloadOfOwner(
  { name }: Owner,
  namespace: string,
  { pods }: Sight,
): { readonly known: KnownWorkload; readonly isInjected: boolean; readonly why: string } {
  const own = pods.filter((pod) => pod.namespace === namespace && ownerName(pod) === name);
  const [known] = workloadsOf(own);
  const without = own.filter(({ isInjected, phase }) => !isInjected && phase !== 'ended').length;
  return {
    known: known ?? { namespace, name },
    isInjected: known !== undefined && without === 0,
    why:
      known === undefined
        ? `No pod of ${namespace}/${name} was found, so policies that select by labels are left out.`
        : `${without} of its pods have no sidecar, so their calls meet none of this; airmesh check --kubernetes says what mends it.`,
  };
}
