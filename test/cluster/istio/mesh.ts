import { join } from 'node:path';
import { apply, attempt, get, helm, kubectl, until } from '../commands.ts';
import { SHOP } from '../story.ts';
import { IMAGES, sourceFolder } from './build.ts';

const ISTIO = 'istio-system';
/** API servers ask webhooks in the order of their names, and ours comes before Istio's. */
const [INJECTOR, FIRST] = ['istio-sidecar-injector', 'a-sidecar-injector'];
/** On its namespace, where it is of these tests. */
const OURS = 'airmesh.dev/test';
const DEFINITIONS = 'app.kubernetes.io/part-of=istio';
const VALIDATORS = ['istio-validator-istio-system', 'istiod-default-validator'];

/**
 * Its defaults, but for this. Envoy as everybody has it lacks Istio's own extensions, so three features of Istio that need them are
 * off: metrics (`istio.stats`), what proxies tell each other of themselves (`istio.metadata_exchange`), and the filter that says
 * by ALPN what a call speaks (`istio.alpn`). Proxies log which route a call took and who called; the machine may be small.
 */
const STRINGS = {
  'global.tag': IMAGES.tag,
  'env.PILOT_ENABLE_ALPN_FILTER': 'false',
  'env.PILOT_ENABLE_METADATA_EXCHANGE': 'false',
  'meshConfig.accessLogFile': '/dev/stdout',
  'meshConfig.accessLogFormat': 'took %ROUTE_NAME% %RESPONSE_CODE%\n',
};
const OTHERS = {
  'global.hub': IMAGES.hub,
  'telemetry.enabled': 'false',
  autoscaleEnabled: 'false',
  'global.defaultPodDisruptionBudget.enabled': 'false',
  'resources.requests.cpu': '10m',
  'resources.requests.memory': '64Mi',
  'global.proxy.resources.requests.cpu': '10m',
  'global.proxy.resources.requests.memory': '64Mi',
};

const flags = (flag: string, values: Readonly<Record<string, string>>): string[] =>
  Object.entries(values).flatMap(([name, value]) => [flag, `${name}=${value}`]);

const chart = async (name: string): Promise<string> => join(await sourceFolder(), 'manifests/charts', name);
const upgrade = (release: string, path: string, ...more: readonly string[]): Promise<string> =>
  helm('upgrade', '--install', release, path, '-n', ISTIO, '--timeout', '120s', ...more);

/** Its definitions, by its own chart: whoever keeps objects applied looks for them when it starts. */
export async function defineIstio(): Promise<void> {
  await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: ISTIO, labels: { [OURS]: 'istio' } } });
  await upgrade('istio-base', await chart('base'));
}

/** Its control plane, by its own chart. */
export async function installIstio(): Promise<void> {
  await upgrade('istiod', await chart('istio-control/istio-discovery'), '--wait', ...flags('--set-string', STRINGS), ...flags('--set', OTHERS));
}

/** What its charts leave as well. An Istio that is not of these tests is left alone, and they are not run beside it. */
export async function removeIstio(): Promise<void> {
  const named = async (...what: readonly string[]): Promise<boolean> => (await kubectl('get', ...what, '-o', 'name')) !== '';
  const isOurs = await named('namespace', '-l', OURS);
  if (!isOurs && (await named('crd', '-l', DEFINITIONS))) throw new Error('this cluster has an Istio already: its tests install and remove one');
  if (!isOurs) return;
  for (const release of ['istiod', 'istio-base']) await attempt('helm', ['uninstall', release, '-n', ISTIO]);
  await kubectl('delete', 'mutatingwebhookconfiguration', INJECTOR, FIRST, '--ignore-not-found');
  await kubectl('delete', 'validatingwebhookconfiguration', ...VALIDATORS, '--ignore-not-found');
  await kubectl('delete', 'crd', '-l', DEFINITIONS, '--timeout=120s');
  await kubectl('delete', 'namespace', ISTIO, '--timeout=120s');
}

interface Hook {
  readonly apiVersion: string;
  readonly kind: string;
  readonly webhooks: readonly object[];
}
interface Injected {
  readonly spec: { readonly initContainers?: readonly { readonly name: string; readonly args: readonly string[] }[] };
}

/** From now on, Istio's injector is asked before ours. */
export async function askIstioFirst(): Promise<void> {
  const { apiVersion, kind, webhooks } = await get<Hook>('mutatingwebhookconfiguration', INJECTOR);
  await kubectl('delete', 'mutatingwebhookconfiguration', INJECTOR);
  await apply({ apiVersion, kind, metadata: { name: FIRST }, webhooks });
  const tried = async (): Promise<Injected> =>
    JSON.parse(await kubectl('run', 'tried', '-n', SHOP, '--image=tried:1', '--restart=Never', '--dry-run=server', '-o', 'json')) as Injected;
  // It is told none of what ours would have told it.
  await until(tried, ({ spec }) => spec.initContainers?.some(({ name, args }) => name === 'istio-init' && !args.includes('-o')) === true);
}

/** What Istio's control plane wrote. */
export const controlPlaneLog = (): Promise<string> => kubectl('logs', '-n', ISTIO, 'deployment/istiod');

/** A question to the administration of Istio's sidecar, as anyone in the pod may ask it. */
export const proxyAdmin = (deployment: string, path: string): Promise<string> =>
  kubectl('exec', '-n', SHOP, `deployment/${deployment}`, '-c', 'istio-proxy', '--', 'curl', '-sS', `http://127.0.0.1:15000/${path}`);

/** The names of the routes by which Istio's sidecar sent calls on, as it logs them, each second. */
export async function routesTaken(deployment: string): Promise<readonly string[]> {
  const log = await kubectl('logs', '-n', SHOP, `deployment/${deployment}`, '-c', 'istio-proxy');
  return [...log.matchAll(/^took (\S+) \d+$/gm)].map(([, route = '']) => route);
}
