/** The four cases of budgets under load, and what leases cost in messages: over the real service, printed beside LiteLLM's figures. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CASES, caseResources, runAmple, runCase } from '../chaos/fourcases.ts';
import type { Outcome } from '../chaos/fourcases.ts';
import { startService } from '../chaos/service.ts';
import type { Service } from '../chaos/service.ts';

const NUMBERS = [1, 8];
/** Until slices have grown to what is spent, and then so long. */
const [WARM_UP_S, STEADY_S] = [20, 30];

const cell = ({ served, cut, refused, retried, seconds }: Outcome, withoutBudget: number): string => {
  const early = [...refused].filter(([code]) => code !== 'budget_exhausted').map(([code, count]) => `${count} × ${code}`);
  return [`${served} + ${cut} cut`, `${(seconds / withoutBudget).toFixed(2)} ×`, ...early, ...(retried > 0 ? [`${retried} told to come again`] : [])].join(
    ', ',
  );
};

async function cases(service: Service): Promise<void> {
  console.log('\n50 clients at each processor on a strict budget worth 100 calls, answers after 1 s: served, and time over that without a budget\n');
  console.log('| case | LiteLLM 1.106.2, served | Airmesh, 1 processor | Airmesh, 8 processors |');
  console.log('|---|---|---|---|');
  const without = new Map<number, number>();
  for (const processors of NUMBERS) without.set(processors, (await runCase(service, processors, undefined)).seconds);
  for (const [index, { name, liteLlm }] of CASES.entries()) {
    const cells: string[] = [];
    for (const processors of NUMBERS) cells.push(cell(await runCase(service, processors, index), without.get(processors) ?? 0));
    console.log(`| ${name} | ${liteLlm} | ${cells.join(' | ')} |`);
  }
  console.log(`\nWithout a budget: ${[...without].map(([processors, seconds]) => `${seconds.toFixed(1)} s on ${processors}`).join(', ')}`);
}

async function traffic(service: Service): Promise<void> {
  await runAmple(service, WARM_UP_S);
  const { calls, hold, record } = await runAmple(service, STEADY_S);
  const percent = (messages: number): string => `${((messages / calls) * 100).toFixed(2)} %`;
  console.log(
    `Steady state on 8 processors, ${Math.round(calls / STEADY_S)} calls/s: ${percent(hold)} messages of leases, ${percent(record)} of records, for 100 calls`,
  );
}

export async function benchBudgets(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'airmesh-bench-'));
  const store = `sqlite:${join(folder, 'ledger.db')}`;
  const service = await startService({ store, controllers: 1, processors: Math.max(...NUMBERS), resources: (url) => caseResources(url, NUMBERS) });
  try {
    await cases(service);
    await traffic(service);
  } finally {
    await service.stop();
    rmSync(folder, { recursive: true });
  }
}

if (process.argv[1] === import.meta.filename) await benchBudgets();
