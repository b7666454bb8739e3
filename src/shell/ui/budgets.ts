import type { BudgetReport } from '../spending/index.ts';
import { amount, share, timeOf } from './figures.ts';
import { NOTHING, html } from './html.ts';
import type { Html } from './html.ts';

const NEAR = 0.7;
const FULL = 0.9;

export function budgetsSection(budgets: readonly BudgetReport[]): Html {
  if (budgets.length === 0) return NOTHING;
  // Those that are nearest to their end first.
  const rows = budgets.toSorted((a, b) => spentOf(b) - spentOf(a) || (a.budget < b.budget ? -1 : 1));
  const figures = ['spent', 'held', 'free', 'limit'];
  return html`<section>
    <h2>Budgets</h2>
    <table>
      <thead>
        <tr>
          <th>budget</th>
          <th>for</th>
          <th></th>
          ${figures.map((figure) => html`<th class="figure">${figure}</th>`)}
          <th>until</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(rowOf)}
      </tbody>
    </table>
  </section>`;
}

const spentOf = ({ posted, limit }: BudgetReport): number => share(posted, Number(limit));

function rowOf(report: BudgetReport): Html {
  const { budget, subject, unit, mode, posted, pending, free, limit, windowEnd } = report;
  return html` <tr>
    <td><bdi>${budget}</bdi> <span class="soft">${mode}</span></td>
    <td><bdi>${subject === '' ? 'all' : subject}</bdi></td>
    <td>${barOf(report)}</td>
    ${[posted, pending, free, limit].map((figure) => html`<td class="figure">${amount(figure, unit)}</td>`)}
    <td>${windowEnd === null ? 'no end' : timeOf(windowEnd)}</td>
  </tr>`;
}

function barOf(report: BudgetReport): Html {
  const spent = spentOf(report);
  const held = Math.min(1 - spent, share(report.pending, Number(report.limit)));
  const kind = spent > FULL ? 'full' : spent > NEAR ? 'near' : '';
  const percent = (part: number): string => `${(100 * part).toFixed(1)}%`;
  return html`<svg class="bar" role="img" aria-label="${percent(spent)} spent">
    <rect class="ground" width="100%" height="100%"></rect>
    <rect class="posted ${kind}" width="${percent(spent)}" height="100%"></rect>
    <rect class="pending" x="${percent(spent)}" width="${percent(held)}" height="100%"></rect>
  </svg>`;
}
