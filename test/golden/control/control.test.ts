/** Control: what a cluster holds, step after step → what each workload is given and what each status says, as it was agreed upon. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { NO_PLAN, changesOf, draftOf, findingsWith, observe, planOf, reachOf, readPod, statusOf } from '../../../src/core/control/index.ts';
import type { ClusterFacts, CustomObject, Plan, SecretAnswer, SidecarState, SidecarView, Status } from '../../../src/core/control/index.ts';
import type { AccountView } from '../../../src/core/ledger/index.ts';
import { SCHEMAS, STATUS_SCHEMAS } from '../../../src/core/policy/index.ts';
import type { Kind } from '../../../src/core/policy/index.ts';
import { checkKey } from '../../../src/shell/keys/index.ts';
import { readCertificates } from '../../../src/shell/trust/index.ts';

const here = import.meta.dirname;
const cases = readdirSync(here).filter((file) => file.endsWith('.in.yaml'));

type Custom = CustomObject & { readonly kind: string };

interface Step {
  readonly says: string;
  readonly at: string;
  /** Created, or put in the place of those of the same kind and name. */
  readonly objects?: readonly Custom[];
  /** `Kind namespace/name` */
  readonly removed?: readonly string[];
  /** Another controller begins, which knows nothing of what was before. */
  readonly restarted?: boolean;
  /** Secrets that may not be read. */
  readonly forbidden?: readonly string[];
  /** `newest` and `previous` stand for the versions that were published last, and before. */
  readonly views?: readonly (Partial<Omit<SidecarView, 'pod'>> & { readonly pod: string; readonly workload: string })[];
  readonly accounts?: Readonly<Record<string, readonly (Partial<Omit<AccountView, 'posted' | 'pending'>> & { readonly posted: string; readonly pending?: string })[]>>;
}

const nameOf = ({ kind, metadata }: Custom): string => `${kind} ${metadata?.namespace === undefined ? '' : `${metadata.namespace}/`}${metadata?.name}`;

/** A cluster on paper. */
class Cluster {
  readonly #objects = new Map<string, Custom>();
  readonly #statuses = new Map<string, Status>();
  #plan: Pick<Plan, 'keys' | 'editions'> & Partial<Plan> = NO_PLAN;
  #views: NonNullable<Step['views']> = [];
  #revision = 0;

  take(step: Step): unknown {
    for (const object of step.objects ?? []) this.#put(object);
    for (const name of step.removed ?? []) expect(this.#objects.delete(name), name).toBe(true);
    this.#views = step.views ?? this.#views;
    if (step.restarted === true) this.#plan = NO_PLAN;
    const at = Date.parse(step.at);
    const settings = {
      rootNamespace: 'airmesh-system',
      known: { openai: [], anthropic: [], google: [], deepseek: [] },
      simulatedUrl: undefined, readCertificates,
      checkKey,
    };
    const facts = this.#facts(step.forbidden ?? []);
    const plan = planOf(facts, draftOf(facts, settings), new Map(), this.#plan, settings, at);
    this.#plan = plan;
    const views = this.#views.map((view) => this.#viewOf(view, plan));
    const situation = {
      ...plan,
      findings: findingsWith(plan, views),
      reach: reachOf(this.#pods(), views, plan.editions),
      views,
      accounts: step.accounts === undefined ? undefined : new Map(Object.entries(step.accounts).map(([id, list]) => [id, list.map((one) => accountOf(id, one, plan))])),
      at,
    };
    const changes: string[] = [];
    const statuses = this.#custom().map(([name, object]) => {
      const observed = observe(object.kind, { ...object, status: this.#statuses.get(name) });
      const status = statusOf(observed, situation);
      for (const { type, reason, note } of changesOf(observed.status, status)) changes.push(`${type} ${name} ${reason}: ${note}`);
      expect(STATUS_SCHEMAS[object.kind].safeParse(status).error?.issues, name).toBeUndefined();
      // Nothing has changed since, so nothing is said anew.
      expect(statusOf({ ...observed, status }, { ...situation, at: at + 60_000 }), name).toEqual(status);
      this.#statuses.set(name, status);
      return [name, written(status)];
    });
    const workloads = plan.workloads.map(({ labels: _labels, ...workload }) => `${workload.namespace}/${workload.name} as ${workload.serviceAccount}`);
    return { step: step.says, workloads, states: Object.fromEntries([...plan.states].map(([id, state]) => [id, shown(state)])), statuses: Object.fromEntries(statuses), changes };
  }

  #put(object: Custom): void {
    const name = nameOf(object);
    const before = this.#objects.get(name);
    this.#revision++;
    const generation = (before?.metadata?.generation ?? 0) + 1;
    this.#objects.set(name, { ...object, metadata: { uid: name, generation, resourceVersion: String(this.#revision), ...object.metadata } });
  }

  #facts(forbidden: readonly string[]): ClusterFacts {
    return {
      resources: this.#custom().map(([, object]) => observe(object.kind, object)),
      namespaces: new Map(
        this.#of('Namespace').map(({ metadata }) => [metadata?.name ?? '', (metadata as { labels?: Record<string, string> } | undefined)?.labels ?? {}]),
      ),
      pods: this.#pods(),
      callers: [],
      secrets: (namespace, name): SecretAnswer => {
        if (forbidden.includes(`${namespace}/${name}`)) return { kind: 'forbidden' };
        const secret = this.#objects.get(`Secret ${namespace}/${name}`) as (Custom & { stringData: Record<string, string> }) | undefined;
        if (secret === undefined) return { kind: 'absent' };
        return { kind: 'found', revision: secret.metadata?.resourceVersion ?? '', data: new Map(Object.entries(secret.stringData)) };
      },
    };
  }

  #pods(): ClusterFacts['pods'] {
    return this.#of('Pod').map((object) => readPod(object as Parameters<typeof readPod>[0]));
  }

