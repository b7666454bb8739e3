import { existsSync } from 'node:fs';
import { Argument, Option } from 'commander';
import type { Command } from 'commander';
import { SPEND_GROUPINGS } from '../core/call/index.ts';
import { LOG_LEVELS } from '../shell/telemetry/index.ts';
import {
  parseAddress,
  parseAdminUrl,
  parseDays,
  parseHeader,
  parseHosts,
  parseLedger,
  parseListen,
  parseNames,
  parseNetworks,
  parseTime,
  parseWorkload,
} from './addresses.ts';
import type { ClusterFlags, ExplainClusterFlags } from './commands/cluster.ts';
import type { ExplainFlags } from './commands/policies.ts';
import { addBesideCommands } from './commands/beside.ts';
import { addInitCommand } from './commands/init.ts';
import type { ControllerFlags } from './commands/controller.ts';
import type { GatewayFlags } from './commands/gateway.ts';
import type { RecordsFlags } from './commands/records.ts';
import type { RenderFlags } from './commands/render.ts';
import type { InstallFlags } from './commands/install.ts';
import type { RunFlags } from './commands/run.ts';
import type { SimulateFlags } from './commands/simulate.ts';
import type { SpendFlags } from './commands/spend.ts';
import { EXIT } from './exit-codes.ts';
import { SIDECAR_PATHS } from '../core/control/index.ts';
import { MESHES } from '../core/meshes/index.ts';
import type { MeshName } from '../core/meshes/index.ts';
import { defaultStateFolder } from './state-folder.ts';
import { concurrencyOption, rootCommand } from './root.ts';
import { StartError } from './start-error.ts';
import type { Terminal } from './terminal/terminal.ts';
import { VERSION } from './version.ts';

/**
 * Every command and option. `finish` is told the exit code; what a person can mend is thrown as a StartError. Each command's own
 * modules are loaded when it is run: a sidecar need not hold an API server's client, nor wait for it.
 */
