import { httpUrl } from '../addresses.ts';
import type { Address } from '../ports.ts';
import type { Paint } from '../terminal/terminal.ts';

/** What a person wants to know when everything runs. */
export interface StartSummary {
  readonly envoyVersion: string;
  readonly listen: Address;
  readonly admin: Address;
  readonly workloads: readonly (Address & { readonly name: string })[];
  readonly source: string;
  readonly providers: readonly { readonly name: string; readonly url: string; readonly simulated: boolean; readonly problem: string | undefined }[];
  readonly budgets: readonly string[];
  /** One that the first listener's workload may call. */
  readonly model: string;
}

export function banner(summary: StartSummary, paint: Paint): string {
  const root = httpUrl(summary.listen);
  const api = `${root}/v1`;
  const lines = [
    '',
    `${paint('bold', 'Airmesh is ready')}  (Envoy ${summary.envoyVersion}, policies from ${summary.source})`,
    '',
    `  API             ${paint('cyan', api)}   any word as the key`,
    ...summary.workloads.map((workload) => `  as ${workload.name.padEnd(12)} ${paint('cyan', `${httpUrl(workload)}/v1`)}`),
    `  administration  ${paint('cyan', httpUrl(summary.admin))}   open it in a browser; /healthz /readyz /metrics /spend /records /config`,
    '',
    ...summary.providers.map(providerLine(paint)),
    ...(summary.budgets.length === 0 ? ['  no budget: nothing limits what is spent'] : summary.budgets.map((budget) => `  budget          ${budget}`)),
    '',
    'Try:',
    `  curl ${api}/chat/completions -H 'content-type: application/json' -d '{"model":"${summary.model}","messages":[{"role":"user","content":"hi"}]}'`,
    `  OPENAI_BASE_URL=${api} OPENAI_API_KEY=any your-program               OpenAI's SDKs, any model`,
    `  ANTHROPIC_BASE_URL=${root} ANTHROPIC_API_KEY=any your-program           Anthropic's, any model`,
    `  GOOGLE_GEMINI_BASE_URL=${root} GEMINI_API_KEY=any your-program          Google's, any model`,
    '  npm run airmesh -- spend',
    ...(summary.providers.every(({ simulated }) => simulated)
      ? ['  OPENAI_API_KEY=sk-… AIRMESH_BUDGET_USD=5 npm start     the real provider, at most five dollars, ever']
      : []),
    '',
    'Ctrl-C stops it when the calls in flight have ended.',
    '',
  ];
  return lines.join('\n');
}

function providerLine(paint: Paint): (provider: StartSummary['providers'][number]) => string {
  return ({ name, url, simulated, problem }) => {
    const state =
      problem !== undefined ? paint('red', `key ${problem}`) : simulated ? paint('yellow', 'simulated: no account, no cost') : paint('green', 'live');
    return `  provider        ${name} at ${url}   ${state}`;
  };
}
