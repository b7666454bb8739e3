import { explain as explainCall } from '../../core/policy/index.ts';
import type { Workload } from '../../core/policy/index.ts';
import { checkProvider } from '../../shell/check/index.ts';
import { KeyStore } from '../../shell/keys/index.ts';
import { formatFinding } from '../../shell/resources/index.ts';
import { EXIT } from '../exit-codes.ts';
import { SIMULATED_URL, loadPolicies, policySource } from '../mesh/policies.ts';
import type { LoadedPolicies } from '../mesh/policies.ts';
import { StartError } from '../start-error.ts';
import { painter } from '../terminal/terminal.ts';
import type { Terminal } from '../terminal/terminal.ts';

const CHECK_TIMEOUT_MS = 15_000;

function policiesFor(paths: readonly string[], names: readonly string[], environment: NodeJS.ProcessEnv): LoadedPolicies {
  const workloads: Workload[] = names.map((name) => {
    const [namespace = 'default', own] = name.includes('/') ? name.split('/', 2) : ['default', name];
    return { namespace, name: own ?? name };
  });
  return loadPolicies(policySource(paths, environment), { workloads, own: [], simulatedUrl: SIMULATED_URL, environment });
}

/** Reports every finding with its place. */
export function validate(paths: readonly string[], json: boolean, terminal: Terminal): number {
  const { findings, resources } = policiesFor(paths, ['default'], terminal.environment);
  const relevant = findings.filter(({ message }) => !message.startsWith('selects no workload'));
  const errors = relevant.filter(({ severity }) => severity === 'error').length;
  if (json) terminal.out(`${JSON.stringify({ resources: resources.length, findings: relevant }, undefined, 2)}\n`);
  else {
    const paint = painter(terminal.colour);
    for (const finding of relevant) terminal.out(`${formatFinding(finding)}\n`);
    terminal.out(
      errors === 0 ? paint('green', `${resources.length} resources are in order.\n`) : paint('red', `${errors} ${errors === 1 ? 'error' : 'errors'}.\n`),
    );
  }
  return errors === 0 ? EXIT.ok : EXIT.finding;
}

export interface ExplainFlags {
  readonly workload: string;
  readonly model: string;
  readonly path: string;
  readonly header: ReadonlyMap<string, string>;
  readonly json: boolean;
}

/** Which rule, provider, budgets and limits a call would meet, and why. */
export function explain(paths: readonly string[], flags: ExplainFlags, terminal: Terminal): number {
  const policies = policiesFor(paths, [flags.workload], terminal.environment);
  const errors = policies.findings.filter(({ severity }) => severity === 'error');
  if (errors.length > 0) throw new StartError(`The resources have errors:\n${errors.map(formatFinding).join('\n')}`, 'Mend them first.');
  const snapshot = [...policies.compiled.snapshots.values()][0];
  if (snapshot === undefined) throw new StartError('There is no such workload.', 'Name one with --workload.');
  const explanation = explainCall(snapshot, { model: flags.model, path: flags.path.replace(/^\/v1(?:alpha|beta)?(?=\/)/, ''), headers: flags.header });
  const shown = (_key: string, value: unknown): unknown => (typeof value === 'bigint' ? String(value) : value);
  terminal.out(flags.json ? `${JSON.stringify(explanation, shown, 2)}\n` : `${explanation.steps.join('\n')}\n`);
  return explanation.outcome === 'allowed' ? EXIT.ok : EXIT.finding;
}

/** Asks each provider whether it accepts its key, by its models list. */
export async function check(paths: readonly string[], json: boolean, terminal: Terminal): Promise<number> {
  const policies = policiesFor(paths, ['default'], terminal.environment);
  const keys = new KeyStore(terminal.environment, () => performance.now());
  keys.configure(new Map([...policies.compiled.providers].flatMap(([id, { key }]) => (key === undefined ? [] : [[id, key] as const]))));
  const paint = painter(terminal.colour);
  const results: object[] = [];
  let problems = policies.findings.filter(({ severity }) => severity === 'error').length;
  if (!json) for (const finding of policies.findings) terminal.out(`${formatFinding(finding)}\n`);
  for (const [id, { policy }] of policies.compiled.providers) {
    if (policy.type === 'Simulated') {
      results.push({ provider: id, outcome: 'simulated' });
      if (!json) terminal.out(`${id}: ${paint('yellow', 'simulated')}, nothing to check\n`);
      continue;
    }
    const unusable = keys.health().find(({ ref, usable }) => ref === id && !usable);
    const { tls, host, port, basePath } = policy.baseUrl;
    const baseUrl = `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${port}${basePath}`;
    const outcome =
      unusable === undefined
        ? await checkProvider({
            baseUrl,
            back: policy.back,
            apiVersion: policy.apiVersion,
            caCertificates: policy.caCertificates,
            key: policy.key === undefined ? undefined : keys.get(policy.key),
            timeoutMs: CHECK_TIMEOUT_MS,
          })
        : ({ kind: 'problem', code: 'key_unreadable', message: `the key ${unusable.reason ?? 'cannot be used'}`, hint: 'Mend auth.apiKey.' } as const);
    results.push({ provider: id, outcome });
    if (outcome.kind === 'problem') problems++;
    if (json) continue;
    if (outcome.kind === 'accepted')
      terminal.out(
        `${id}: ${paint('green', 'key accepted')} in ${outcome.durationMs} ms${outcome.models === undefined ? '' : `, ${outcome.models.length} models`}\n`,
      );
    else terminal.out(`${id}: ${paint('red', outcome.message)}\n  ${outcome.hint}\n`);
  }
  if (json) terminal.out(`${JSON.stringify({ providers: results, findings: policies.findings }, undefined, 2)}\n`);
  return problems === 0 ? EXIT.ok : EXIT.finding;
}
