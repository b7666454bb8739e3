import type { Status } from '../../core/control/index.ts';
import { NOTHING, html } from './html.ts';
import type { Html } from './html.ts';
import type { ResourceRow } from './overview.ts';

const CONDITIONS = ['Accepted', 'ResolvedRefs', 'Programmed'] as const;

/** As `kubectl get airmesh` shows them, with what is wrong beneath. */
export function resourcesSection(resources: readonly ResourceRow[]): Html {
  if (resources.length === 0)
    return html`<section>
      <h2>Resources</h2>
      <p class="soft">There is no AIProvider, AIRoute or AIBudget yet.</p>
    </section>`;
  const rows = resources.toSorted((a, b) => keyOf(a).localeCompare(keyOf(b), 'en'));
  return html`<section>
    <h2>Resources</h2>
    <table>
      <thead>
        <tr>
          <th>kind</th>
          <th>name</th>
          ${CONDITIONS.map((type) => html`<th>${type}</th>`)}
          <th class="figure">sidecars</th>
        </tr>
      </thead>
      <tbody>
        ${rows.map(rowOf)}
      </tbody>
    </table>
  </section>`;
}

const keyOf = ({ kind, id }: ResourceRow): string => `${kind} ${id}`;

function rowOf({ kind, id, status }: ResourceRow): Html {
  return html` <tr>
    <td>${kind}</td>
    <td><bdi>${id}</bdi>${troublesOf(status)}</td>
    ${CONDITIONS.map((type) => cellOf(status, type))}
    <td class="figure">${'sidecars' in status ? (status.sidecars?.summary ?? '') : ''}</td>
  </tr>`;
}

function cellOf({ conditions }: Status, type: string): Html {
  const condition = conditions?.find((each) => each.type === type);
  if (condition === undefined) return html`<td></td>`;
  return condition.status === 'True'
    ? html`<td class="yes">yes</td>`
    : html`<td class="no" title="${condition.message}">${condition.status === 'False' ? condition.reason : 'unknown'}</td>`;
}

/** Where it is wrong, by field, and which sidecars are behind. */
function troublesOf(status: Status): Html {
  const findings = (status.findings ?? []).map(
    ({ severity, path, message }) => html`<br /><span class="${severity === 'error' ? 'no' : 'soft'}">${path}: ${message}</span>`,
  );
  const behind = 'sidecars' in status ? (status.sidecars?.behind ?? []) : [];
  const late = behind.map(({ pod, reason, message }) => html`<br /><span class="soft">${pod}: ${reason}${message === undefined ? '' : ` (${message})`}</span>`);
  return findings.length + late.length === 0 ? NOTHING : html`${findings}${late}`;
}
