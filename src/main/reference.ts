import type { Command } from 'commander';
import type { MetricDescription } from '../shell/telemetry/index.ts';
import { EXIT_MEANINGS } from './exit-codes.ts';

const ORIGIN = '<!-- Generated from the program; `npm test -- -u` writes it again. -->';

/** docs/reference/cli.md: every command with its arguments and options, and the exit codes. */
export function commandReference(program: Command): string {
  const help = program.createHelp();
  const describe = (command: Command, depth: number): string[] => [
    `${'#'.repeat(depth)} ${help.commandUsage(command).replace(/ \[options\]/, '')}`,
    '',
    help.commandDescription(command),
    '',
    ...optionTable(
      help
        .visibleOptions(command)
        .filter(({ long }) => long !== '--help')
        .map((option) => [`\`${option.flags}\``, help.optionDescription(option)]),
    ),
    ...help
      .visibleCommands(command)
      .filter((child) => child.name() !== 'help')
      .flatMap((child) => describe(child, depth + 1)),
  ];
  const codes = EXIT_MEANINGS.map(([code, meaning]) => `| ${code} | ${escaped(meaning)} |`);
  return lines([ORIGIN, '', ...describe(program, 1), '## Exit codes', '', '| code | meaning |', '|---|---|', ...codes, '', ...ENVIRONMENT]);
}

const ENVIRONMENT = [
  '## Environment',
  '',
  '| variable | meaning |',
  '|---|---|',
  '| `OPENAI_API_KEY`, `DEEPSEEK_API_KEY`, `HOLYSHEEP_API_KEY` | the providers of `run` and `check` where no paths are given; each with its `…_BASE_URL` |',
  '| `AIRMESH_BUDGET_USD` | a lifetime budget over them |',
  '| `AIRMESH_STATE`, `XDG_STATE_HOME` | where the state folder is, unless `--state` says |',
  '| `AIRMESH_ENVOY` | the Envoy binary, unless `--envoy` says |',
  '| `NO_COLOR`, `FORCE_COLOR` | colours never, or always |',
];

/** docs/reference/metrics.md: ours and the conventions'; those of the process are prom-client's own. */
export function metricReference(metrics: readonly MetricDescription[]): string {
  const own = metrics.filter(({ name }) => name.startsWith('airmesh_') || name.startsWith('gen_ai_'));
  const rows = own.map(({ name, type, labels, help }) => `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(' ')} | ${escaped(help)} |`);
  return lines([
    ORIGIN,
    '',
    '# Metrics',
    '',
    "`/metrics` of the administration address, in Prometheus' text format. `gen_ai_*` follow OpenTelemetry's semantic conventions for generative AI; `airmesh_*` are ours.",
    'A metric keeps a bounded number of label combinations; what comes beyond is counted under `other`, and in `airmesh_series_overflow_total`.',
    '',
    '| name | type | labels | meaning |',
    '|---|---|---|---|',
    ...rows,
    '',
    "Those of the process (`process_*`, `nodejs_*`) are prom-client's default metrics; which there are depends on the platform.",
  ]);
}

function optionTable(rows: readonly (readonly [flags: string, description: string])[]): string[] {
  if (rows.length === 0) return [];
  return ['| option | meaning |', '|---|---|', ...rows.map(([flags, description]) => `| ${flags} | ${escaped(description)} |`), ''];
}

function escaped(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll('<', '&lt;');
}

function lines(parts: readonly string[]): string {
  return `${parts.join('\n').trimEnd()}\n`;
}
