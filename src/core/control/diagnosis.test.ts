import { describe, expect, it } from 'vitest';
import { diagnose } from './diagnosis.ts';
import type { Sight } from './diagnosis.ts';
import { readPod } from './pods.ts';
import type { PodFacts, PodObject } from './pods.ts';
import type { Observed } from './resources.ts';

const NOW = Date.parse('2026-11-28T07:00:00Z');
const DAY_MS = 86_400_000;
const current = { missingFields: [] };

const SOUND: Sight = {
  rootNamespace: 'airmesh-system',
  program: '0.3.1',
  definitions: new Map([
    ['AIProvider', current],
    ['AIRoute', current],
    ['AIBudget', current],
  ]),
  webhook: { untrusted: [], trustedUntil: NOW + 300 * DAY_MS },
  controllers: { wanted: 3, ready: 3, program: '0.3.0' },
  namespaces: new Map([
    ['shop', { 'airmesh.dev/inject': 'enabled' }],
    ['lab', {}],
  ]),
  pods: [],
  resources: [],
  now: NOW,
};

const pod = (name: string, metadata: PodObject['metadata'] = {}, more: Omit<PodObject, 'metadata'> = {}): PodFacts =>
  readPod({ metadata: { name, namespace: 'shop', ...metadata }, status: { phase: 'Running' }, ...more });
const owned = (kind: string, name: string): PodObject['metadata'] => ({ ownerReferences: [{ kind, name, controller: true }] });

const route = (status: unknown): Observed => ({
  kind: 'AIRoute',
  namespace: 'shop',
  name: 'chat',
  uid: '1',
  generation: 1,
  resourceVersion: '1',
  findings: [],
  status,
});
const condition = (type: string, status: string, reason: string, message = 'words'): object => ({ type, status, reason, message });

