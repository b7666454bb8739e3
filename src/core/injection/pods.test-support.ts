import type { Pod } from './pod.ts';
import type { NamespaceFacts } from './namespace.ts';
import type { InjectionSettings } from './settings.ts';

export const LABELLED: NamespaceFacts = { isLabelled: true, allowsNetAdmin: true };

export const SETTINGS: InjectionSettings = {
  image: 'registry.example/airmesh:0.1.0',
  imagePullPolicy: 'IfNotPresent',
  imagePullSecrets: ['pull'],
  controllers: ['airmesh.airmesh-system.svc:15010'],
  controllerRoots: '-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n',
  logLevel: 'info',
  concurrency: 2,
  resources: { cpuRequest: '50m', memoryRequest: '128Mi', memoryLimit: '512Mi' },
  baseUrls: false,
  intercept: false,
  authorities: 'airmesh-authorities',
  placeholderKeys: true,
  program: '0.1.0',
};

/** The least that is a pod, with what a test changes of it. */
export const podWith = (spec: Partial<Pod['spec']> = {}, metadata: Pod['metadata'] = {}): Pod => ({
  metadata,
  spec: { containers: [{ name: 'app', image: 'app:1' }], ...spec },
});
