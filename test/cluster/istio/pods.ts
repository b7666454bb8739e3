import { CLIENT_IMAGE, IMAGE } from '../images.ts';
import { KEYS, POD, SECURE, SHOP } from '../story.ts';
import { HOST, NOWHERE } from '../unchanged.ts';

/** A provider outside the mesh, in TLS. */
export const OUTSIDE = 'models.example.com';

/** Beside an application: whom its mesh's proxy takes for public authorities. */
const AUTHORITIES = { name: 'authorities', configMap: { name: 'authorities' } };

/** An application in both meshes, that nobody has prepared for either; `outside`: the address of `OUTSIDE`, as DNS would say it. */
export const meshed = (name: string, outside: string, annotations: Readonly<Record<string, string>> = {}): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: SHOP },
  spec: {
    selector: { matchLabels: { app: name } },
    template: {
      metadata: {
        labels: { app: name },
        annotations: { 'sidecar.istio.io/userVolumeMount': JSON.stringify({ authorities: { mountPath: '/etc/ssl/certs', readOnly: true } }), ...annotations },
      },
      spec: {
        ...POD,
        terminationGracePeriodSeconds: 3,
        hostAliases: [
          { ip: NOWHERE, hostnames: [HOST] },
          { ip: outside, hostnames: [OUTSIDE] },
        ],
        volumes: [AUTHORITIES],
        containers: [{ name: 'app', image: CLIENT_IMAGE, args: ['wait'], securityContext: SECURE }],
      },
    },
  },
});

const TLS_FRONT = `const { readFileSync: read } = require('node:fs');
require('node:tls').createServer({ cert: read('/tls/tls.crt'), key: read('/tls/tls.key') }, (socket) => {
  const inner = require('node:net').connect(4010, '127.0.0.1');
  socket.on('error', () => inner.destroy()).pipe(inner).on('error', () => socket.destroy()).pipe(socket);
}).listen(8443);
process.once('SIGTERM', () => process.exit(0));`;

/** The provider outside, which neither mesh has a part in. */
export const outsideProvider = (): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'outside', namespace: SHOP },
  spec: {
    selector: { matchLabels: { app: 'outside' } },
    template: {
      metadata: { labels: { app: 'outside', 'airmesh.dev/inject': 'disabled', 'sidecar.istio.io/inject': 'false' } },
      spec: {
        ...POD,
        terminationGracePeriodSeconds: 3,
        volumes: [{ name: 'tls', secret: { secretName: 'other-tls', defaultMode: 0o444 } }],
        containers: [
          {
            name: 'tls',
            image: CLIENT_IMAGE,
            command: ['node', '-e', TLS_FRONT],
            readinessProbe: { tcpSocket: { port: 8443 }, periodSeconds: 1 },
            securityContext: SECURE,
            volumeMounts: [{ name: 'tls', mountPath: '/tls', readOnly: true }],
          },
          { name: 'provider', image: IMAGE, args: ['simulate', '--listen', '127.0.0.1:4010', '--key', KEYS.first], securityContext: SECURE },
        ],
      },
    },
  },
});

const policy = (kind: string, name: string, spec: object): object => ({
  apiVersion: 'airmesh.dev/v1alpha1',
  kind,
  metadata: { name, namespace: SHOP },
  spec,
});

/** Besides the example's provider: that outside, and who may call which. */
export const policies = (): readonly object[] => [
  policy('AIProvider', 'outside', { type: 'OpenAI', baseUrl: `https://${OUTSIDE}/v1`, auth: { apiKey: { secretRef: { name: 'openai', key: 'apiKey' } } } }),
  policy('AIRoute', 'all', {
    workloads: ['*'],
    rules: [
      { name: 'inside', match: { models: ['gpt-4.1'] }, backends: [{ provider: 'openai' }] },
      { name: 'outside', match: { models: ['text-embedding-3-small'] }, backends: [{ provider: 'outside' }] },
    ],
  }),
];

/** From now on, sidecars of the namespace take nothing but Istio's mutual TLS. */
export const strict = (): object => ({
  apiVersion: 'security.istio.io/v1',
  kind: 'PeerAuthentication',
  metadata: { name: 'strict', namespace: SHOP },
  spec: { mtls: { mode: 'STRICT' } },
});