describe('a cluster in which', () => {
  it.each<[string, Partial<Sight>, readonly (readonly [severity: string, subject: string, problem: RegExp, remedy: RegExp])[]]>([
    ['all is as it should be', {}, []],
    ['a person may see nothing', { definitions: undefined, webhook: undefined, controllers: undefined }, []],
    [
      'nothing is installed',
      { definitions: new Map(), webhook: 'absent', controllers: 'absent' },
      [
        ['error', 'definition of AIProvider', /not installed/, /helm install/],
        ['error', 'definition of AIRoute', /not installed/, /helm install/],
        ['error', 'definition of AIBudget', /not installed/, /helm install/],
        ['error', 'controllers in airmesh-system', /none/, /helm install/],
      ],
    ],
    [
      'a definition is older',
      { definitions: new Map([...(SOUND.definitions ?? []), ['AIRoute', { missingFields: ['spec.a', 'spec.b'] }]]) },
      [['warning', 'definition of AIRoute', /lacks spec\.a and 1 more/, /helm upgrade/]],
    ],
    ['no controller is ready', { controllers: { wanted: 3, ready: 0 } }, [['error', 'controllers in airmesh-system', /none of 3/, /kubectl logs/]]],
    ['some are', { controllers: { wanted: 3, ready: 2 } }, [['warning', 'controllers in airmesh-system', /2 of 3/, /kubectl describe/]]],
    ['the webhook is gone', { webhook: 'absent' }, [['warning', 'injector’s webhook', /not registered/, /injector\.enabled/]]],
    [
      'the webhook is not trusted',
      { webhook: { untrusted: ['pod.inject.airmesh.dev'] } },
      [['error', 'injector’s webhook', /pod\.inject\.airmesh\.dev cannot be asked/, /kubectl logs/]],
    ],
    ['its authority ends soon', { webhook: { untrusted: [], trustedUntil: NOW + DAY_MS } }, [['warning', 'injector’s webhook', /ends at 2026-11-29/, /renew/]]],
    ['its authority has ended', { webhook: { untrusted: [], trustedUntil: NOW } }, [['error', 'injector’s webhook', /ended at 2026-11-28/, /renew/]]],
    [
      'pods run without sidecars',
      {
        pods: [
          pod('a-77-1', { ...owned('ReplicaSet', 'a-77'), labels: { 'pod-template-hash': '77' } }),
          pod('a-77-2', { ...owned('ReplicaSet', 'a-77'), labels: { 'pod-template-hash': '77' } }),
          pod('b-0', owned('StatefulSet', 'b')),
          pod('alone'),
          pod('job-1', owned('Job', 'job')),
          pod('set-1', owned('ReplicaSet', 'set')),
          pod('no', { labels: { 'airmesh.dev/inject': 'disabled' } }),
          pod('said-no', { annotations: { 'airmesh.dev/inject': 'disabled' } }),
          pod('node', {}, { spec: { hostNetwork: true } }),
          pod('over', {}, { status: { phase: 'Succeeded' } }),
          pod('has', { labels: { 'airmesh.dev/sidecar': '0.3.0' } }),
          pod('elsewhere', { namespace: 'lab' }),
        ],
      },
      [
        ['warning', 'shop/a', /^2 pods run/, /kubectl rollout restart deployment\/a -n shop/],
        ['warning', 'shop/b', /^1 pod runs/, /rollout restart statefulset\/b/],
        ['warning', 'shop/alone', /^1 pod runs/, /kubectl delete pod alone/],
        ['warning', 'shop/job', /^1 pod runs/, /next run/],
        ['warning', 'shop/set', /^1 pod runs/, /ReplicaSet set in shop anew/],
      ],
    ],
    [
      'Pod Security allows no redirection',
      {
        pods: [
          pod('a', { labels: { 'airmesh.dev/sidecar': '0.3.0' }, annotations: { 'airmesh.dev/not-intercepted': 'pod-security' } }),
          pod(
            'b',
            { labels: { 'airmesh.dev/sidecar': '0.3.0' }, annotations: { 'airmesh.dev/not-intercepted': 'pod-security' } },
            { status: { phase: 'Failed' } },
          ),
          pod('no', { labels: { 'airmesh.dev/inject': 'disabled' }, annotations: { 'airmesh.dev/not-intercepted': 'pod-security' } }),
        ],
      },
      [['warning', 'shop/a', /connections of 1 of its pods are not redirected.*NET_ADMIN/, /enforce=privileged/]],
    ],
    [
      'sidecars are two versions behind',
      {
        pods: [
          pod('old', { labels: { 'airmesh.dev/sidecar': '0.1.9' } }),
          pod('near', { labels: { 'airmesh.dev/sidecar': '0.2.0' } }),
          pod('odd', { labels: { 'airmesh.dev/sidecar': 'dev' } }),
        ],
      },
      [['warning', 'shop/old', /version 0\.1\.9, and controllers of 0\.3\.0/, /kubectl delete pod old/]],
    ],
    ['a resource has no status', { resources: [route(undefined)] }, [['warning', 'AIRoute shop/chat', /no status/, /controller/]]],
    [
      'a resource is wrong',
      {
        resources: [
          route({
            conditions: [
              condition('Accepted', 'False', 'Invalid'),
              condition('ResolvedRefs', 'True', 'ResolvedRefs'),
              condition('Programmed', 'False', 'Refused'),
            ],
            findings: [
              { severity: 'error', path: 'spec.x', message: 'is wrong' },
              { severity: 'warning', path: 'spec.y', message: 'may be' },
            ],
          }),
        ],
      },
      [
        ['error', 'AIRoute shop/chat', /Accepted is False \(Invalid\): words/, /kubectl edit airoute\/chat -n shop/],
        ['error', 'AIRoute shop/chat', /Programmed is False \(Refused\)/, /kubectl describe/],
        ['warning', 'AIRoute shop/chat', /spec\.y: may be/, /mend/],
      ],
    ],
    [
      'a resource is on its way, or for nobody',
      { resources: [route({ conditions: [condition('Accepted', 'True', 'Accepted'), condition('Programmed', 'False', 'NoSidecars')] })] },
      [],
    ],
  ])('%s', (_name, part, expected) => {
    const found = diagnose({ ...SOUND, ...part }).map(({ severity, subject, problem, remedy }) => [severity, subject, problem, remedy]);
    expect(found).toEqual(
      expected.map(([severity, subject, problem, remedy]) => [severity, subject, expect.stringMatching(problem), expect.stringMatching(remedy)]),
    );
  });
});
