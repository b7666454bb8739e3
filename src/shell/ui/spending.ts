import type { LostLease, SpendEntry, SpendTable } from '../spending/index.ts';
import { NOTHING, html } from './html.ts';
import type { Html } from './html.ts';
import { amount, count, money, share } from './figures.ts';

export function sumsSection({ requests, inputTokens, outputTokens, cachedInputTokens, costUsd, costCny, estimatedRequests }: SpendEntry): Html {
  const sum = (name: string, figure: string, more: string): Html =>
    html`<div>
      <dt>${name}</dt>
      <dd>${figure}</dd>
      <small>${more}</small>
    </div>`;
  return html`<section>
    <dl class="sums">
      ${sum('spent', `$${money(costUsd)}`, `¥${money(costCny)}`)}
      ${sum('calls', count(requests), estimatedRequests === 0 ? 'each by its provider’s count' : `${count(estimatedRequests)} settled by an estimate`)}
      ${sum('tokens in', count(inputTokens), `${count(cachedInputTokens)} of them cached`)} ${sum('tokens out', count(outputTokens), '')}
    </dl>
  </section>`;
}

/** More days than a screen has room for are not drawn one by one. */
const MAX_DAYS = 90;

/** A bar for each day on which something was spent, the newest at the right. */
export function daysSection({ rows }: SpendTable): Html {
  const days = rows.toSorted((a, b) => (a.name < b.name ? -1 : 1)).slice(-MAX_DAYS);
  if (days.length < 2) return NOTHING;
  const most = Math.max(...days.map(({ costUsd }) => Number(costUsd)));
  const width = 100 / days.length;
  const bar = ({ name, costUsd, requests }: SpendEntry, index: number): Html => {
    const height = 100 * share(costUsd, most);
    return html`<rect
      class="day"
      x="${(index * width).toFixed(2)}"
      y="${(100 - height).toFixed(2)}"
      width="${(width * 0.8).toFixed(2)}"
      height="${height.toFixed(2)}"
      ><title>${name}: $${money(costUsd)}, ${count(requests)} calls</title></rect
    >`;
  };
  return html`<section>
    <h2>By day</h2>
    <svg class="days" viewBox="0 0 100 100" preserveAspectRatio="none" role="img" aria-label="dollars a day, at most ${money(String(most))}">
      ${days.map(bar)}
    </svg>
    <p class="soft">${days[0]?.name ?? ''} to ${days.at(-1)?.name ?? ''}, at most $${money(String(most))} a day</p>
  </section>`;
}

export function tableSection(title: string, entries: readonly SpendEntry[]): Html {
  if (entries.length === 0) return NOTHING;
  const most = Math.max(...entries.map(({ costUsd }) => Number(costUsd)));
  const rows = entries.toSorted((a, b) => Number(b.costUsd) - Number(a.costUsd) || (a.name < b.name ? -1 : 1));
  const figures = ['calls', 'tokens in', 'tokens out', 'USD', 'CNY'];
  return html`<section>
    <h2>${title}</h2>
    <table>
      <thead>
        <tr>
          <th>name</th>
          ${figures.map((figure) => html`<th class="figure">${figure}</th>`)}
          <th></th>
        </tr>
      </thead>
      <tbody>
        ${rows.map((entry) => rowOf(entry, share(entry.costUsd, most)))}
      </tbody>
    </table>
  </section>`;
}

const rowOf = ({ name, requests, inputTokens, outputTokens, costUsd, costCny, estimatedRequests }: SpendEntry, part: number): Html =>
  html` <tr>
    <td><bdi>${name}</bdi>${estimatedRequests === 0 ? NOTHING : html` <span class="soft">${count(estimatedRequests)} estimated</span>`}</td>
    ${[count(requests), count(inputTokens), count(outputTokens), money(costUsd), money(costCny)].map((figure) => html`<td class="figure">${figure}</td>`)}
    <td>
      <svg class="bar" role="presentation"><rect class="day" width="${(100 * part).toFixed(1)}%" height="100%"></rect></svg>
    </td>
  </tr>`;

/** Processors that were lost with their disks: what their leases had and no record tells. */
export function lostSection(lost: readonly LostLease[]): Html {
  if (lost.length === 0) return NOTHING;
  return html`<section class="told">
    <h2>Charged without a record</h2>
    <table>
      <thead>
        <tr>
          <th>lost with its disk</th>
          <th>budget</th>
          <th>for</th>
          <th class="figure">charged</th>
        </tr>
      </thead>
      <tbody>
        ${lost.map(
          (lease) =>
            html`<tr>
              <td><bdi>${lease.processor}</bdi></td>
              <td><bdi>${lease.budget}</bdi></td>
              <td><bdi>${lease.subject === '' ? 'all' : lease.subject}</bdi></td>
              <td class="figure">${amount(lease.amount, lease.unit)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </section>`;
}
