import { CLIENT_IMAGE } from '../images.ts';
import { providerInTls } from '../internet.ts';
import { KEYS, SECURE, SHOP, deployment } from '../story.ts';
import { HOST, NOWHERE } from '../unchanged.ts';

/** A provider outside the mesh, in TLS. */
export const OUTSIDE = 'models.example.com';

/** Beside an application: whom its mesh's proxy takes for public authorities. */
const AUTHORITIES = { name: 'authorities', configMap: { name: 'authorities' } };

/** An application in both meshes, that nobody has prepared for either; `outside`: the address of `OUTSIDE`, as DNS would say it. */
export const meshed = (name: string, outside: string, annotations: Readonly<Record<string, string>> = {}): object =>
  deployment(
    name,
    {
      terminationGracePeriodSeconds: 3,
      hostAliases: [
        { ip: NOWHERE, hostnames: [HOST] },
        { ip: outside, hostnames: [OUTSIDE] },
      ],
      volumes: [AUTHORITIES],
      containers: [{ name: 'app', image: CLIENT_IMAGE, args: ['wait'], securityContext: SECURE }],
    },
    { annotations: { 'sidecar.istio.io/userVolumeMount': JSON.stringify({ authorities: { mountPath: '/etc/ssl/certs', readOnly: true } }), ...annotations } },
  );

/** The provider outside, which neither mesh has a part in. */
export const outsideProvider = (): object =>
  deployment('outside', providerInTls('other-tls', [KEYS.first]), {
    labels: { 'airmesh.dev/inject': 'disabled', 'sidecar.istio.io/inject': 'false' },
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