  #of(kind: string): Custom[] {
    return [...this.#objects.values()].filter((object) => object.kind === kind);
  }

  #custom(): [string, Custom & { readonly kind: Kind }][] {
    return [...this.#objects].filter((entry): entry is [string, Custom & { readonly kind: Kind }] => Object.hasOwn(SCHEMAS, entry[1].kind));
  }

  #viewOf({ pod, applied, ...view }: NonNullable<Step['views']>[number], plan: Plan): SidecarView {
    const [namespace = '', name = ''] = pod.split('/');
    const newest = plan.states.get(view.workload)?.version ?? '';
    const previous = plan.editions.get(view.workload)?.[1]?.version ?? '';
    const version = (text: string): string => (text === 'newest' ? newest : text === 'previous' ? previous : text);
    const { refused, ...rest } = view;
    return {
      pod: { namespace, name, uid: `Pod ${pod}` },
      since: Date.parse('2026-11-28T06:00:00Z'),
      isConnected: true,
      keys: [],
      ownKeysFor: [],
      program: '0.1.0',
      ...rest,
      ...(applied === undefined ? {} : { applied: version(applied) }),
      ...(refused === undefined ? {} : { refused: { ...refused, version: version(refused.version) } }),
    };
  }
}

function accountOf(limit: string, { posted, pending = '0', ...rest }: NonNullable<Step['accounts']>[string][number], plan: Plan): AccountView {
  const policy = plan.compiled.budgets.find(({ id }) => id === limit);
  const limitAmount = policy?.limit ?? 0n;
  return {
    limit,
    subject: '',
    unit: policy?.unit ?? 'usd',
    mode: 'Strict',
    windowStart: Date.parse('2026-11-28T00:00:00Z'),
    windowEnd: Date.parse('2026-11-29T00:00:00Z'),
    ...rest,
    limitAmount,
    posted: BigInt(posted),
    pending: BigInt(pending),
    free: limitAmount - BigInt(posted) - BigInt(pending),
  };
}

/** What tells it apart; policies themselves are the policy compiler's golden files. Keys by their last letters. */
const shown = ({ version, snapshot, keys }: SidecarState): object => ({
  version,
  rules: snapshot.rules.map(({ id }) => id),
  providers: [...snapshot.providers.keys()],
  keys: Object.fromEntries([...keys].map(([ref, { value }]) => [ref, `…${value.slice(-4)}`])),
  budgets: snapshot.budgets.map(({ id }) => id),
});

/** A condition in a line. */
const written = ({ conditions, ...rest }: Status): object => ({
  ...rest,
  conditions: conditions.map(
    ({ type, status, reason, message, observedGeneration, lastTransitionTime }) =>
      `${type} ${status} since ${lastTransitionTime.slice(11, 16)}, generation ${observedGeneration}, ${reason}: ${message}`,
  ),
});

describe('what becomes of', () => {
  it.each(cases)('%s', async (name) => {
    const cluster = new Cluster();
    const { steps } = parse(readFileSync(join(here, name), 'utf8')) as { steps: readonly Step[] };
    const out = steps.map((step) => cluster.take(step));
    await expect(stringify(out, { lineWidth: 160, aliasDuplicateObjects: false })).toMatchFileSnapshot(`./${name.replace('.in.', '.out.')}`);
  });

  it('has cases', () => expect(cases.length).toBeGreaterThan(4));
});
