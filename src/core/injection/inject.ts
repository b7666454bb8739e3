import { INIT_CONTAINER, NOT_INTERCEPTED, SIDECAR_CONTAINER, SIDECAR_LABEL } from '../control/index.ts';
import type { Addition, Contributor } from './addition.ts';
import { waysAround } from './boundary.ts';
import { conflicts, impossibility, wishOf } from './decide.ts';
import { allowedIn } from './namespace.ts';
import type { NamespaceFacts } from './namespace.ts';
import { readOverrides } from './overrides.ts';
import type { Container, Pod, Volume } from './pod.ts';
import type { InjectionSettings } from './settings.ts';
import { contributeSidecar, sidecarContainer } from './sidecar.ts';
import { contributeBaseUrls, contributePlaceholderKeys } from './variables.ts';

export type Verdict =
  | { readonly kind: 'injected'; readonly pod: Pod; readonly warnings: readonly string[] }
  /** Left as it is: nobody wants a sidecar in it, or (with a warning) none can be. */
  | { readonly kind: 'left'; readonly reason: string; readonly warnings: readonly string[] }
  /** Whoever creates the pod has to change it, or to say that they want no sidecar. */
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

const OWN_CONTRIBUTORS: readonly Contributor[] = [contributeSidecar, contributeBaseUrls, contributePlaceholderKeys];

/**
 * A pod that is being created, with its sidecar. Injecting what is injected changes nothing, but that containers which came
 * in between get their part.
 */
export function injectPod(pod: Pod, namespace: NamespaceFacts, settings: InjectionSettings, contributors: readonly Contributor[] = []): Verdict {
  const wish = wishOf(pod, namespace.isLabelled);
  if (wish.kind === 'unclear') return { kind: 'refused', problems: [wish.problem] };
  if (wish.kind === 'unwanted') return { kind: 'left', reason: wish.reason, warnings: [] };
  const impossible = impossibility(pod);
  if (impossible !== undefined) return { kind: 'left', reason: impossible, warnings: [`airmesh: the pod gets no sidecar: ${impossible}`] };
  const read = readOverrides(pod.metadata.annotations ?? {}, settings);
  if (!read.ok) return { kind: 'refused', problems: read.error };

  const { overrides, annotations, warnings: allowed } = allowedIn(namespace, read.value.overrides, pod);
  const all = [...OWN_CONTRIBUTORS, ...contributors];
  const additions = (bare: Pod): readonly Addition[] => all.map((contribute) => contribute(bare, settings, overrides));
  // Which volumes are the mesh's is known only from the additions; none depends on the volumes that a pod has.
  const own = additions(pod);
  const bare = withoutOwn(pod, own);
  const application = [...(bare.spec.initContainers ?? []), ...bare.spec.containers];
  const problems = conflicts(
    bare,
    application,
    own.flatMap(({ privateVolumes = [] }) => privateVolumes.map(({ name }) => name)),
  );
  if (problems.length > 0) return { kind: 'refused', problems };

  const added = additions(bare);
  const around = overrides.intercept ? waysAround(bare, application) : [];
  const warnings = [...read.value.warnings, ...allowed, ...around, ...added.flatMap(({ warnings: each = [] }) => each)];
  const dress = (container: Container): Container => added.reduce((dressed, addition) => dressContainer(dressed, addition, warnings), container);
  const sidecar = sidecarContainer(
    settings,
    overrides,
    added.flatMap((addition) => addition.sidecar?.env ?? []),
    added.flatMap((addition) => addition.sidecar?.volumeMounts ?? []),
    added.flatMap((addition) => addition.sidecar?.args ?? []),
  );
  const { metadata, spec } = bare;
  const injected: Pod = {
    ...bare,
    metadata: { ...metadata, labels: { ...metadata.labels, [SIDECAR_LABEL]: settings.program }, ...annotated(metadata.annotations, annotations) },
    spec: {
      ...spec,
      ...pullSecrets(spec.imagePullSecrets, settings),
      volumes: [...(spec.volumes ?? []), ...added.flatMap(volumesOf)],
      // First, so that the init containers of the application's own have it already.
      initContainers: [...added.flatMap(({ initContainers = [] }) => initContainers), sidecar, ...(spec.initContainers ?? []).map(dress)],
      containers: spec.containers.map(dress),
    },
  };
  return { kind: 'injected', pod: injected, warnings: warnings.map((warning) => `airmesh: ${warning}`) };
}

/** What an earlier injection said of the pod is said anew, or no more. */
function annotated(present: Readonly<Record<string, string>> | undefined, own: Readonly<Record<string, string>>): Pick<Pod['metadata'], 'annotations'> {
  const others = Object.entries(present ?? {}).filter(([name]) => name !== NOT_INTERCEPTED);
  const all = { ...Object.fromEntries(others), ...own };
  return present === undefined && Object.keys(all).length === 0 ? {} : { annotations: all };
}

const volumesOf = ({ privateVolumes = [], sharedVolumes = [] }: Addition): readonly Volume[] => [...privateVolumes, ...sharedVolumes];

/** A pod as it was before an earlier injection; what calls itself ours and is somebody else's goes as well. */
function withoutOwn(pod: Pod, own: readonly Addition[]): Pod {
  const containers = new Set([SIDECAR_CONTAINER, INIT_CONTAINER, ...own.flatMap(({ initContainers = [] }) => initContainers.map(({ name }) => name))]);
  const volumes = new Set(own.flatMap(volumesOf).map(({ name }) => name));
  const { spec } = pod;
  return {
    ...pod,
    spec: {
      ...spec,
      containers: spec.containers.filter(({ name }) => !containers.has(name)),
      ...(spec.initContainers === undefined ? {} : { initContainers: spec.initContainers.filter(({ name }) => !containers.has(name)) }),
      ...(spec.volumes === undefined ? {} : { volumes: spec.volumes.filter(({ name }) => !volumes.has(name)) }),
    },
  };
}

function dressContainer(container: Container, { application }: Addition, warnings: string[]): Container {
  if (application === undefined) return container;
  const part = application(container);
  warnings.push(...part.warnings);
  const { env = [], volumeMounts = [] } = container;
  const newEnv = part.env.filter(({ name }) => !env.some((present) => present.name === name));
  const newMounts = part.volumeMounts.filter(({ mountPath }) => !volumeMounts.some((present) => present.mountPath === mountPath));
  return {
    ...container,
    ...(newEnv.length === 0 ? {} : { env: [...env, ...newEnv] }),
    ...(newMounts.length === 0 ? {} : { volumeMounts: [...volumeMounts, ...newMounts] }),
  };
}

function pullSecrets(present: Pod['spec']['imagePullSecrets'] = [], { imagePullSecrets }: InjectionSettings): object {
  const missing = imagePullSecrets.filter((name) => !present.some((secret) => secret.name === name));
  return missing.length === 0 ? {} : { imagePullSecrets: [...present, ...missing.map((name) => ({ name }))] };
}
