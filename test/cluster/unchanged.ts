import { SHOP, POD, SECURE, deployment } from './story.ts';
import { CLIENT_IMAGE } from './images.ts';
import { attempt, get, kubectl } from './commands.ts';
import type { Done } from './commands.ts';

/** Of a range that belongs to nobody: whoever is reached there was redirected. */
export const NOWHERE = '203.0.113.7';
export const HOST = 'api.openai.com';

/** What test/cluster/client/other.mjs received. */
export interface Received {
  readonly at: 'start' | 'https' | 'http';
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly serverName?: string | null;
}

const CLIENT = { name: 'app', image: CLIENT_IMAGE, securityContext: SECURE };
const OTHER = {
  name: 'listener',
  image: CLIENT_IMAGE,
  command: ['node', '/client/other.mjs'],
  readinessProbe: { tcpSocket: { port: 8443 }, periodSeconds: 1 },
  securityContext: SECURE,
  volumeMounts: [{ name: 'tls', mountPath: '/tls', readOnly: true }],
};
const TLS = { name: 'tls', secret: { secretName: 'other-tls', defaultMode: 0o444 } };
// A cluster may resolve nothing outside of it.
const NAMES = [{ ip: NOWHERE, hostnames: [HOST] }];

/** What nobody has prepared for a mesh: an image, and beside it, in the same pod, a listener that its owner looks into. */
export const unchanged = (name: string): object => deployment(name, { hostAliases: NAMES, volumes: [TLS], containers: [{ ...CLIENT, args: ['wait'] }, OTHER] });

/** The same image as a Job, which is the same workload by its name: its first call is what it does first. */
export const unchangedJob = (name: string): object => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name, namespace: SHOP },
  spec: {
    backoffLimit: 0,
    template: {
      metadata: { labels: { job: name } },
      spec: { ...POD, hostAliases: NAMES, restartPolicy: 'Never', containers: [{ ...CLIENT, args: ['once'] }] },
    },
  },
});

/** A server that no sidecar is beside. */
export const otherServer = (name: string): object =>
  deployment(name, { volumes: [TLS], containers: [OTHER] }, { labels: { 'airmesh.dev/inject': 'disabled' } });

/** On the ports that are redirected, and on one that is not. */
export const serviceOf = (name: string, app: string): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: SHOP },
  spec: {
    selector: { app },
    ports: [
      { name: 'https', port: 443, targetPort: 8443 },
      { name: 'http', port: 80, targetPort: 8080 },
      { name: 'tcp', port: 5432 },
    ],
  },
});

/** A command in the application's container. */
export const inPod = (command: readonly string[], input?: string): Promise<Done> =>
  attempt('kubectl', ['exec', ...(input === undefined ? [] : ['-i']), '-n', SHOP, 'deployment/checkout', '-c', 'app', '--', ...command], input);

/** Runs curl there: the status is the output's last line, 000 where there was no answer. */
export async function curl(
  ...args: readonly string[]
): Promise<{ readonly status: string; readonly body: string; readonly code: number; readonly err: string }> {
  const { code, out, err } = await inPod(['curl', '-sS', '--max-time', '10', '-w', '\n%{http_code}', ...args]);
  const end = out.lastIndexOf('\n');
  return { status: out.slice(end + 1), body: out.slice(0, end), code, err };
}

/** All that the listener of a deployment has received so far. */
export async function received(deployment: string): Promise<readonly Received[]> {
  const log = await kubectl('logs', '-n', SHOP, `deployment/${deployment}`, '-c', 'listener');
  return log
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Received)
    .filter(({ at }) => at !== 'start');
}

/** How many calls the provider bills. */
export async function billed(): Promise<number> {
  const books = JSON.parse(await kubectl('get', '--raw', `/api/v1/namespaces/${SHOP}/services/provider:4010/proxy/simulator/books`)) as Books;
  return Object.values(books.models).reduce((sum, { requests }) => sum + requests, 0);
}
interface Books {
  readonly models: Readonly<Record<string, { readonly requests: number }>>;
}

export async function addressOf(service: string): Promise<string> {
  const { spec } = await get<{ readonly spec: { readonly clusterIP: string } }>(`service/${service}`, '-n', SHOP);
  return spec.clusterIP;
}