export function createProgram(terminal: Terminal, finish: (code: number) => void): Command {
  const airmesh = rootCommand(terminal);
  const rootNamespace = (): Option => new Option('--root-namespace <name>', 'the controllers’ own').default('airmesh-system');
  const state = (): Option =>
    new Option('--state <folder>', 'where budgets and records are kept').default(defaultStateFolder(terminal.environment), 'the user’s state folder');
  const books = (): Option =>
    new Option('--admin <url>', 'administration of the controller or server; without it, http://127.0.0.1:4001, else the books in the state folder').argParser(
      parseAdminUrl,
    );
  const since = (): Option => new Option('--since <time>', 'only since then, sums by whole days (UTC), such as 2026-01-31').argParser(parseTime);
  const until = (): Option => new Option('--until <time>', 'only before then').argParser(parseTime);

  airmesh
    .command('run [paths...]')
    .description('run a real Envoy governed by resources from files or folders; without any, by the keys in the environment, else by examples/quickstart')
    .addOption(new Option('--listen <address>', 'where callers connect').default(parseAddress('4000'), '127.0.0.1:4000').argParser(parseAddress))
    .addOption(new Option('--admin <address>', 'administration').default(parseAddress('4001'), '127.0.0.1:4001').argParser(parseAddress))
    .addOption(new Option('--workload <name=address>', 'another workload with a listener of its own; repeat').default([], 'none').argParser(parseWorkload))
    .addOption(state())
    .option('--envoy <path>', 'the Envoy binary to run')
    .option('--envoy-version <version>', 'install and run this version')
    .addOption(concurrencyOption())
    .addOption(new Option('--ledger <addresses>', 'the ledger service that shares budgets with other processes; repeat').argParser(parseLedger))
    .option('--ledger-ca <file>', 'who issues its certificate, in PEM')
    .option('--ledger-cert <file>', 'the certificate by which it knows this process')
    .option('--ledger-key <file>', 'the key of that')
    .option('--intercept', 'run the command after `--` in a network of its own, its calls taken in as in a cluster: no key, no base URL', false)
    .addOption(new Option('--log-level <level>', 'what is logged').choices(LOG_LEVELS).default('info'))
    .addOption(new Option('--log-format <format>', 'for people or for machines').choices(['pretty', 'json']))
    .action(async (operands: string[], flags: RunFlags, self: Command) => {
      const { paths, command } = flags.intercept ? parted(operands, airmesh) : { paths: operands, command: [] };
      // What is logged would stand between the program's own words.
      const isQuiet = flags.intercept && self.getOptionValueSource('logLevel') === 'default';
      finish(await (await import('./commands/run.ts')).run(paths, command, isQuiet ? { ...flags, logLevel: 'warn' } : flags, terminal));
    });

  airmesh
    .command('gateway [paths...]')
    .description(
      'run a real Envoy for callers without sidecars, who prove by a service-account token or a certificate whose each call is; by files, or by controllers',
    )
    .addOption(
      new Option('--controller <addresses>', 'controllers that give the policies of those who call, and keep the ledger; repeat').argParser(parseLedger),
    )
    .option('--controller-ca <file>', 'who issues their certificates, in PEM; followed')
    .option('--token <file>', 'of the service account that proves who this is, for the audience airmesh', SIDECAR_PATHS.token)
    .addOption(new Option('--listen <address>', 'where callers connect').default(parseAddress('0.0.0.0:4000'), '0.0.0.0:4000').argParser(parseAddress))
    .addOption(new Option('--admin <address>', 'administration').default(parseAddress('4001'), '127.0.0.1:4001').argParser(parseAddress))
    .option('--tls-cert <file>', 'its certificate, in PEM; plain text without it')
    .option('--tls-key <file>', 'the key of that')
    .option('--client-ca <file>', 'who issues certificates that callers may show instead of a token')
    .option('--trust-domain <name...>', 'of those certificates’ names, spiffe://<name>/ns/…/sa/…', [])
    .addOption(state())
    .option('--envoy <path>', 'the Envoy binary to run')
    .option('--envoy-version <version>', 'install and run this version')
    .addOption(new Option('--ledger <addresses>', 'the ledger service that shares budgets with other processes; repeat').argParser(parseLedger))
    .option('--ledger-ca <file>', 'who issues its certificate, in PEM')
    .option('--ledger-cert <file>', 'the certificate by which it knows this process')
    .option('--ledger-key <file>', 'the key of that')
    .addOption(new Option('--log-level <level>', 'what is logged').choices(LOG_LEVELS).default('info'))
    .addOption(new Option('--log-format <format>', 'for people or for machines').choices(['pretty', 'json']))
    .action(async (paths: string[], flags: GatewayFlags) => finish(await (await import('./commands/gateway.ts')).gateway(paths, flags, terminal)));

  airmesh
    .command('controller [paths...]')
    .description('govern a cluster (--kubernetes), or run the ledger service alone: budgets of these resources, shared by all processors that connect')
    .option('--kubernetes', 'policies of the cluster around this pod, or that KUBECONFIG names', false)
    .option('--root-namespace <name>', 'its own namespace, whose resources may select workloads of all; by default the one that it runs in')
    .addOption(new Option('--namespaces <names>', 'govern these alone, besides its own; separated by commas').argParser(parseNames))
    .option('--lease <name>', 'of the Lease by which several controllers elect who writes statuses', 'airmesh')
    .option('--authorities <name>', 'what the names of the Secrets begin with that keep the mesh’s certificate authorities', 'airmesh-authorities')
    .option('--views <name>', 'the ConfigMap by which controllers tell each other what sidecars say', 'airmesh-views')
    .option('--service <name>', 'the Service by which sidecars reach it', 'airmesh')
    .option(
      '--tls-folder <folder>',
      'in a cluster, where its certificate is mounted as cert-manager writes it (tls.crt, tls.key, ca.crt); by default it makes its own',
    )
    .option('--injector <file>', 'inject sidecars into pods, by these settings, which the chart writes; API servers ask at port 9443')
    .addOption(
      new Option('--egress <mode>', 'take in pods’ connections to providers; what else they call passes (Open), or only what is declared (Enforced)').choices([
        'Open',
        'Enforced',
      ]),
    )
    .addOption(new Option('--pass-hosts <hosts>', 'hosts that pass untouched; separated by commas').default([], 'none').argParser(parseHosts))
    .addOption(new Option('--refuse-hosts <hosts>', 'hosts that are refused; separated by commas').default([], 'none').argParser(parseHosts))
    .addOption(
      new Option('--web-socket-hosts <hosts>', 'intercepted hosts whose WebSockets pass, ungoverned; separated by commas')
        .default([], 'none')
        .argParser(parseHosts),
    )
    .addOption(
      new Option('--networks <networks>', 'the cluster’s own addresses, which are reached where egress is enforced; CIDR, separated by commas')
        .default([], 'those that are private by standard')
        .argParser(parseNetworks),
    )
    .option('--cluster-domain <name>', 'behind .svc in the names of the cluster’s services', 'cluster.local')
    .addOption(
      new Option('--mesh <name>', 'whose sidecars are in the same pods: inject and keep applied what they need; docs/meshes.md').choices(Object.keys(MESHES)),
    )
    .option('--gateway <service-account>', 'in the root namespace: who runs as it may be given policies of those who call by it; docs/gateway.md')
    .option('--roots <name>', 'the ConfigMap by which gateways know controllers’ certificates')
    .option('--simulated-url <url>', 'a simulated provider in the cluster, for AIProviders of type Simulated that name none')
    .addOption(
      new Option('--listen <address>', 'where processors connect: an address, or unix:/path')
        .default(parseListen('15010'), '127.0.0.1:15010')
        .argParser(parseListen),
    )
    .addOption(new Option('--admin <address>', 'administration').default(parseAddress('15012'), '127.0.0.1:15012').argParser(parseAddress))
    .addOption(
      new Option('--store <url>', 'where the ledger is kept: sqlite:/folder/ledger.db, postgres://user@host/database, memory:')
        .env('AIRMESH_STORE')
        .makeOptionMandatory(),
    )
    .addOption(new Option('--retention <days>', 'how long records are kept; sums are for ever').default(90).argParser(parseDays))
    .option('--tls-cert <file>', 'its certificate, in PEM')
    .option('--tls-key <file>', 'the key of that')
    .option('--client-ca <file>', 'who issues processors’ certificates')
    .option('--trust-domain <name>', 'of processors’ names, spiffe://<name>/…; any, if none is said')
    .addOption(new Option('--log-level <level>', 'what is logged').choices(LOG_LEVELS).default('info'))
    .addOption(new Option('--log-format <format>', 'for people or for machines').choices(['pretty', 'json']))
    .action(async (paths: string[], flags: ControllerFlags) => finish(await (await import('./commands/controller.ts')).controller(paths, flags, terminal)));

  addBesideCommands(airmesh, terminal, finish);

  airmesh
    .command('spend')
    .description('who spent what, in dollars and yuan, and where each budget stands')
    .addOption(books())
    .addOption(state())
    .addOption(since())
    .addOption(until())
    .addOption(new Option('--by <what>', 'one table').choices(SPEND_GROUPINGS))
    .addOption(new Option('--format <format>', 'for people, machines or spreadsheets').choices(['table', 'json', 'csv']))
    .option('--watch', 'again each second', false)
    .option('--json', 'as --format json', false)
    .action(async (flags: SpendFlags) => finish(await (await import('./commands/spend.ts')).spend(flags, terminal)));

  airmesh
    .command('records')
    .description('a record of each call, those first that ended first')
    .addOption(books())
    .addOption(state())
    .addOption(since())
    .addOption(until())
    .addOption(new Option('--format <format>', 'for spreadsheets, or an object on each line').choices(['csv', 'jsonl']).default('csv'))
    .action(async (flags: RecordsFlags) => finish(await (await import('./commands/records.ts')).records(flags, terminal)));

  airmesh
    .command('validate <paths...>')
    .description('check resources without running them')
    .option('--json', 'for machines', false)
    .action(async (paths: string[], flags: { json: boolean }) => finish((await import('./commands/policies.ts')).validate(paths, flags.json, terminal)));

  airmesh
    .command('explain <paths...>')
    .description('which rule, provider, budgets and limits a call would meet, and why: by files, or of deploy/NAME and its like in a cluster')
    .option('--workload <name>', 'who calls, by files', 'default')
    .option('-n, --namespace <name>', 'of the workload in a cluster; by default that of the context')
    .addOption(rootNamespace())
    .requiredOption('--model <name>', 'the model that is asked for')
    .option('--path <path>', 'the endpoint below /v1', '/chat/completions')
    .addOption(new Option('--header <name=value>', 'a header of the call; repeat').default(new Map(), 'none').argParser(parseHeader))
    .option('--json', 'for machines', false)
    .action(async (paths: string[], flags: ExplainFlags & ExplainClusterFlags) => {
      const [first = ''] = paths;
      const cluster = paths.length === 1 && !existsSync(first) ? await import('./commands/cluster.ts') : undefined;
      const owner = cluster?.ownerOf(first);
      if (cluster !== undefined && owner !== undefined) finish(await cluster.explainInCluster(owner, flags, terminal));
      else finish((await import('./commands/policies.ts')).explain(paths, flags, terminal));
    });

  airmesh
    .command('render')
    .description('what a mesh that people already run needs, as YAML: docs/meshes.md')
    .addArgument(new Argument('<mesh>', 'which').choices(Object.keys(MESHES)))
    .argument('<paths...>', 'files or folders of resources')
    .option('--pods', 'a kustomize component for the pods, instead of what is applied', false)
    .option('--root-namespace <name>', 'the controller’s own namespace', 'airmesh-system')
    .action(async (mesh: MeshName, paths: string[], flags: RenderFlags) => finish((await import('./commands/render.ts')).render(mesh, paths, flags, terminal)));

  airmesh
    .command('check [paths...]')
    .description('ask each provider whether it accepts its key; or, with --kubernetes, say what is wrong with a cluster and what mends it')
    .option('--kubernetes', 'the cluster that KUBECONFIG names', false)
    .addOption(rootNamespace())
    .option('--json', 'for machines', false)
    .action(async (paths: string[], flags: ClusterFlags & { readonly kubernetes: boolean }) => {
      if (flags.kubernetes && paths.length > 0)
        throw new StartError('Files and a cluster are checked one after the other.', 'Leave out the paths, or --kubernetes.');
      if (flags.kubernetes) finish(await (await import('./commands/cluster.ts')).checkCluster(flags, terminal));
      else finish(await (await import('./commands/policies.ts')).check(paths, flags.json, terminal));
    });

  airmesh
    .command('install')
    .description('install or upgrade this version in the cluster that KUBECONFIG names, by Helm; docs/install.md')
    .option('--release <name>', 'of Helm', 'airmesh')
    .option('-n, --namespace <name>', 'of the controllers', 'airmesh-system')
    .option('-f, --values <file...>', 'values of the chart, in YAML', [])
    .option('--set <name=value...>', 'single values', [])
    .option('--chart <folder>', 'another chart than that of this version')
    .option('--dry-run', 'show what would be made, and change nothing', false)
    .option('--json', 'with --dry-run, for machines', false)
    .action(async (flags: InstallFlags) => finish(await (await import('./commands/install.ts')).install(flags, terminal)));

  airmesh
    .command('status')
    .description('how the providers, routes and budgets of a cluster stand')
    .addOption(rootNamespace())
    .option('--json', 'for machines', false)
    .action(async (flags: ClusterFlags) => finish(await (await import('./commands/cluster.ts')).clusterStatus(flags, terminal)));

  airmesh
    .command('simulate')
    .description('run the simulated provider by itself: docs/simulator.md')
    .addOption(new Option('--listen <address>', 'where it listens').default(parseAddress('4010'), '127.0.0.1:4010').argParser(parseAddress))
    .option('--key <key...>', 'keys that it takes; any, where none is named')
    .action(async (flags: SimulateFlags) => finish(await (await import('./commands/simulate.ts')).simulate(flags, terminal)));

  addInitCommand(airmesh, terminal, finish);

  airmesh
    .command('version')
    .description('the versions of Airmesh and of the Node that runs it')
    .option('--json', 'for machines', false)
    .action(({ json }: { json: boolean }) => {
      terminal.out(json ? `${JSON.stringify({ airmesh: VERSION, node: process.version })}\n` : `airmesh ${VERSION} on Node ${process.version}\n`);
      finish(EXIT.ok);
    });

  const ledger = airmesh.command('ledger').description('the ledger in the state folder');
  ledger
    .command('accept-loss')
    .description('go on after damage: what was lost counts as not spent')
    .addOption(state())
    .action(async (flags: { state: string }) => {
      const { acceptLoss } = await import('../shell/budgets/index.ts');
      const loss = acceptLoss(flags.state);
      terminal.out(loss === undefined ? 'Nothing was lost.\n' : `Accepted: ${loss}\nRestart Airmesh to go on.\n`);
      finish(EXIT.ok);
    });
  return airmesh;
}

/** What stands before `--` and what stands after it; the library has both in one list. */
function parted(operands: readonly string[], program: Command): { readonly paths: readonly string[]; readonly command: readonly string[] } {
  const { rawArgs } = program as Command & { readonly rawArgs: readonly string[] };
  const at = rawArgs.indexOf('--');
  const command = at < 0 ? [] : rawArgs.slice(at + 1);
  return { paths: operands.slice(0, operands.length - command.length), command };
}
