import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import { EXIT } from '../exit-codes.ts';
import { StartError } from '../start-error.ts';
import { table } from '../terminal/table.ts';
import { painter } from '../terminal/terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';

/** The chart of this very version. */
const CHART = fileURLToPath(new URL('../../../charts/airmesh', import.meta.url));

export interface InstallFlags {
  readonly release: string;
  readonly namespace: string;
  readonly values: readonly string[];
  readonly set: readonly string[];
  readonly chart: string | undefined;
  readonly dryRun: boolean;
  readonly json: boolean;
}

/** What is made or changed in the cluster. */
export interface Planned {
  readonly kind: string;
  /** Absent for what belongs to the cluster as a whole. */
  readonly namespace?: string;
  readonly name: string;
}

/** By Helm, into the cluster that KUBECONFIG names: installs, or upgrades what is there. `--dry-run` renders it against that cluster, and changes nothing. */
export async function install(flags: InstallFlags, terminal: Terminal): Promise<number> {
  if (!flags.dryRun) {
    const code = await helm(helmArguments(flags), terminal, 'inherit');
    if (code.status !== 0)
      throw new StartError('Helm did not install it.', 'What it wrote above says why; `airmesh check --kubernetes` says what is in its way.');
    terminal.out(nextSteps(flags));
    return EXIT.ok;
  }
  const { status, out, err } = await helm(helmArguments(flags), terminal, 'pipe');
  if (status !== 0) throw new StartError(`It could not be installed: ${err.trim() || 'Helm does not say why'}`, 'Mend it; nothing was changed.');
  const planned = plannedIn((JSON.parse(out) as { readonly manifest: string }).manifest);
  if (flags.json) terminal.out(`${JSON.stringify({ planned })}\n`);
  else terminal.out(`${tableOf(planned, terminal)}\nThis is what Helm would apply; nothing was changed. Without --dry-run it is installed.\n`);
  return EXIT.ok;
}

export function helmArguments({ release, namespace, values, set, chart = CHART, dryRun }: InstallFlags): string[] {
  return ['upgrade', '--install', release, chart, '--namespace', namespace].concat(
    values.flatMap((file) => ['--values', file]),
    set.flatMap((value) => ['--set', value]),
    dryRun ? ['--dry-run=server', '--output', 'json'] : ['--create-namespace', '--wait'],
  );
}

/** The objects of a chart's manifest, in the order in which they are made. */
export function plannedIn(manifest: string): Planned[] {
  return parseAllDocuments(manifest).flatMap((document): Planned[] => {
    const object = document.toJS() as { readonly kind: string; readonly metadata: Omit<Planned, 'kind'> } | null;
    if (object === null) return [];
    const { name, namespace } = object.metadata;
    return [{ kind: object.kind, ...(namespace === undefined ? {} : { namespace }), name }];
  });
}

function tableOf(planned: readonly Planned[], terminal: Terminal): string {
  const paint = painter(terminal.colour);
  const rows = planned.map(({ kind, namespace = '', name }) => [kind, namespace, name]);
  return table([{ title: 'kind' }, { title: 'namespace' }, { title: 'name' }], rows, (title) => paint('bold', title));
}

const nextSteps = ({ namespace }: InstallFlags): string => `
Airmesh runs in ${namespace}. Next:
  kubectl label namespace NAMESPACE airmesh.dev/inject=enabled    pods that are created there get a sidecar
  kubectl apply -f examples/kubernetes/                           providers, routes and budgets
  airmesh check --kubernetes                                      what is wrong, and what mends it
`;

interface Ended {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

async function helm(args: readonly string[], terminal: Terminal, output: 'inherit' | 'pipe'): Promise<Ended> {
  const child = spawn('helm', args, { env: terminal.environment, stdio: ['ignore', output, output] });
  const [out, err, status] = await Promise.all([
    child.stdout === null ? '' : text(child.stdout),
    child.stderr === null ? '' : text(child.stderr),
    once(child, 'close').then(
      ([code]) => Number(code ?? EXIT.internal),
      (error: unknown) => {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        throw new StartError('There is no helm on the path.', 'Install Helm, or apply deploy/manifests/airmesh.yaml with kubectl.', { cause: error });
      },
    ),
  ]);
  return { status, out, err };
}
