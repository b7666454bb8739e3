import { err, ok } from '../units/index.ts';
import type { Result } from '../units/index.ts';
import { INJECT_LABEL, NOT_INTERCEPTED } from '../control/index.ts';
import type { ContainerResources, InjectionSettings } from './settings.ts';

/** `forced`: also where the container takes variables from ConfigMaps or Secrets, which may hold the same and would lose. */
export type Switch = 'enabled' | 'disabled' | 'forced';

/** The settings, as one pod wants them. */
export interface Overrides {
  readonly image: string;
  readonly logLevel: string;
  readonly concurrency: number;
  readonly resources: ContainerResources;
  readonly baseUrls: Switch;
  readonly placeholderKeys: Switch;
  readonly intercept: boolean;
  readonly authorities: string;
}

const PREFIX = 'airmesh.dev/';
const SWITCHES: readonly string[] = ['enabled', 'disabled', 'forced'] satisfies Switch[];
const LOG_LEVELS: readonly string[] = ['debug', 'info', 'warn', 'error', 'silent'];
const CPU = /^(?:[1-9]\d{0,5}m|\d{1,3}(?:\.\d{1,3})?)$/;
const MEMORY = /^[1-9]\d{0,5}(?:\.\d{1,3})?(?:Ki|Mi|Gi|k|M|G)$/;
const NAME = /^[a-z0-9](?:[-a-z0-9.]{0,251}[a-z0-9])?$/;
const IMAGE = /^[a-z0-9](?:[a-z0-9._/:-]{0,253}[a-z0-9])?(?::[A-Za-z0-9_][A-Za-z0-9._-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/;

interface Override {
  readonly meaning: string;
  readonly example: string;
  readonly takes: (value: string) => boolean;
  readonly put: (overrides: Overrides, value: string) => Overrides;
}

const resource = (field: keyof ContainerResources, meaning: string, example: string, shape: RegExp): Override => ({
  meaning,
  example,
  takes: (value) => shape.test(value),
  put: (overrides, value) => ({ ...overrides, resources: { ...overrides.resources, [field]: value } }),
});

const ofSwitch = (field: 'baseUrls' | 'placeholderKeys', meaning: string): Override => ({
  meaning,
  example: '"enabled", "disabled" or "forced"',
  takes: (value) => SWITCHES.includes(value),
  put: (overrides, value) => ({ ...overrides, [field]: value }),
});

/** Annotations of a pod, by their name behind `airmesh.dev/`. */
export const OVERRIDES: Readonly<Record<string, Override>> = {
  'sidecar-image': {
    meaning: 'The sidecar’s image.',
    example: 'an image such as "registry.example/airmesh:0.1.0"',
    takes: (value) => IMAGE.test(value),
    put: (overrides, image) => ({ ...overrides, image }),
  },
  'sidecar-log-level': {
    meaning: 'What the sidecar logs.',
    example: `one of ${LOG_LEVELS.join(', ')}`,
    takes: (value) => LOG_LEVELS.includes(value),
    put: (overrides, logLevel) => ({ ...overrides, logLevel }),
  },
  'sidecar-concurrency': {
    meaning: 'Worker threads of the sidecar’s Envoy.',
    example: 'a number from 1 to 128',
    takes: (value) => /^[1-9]\d{0,2}$/.test(value) && Number(value) <= 128,
    put: (overrides, value) => ({ ...overrides, concurrency: Number(value) }),
  },
  'sidecar-cpu-request': resource('cpuRequest', 'CPU that the sidecar is sure of.', 'a CPU quantity such as "100m" or "0.5"', CPU),
  'sidecar-cpu-limit': resource('cpuLimit', 'CPU that the sidecar gets at most.', 'a CPU quantity such as "500m" or "2"', CPU),
  'sidecar-memory-request': resource('memoryRequest', 'Memory that the sidecar is sure of.', 'a memory quantity such as "128Mi"', MEMORY),
  'sidecar-memory-limit': resource('memoryLimit', 'Memory that the sidecar gets at most.', 'a memory quantity such as "512Mi"', MEMORY),
  intercept: {
    meaning:
      'Whether connections that the application opens are redirected to the sidecar. Where the namespace’s Pod Security allows no NET_ADMIN, a pod that says nothing is told base URLs instead.',
    example: '"enabled" or "disabled"',
    takes: (value) => value === 'enabled' || value === 'disabled',
    put: (overrides, value) => ({ ...overrides, intercept: value === 'enabled' }),
  },
  authorities: {
    meaning: 'The ConfigMap of its namespace whose certificates (PEM) its containers trust besides, where connections are redirected.',
    example: 'the name of a ConfigMap',
    takes: (value) => NAME.test(value),
    put: (overrides, authorities) => ({ ...overrides, authorities }),
  },
  'base-urls': ofSwitch('baseUrls', 'Whether the application is told to call the sidecar, by OPENAI_BASE_URL and its like.'),
  'placeholder-keys': ofSwitch('placeholderKeys', 'Whether OPENAI_API_KEY and its like are set to a word that is no key, where they are absent.'),
};

/** Of each annotation its whole name, what it means and what it takes, for the reference. */
export const annotationReference = (): readonly { readonly name: string; readonly meaning: string; readonly takes: string }[] => [
  { name: INJECT_LABEL, meaning: 'Whether the pod gets a sidecar; counts before its namespace’s label. As a label as well.', takes: '"enabled" or "disabled"' },
  ...Object.entries(OVERRIDES).map(([name, { meaning, example }]) => ({ name: PREFIX + name, meaning, takes: example })),
];

/** Of what was wrong; API servers cut warnings at 256 characters. */
const MAX_QUOTED = 60;

const quoted = (value: string): string => JSON.stringify(value.slice(0, MAX_QUOTED));

/** The settings as a pod's annotations change them, with warnings of names that are none; or each value that is wrong. */
export function readOverrides(
  annotations: Readonly<Record<string, string>>,
  settings: InjectionSettings,
): Result<{ readonly overrides: Overrides; readonly warnings: readonly string[] }, readonly string[]> {
  let overrides: Overrides = {
    image: settings.image,
    logLevel: settings.logLevel,
    concurrency: settings.concurrency,
    resources: settings.resources,
    baseUrls: settings.baseUrls ? 'enabled' : 'disabled',
    placeholderKeys: settings.placeholderKeys ? 'enabled' : 'disabled',
    intercept: settings.intercept,
    authorities: settings.authorities,
  };
  const problems: string[] = [];
  const warnings: string[] = [];
  for (const [name, value] of Object.entries(annotations)) {
    if (!name.startsWith(PREFIX) || name === INJECT_LABEL || name === NOT_INTERCEPTED) continue;
    const short = name.slice(PREFIX.length);
    const override = Object.hasOwn(OVERRIDES, short) ? OVERRIDES[short] : undefined;
    if (override === undefined) warnings.push(`annotation ${name.slice(0, MAX_QUOTED)} has no effect: it is none of those in docs/install.md`);
    else if (override.takes(value)) overrides = override.put(overrides, value);
    else problems.push(`annotation ${name}: ${quoted(value)} is not ${override.example}`);
  }
  problems.push(...contradictions(overrides.resources));
  return problems.length === 0 ? ok({ overrides, warnings }) : err(problems);
}

const SCALE: Readonly<Record<string, number>> = { m: 0.001, '': 1, k: 1e3, M: 1e6, G: 1e9, Ki: 1024, Mi: 1024 ** 2, Gi: 1024 ** 3 };

function amountOf(quantity: string): number {
  const [, digits = '', unit = ''] = /^([\d.]+)(.*)$/.exec(quantity) ?? [];
  return Number(digits) * (SCALE[unit] ?? Number.NaN);
}

/** The API server would refuse such a pod in words that speak of a container nobody wrote. */
function contradictions({ cpuRequest, cpuLimit, memoryRequest, memoryLimit }: ContainerResources): string[] {
  const above = (what: string, request: string | undefined, limit: string | undefined): string[] =>
    request !== undefined && limit !== undefined && amountOf(request) > amountOf(limit)
      ? [`the sidecar's ${what} request of ${request} is above its limit of ${limit}; set both, by ${PREFIX}sidecar-${what}-request and -limit`]
      : [];
  return [...above('cpu', cpuRequest, cpuLimit), ...above('memory', memoryRequest, memoryLimit)];
}
