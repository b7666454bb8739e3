/** What lies outside of the cluster: providers by their own names, with certificates of an authority that stands in for the public ones. */
import { existsSync, writeFileSync } from 'node:fs';
import { TestAuthority } from '../support/certificates.ts';
import { apply, kubectl } from './commands.ts';
import { CLIENT_IMAGE, IMAGE } from './images.ts';
import { SECURE, SHOP, deployment } from './story.ts';
import { addressOf } from './unchanged.ts';

export const PROVIDERS = {
  openai: { type: 'OpenAI', host: 'api.openai.com', key: 'sk-provider-0123456789abcdef0123' },
  anthropic: { type: 'Anthropic', host: 'api.anthropic.com', key: 'sk-ant-api03-0123456789abcdef0123456789' },
  gemini: { type: 'Gemini', host: 'generativelanguage.googleapis.com', key: 'AIzaSy0123456789abcdef0123456789abcdefg' },
} as const;
/** OpenAI's next. */
export const ROTATED_KEY = 'sk-rotated-0123456789abcdef012345';

/** Hosts lines that the cluster's resolver reads again each second, in the cluster that tests bring along. */
const HOSTS_FILE = '/var/lib/oneclust/hosts';

/** What came to a provider's host. */
export interface Arrived {
  readonly host: string;
  readonly path: string;
  readonly key: string | null;
  readonly version: string;
  readonly bytes: number;
}

export interface Internet {
  /** Whose certificates the providers show, PEM. */
  readonly authority: string;
  /** What pods need to know the names; nothing where the cluster's resolver knows them. */
  readonly hostAliases: readonly object[];
}

/** Providers that take these keys, behind test/cluster/client/front.mjs; `secret`: its certificate. */
export const providerInTls = (secret: string, keys: readonly string[]): object => ({
  volumes: [{ name: 'tls', secret: { secretName: secret, defaultMode: 0o444 } }],
  containers: [
    { name: 'providers', image: IMAGE, args: ['simulate', '--listen', '127.0.0.1:4010', '--key', ...keys], securityContext: SECURE },
    {
      name: 'front',
      image: CLIENT_IMAGE,
      command: ['node', '/client/front.mjs'],
      readinessProbe: { tcpSocket: { port: 8443 }, periodSeconds: 1 },
      securityContext: SECURE,
      volumeMounts: [{ name: 'tls', mountPath: '/tls', readOnly: true }],
    },
  ],
});

export async function openInternet(): Promise<Internet> {
  const authority = await TestAuthority.create('stand-in for public authorities');
  const hosts = Object.values(PROVIDERS).map(({ host }) => host);
  const { certificate, key } = await authority.issue({ dns: hosts });
  const keys = [...Object.values(PROVIDERS).map((provider) => provider.key), ROTATED_KEY];
  await apply(
    {
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'kubernetes.io/tls',
      metadata: { name: 'internet-tls', namespace: SHOP },
      stringData: { 'tls.crt': certificate, 'tls.key': key },
    },
    deployment('internet', providerInTls('internet-tls', keys), { labels: { 'airmesh.dev/inject': 'disabled' } }),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'internet', namespace: SHOP },
      spec: { selector: { app: 'internet' }, ports: [{ port: 443, targetPort: 8443 }] },
    },
  );
  await kubectl('rollout', 'status', 'deployment/internet', '-n', SHOP, '--timeout=180s');
  const ip = await addressOf('internet');
  if (!existsSync(HOSTS_FILE)) return { authority: authority.certificate, hostAliases: [{ ip, hostnames: hosts }] };
  writeFileSync(HOSTS_FILE, `${ip} ${hosts.join(' ')}\n`);
  return { authority: authority.certificate, hostAliases: [] };
}

/** Names are nobody's again. */
export function closeInternet(): void {
  if (existsSync(HOSTS_FILE)) writeFileSync(HOSTS_FILE, '');
}

/** All that has come to the providers so far. */
export async function arrivals(): Promise<readonly Arrived[]> {
  const log = await kubectl('logs', '-n', SHOP, 'deployment/internet', '-c', 'front', '--tail=-1');
  return log
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Arrived)
    .filter(({ host }) => host !== undefined);
}
