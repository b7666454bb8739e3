import { describe, expect, it } from 'vitest';
import { injectPod } from '../injection/index.ts';
import { LABELLED } from '../injection/pods.test-support.ts';
import type { Contributor, InjectionSettings } from '../injection/index.ts';
import { interceptionAddition } from './addition.ts';
import { bundleOf } from './bundle.ts';

const addition = interceptionAddition({ image: 'airmesh:1', imagePullPolicy: 'IfNotPresent', ports: [8000], authorities: 'company' });
const JAVA = '-Djavax.net.ssl.trustStore=/etc/airmesh/trust/truststore.jks';

describe('what interception adds to a pod', () => {
  it('redirects in an init container that has one capability and no other', () => {
    expect(addition.initContainers).toEqual([
      expect.objectContaining({
        name: 'airmesh-init',
        args: ['init', '--to-port', '15401', '--except', '1533', '--ports', '80,443,8000'],
        securityContext: expect.objectContaining({ capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] }, privileged: false, allowPrivilegeEscalation: false }),
      }),
    ]);
    const all = interceptionAddition({ image: 'airmesh:1', imagePullPolicy: 'Always', ports: 'all', authorities: 'company' });
    expect(all.initContainers[0]).toMatchObject({ args: expect.arrayContaining(['all']) });
  });

  it('lets applications read whom to trust, and only the sidecar write it', () => {
    expect(addition.sidecar.volumeMounts).toEqual([
      { name: 'airmesh-trust', mountPath: '/etc/airmesh/trust' },
      { name: 'airmesh-authorities', mountPath: '/etc/airmesh/authorities', readOnly: true },
    ]);
    expect(addition.privateVolumes).toEqual([{ name: 'airmesh-authorities', configMap: { name: 'company', optional: true } }]);
    expect(addition.application({ name: 'app' }).volumeMounts).toEqual([{ name: 'airmesh-trust', mountPath: '/etc/airmesh/trust', readOnly: true }]);
  });

  it('tells each runtime', () => {
    const { env, warnings } = addition.application({ name: 'app' });
    expect(Object.fromEntries(env.map(({ name, value }) => [name, value]))).toEqual({
      NODE_EXTRA_CA_CERTS: '/etc/airmesh/trust/mesh.pem',
      SSL_CERT_FILE: '/etc/airmesh/trust/ca.pem',
      REQUESTS_CA_BUNDLE: '/etc/airmesh/trust/ca.pem',
      SYSTEM_WGETRC: '/etc/airmesh/trust/wgetrc',
      CURL_CA_BUNDLE: '/etc/airmesh/trust/ca.pem',
      GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: '/etc/airmesh/trust/ca.pem',
      GIT_SSL_CAINFO: '/etc/airmesh/trust/ca.pem',
      AWS_CA_BUNDLE: '/etc/airmesh/trust/ca.pem',
      DENO_CERT: '/etc/airmesh/trust/mesh.pem',
      JAVA_TOOL_OPTIONS: JAVA,
    });
    expect(warnings).toEqual([]);
  });

  it('leaves alone what the application set for itself, and says so', () => {
    const { env, warnings } = addition.application({ name: 'app', env: [{ name: 'SSL_CERT_FILE', value: '/own.pem' }] });
    expect(env.map(({ name }) => name)).not.toContain('SSL_CERT_FILE');
    expect(warnings).toEqual([expect.stringContaining('SSL_CERT_FILE of its own')]);
  });

  it('says it to Java in another way where one is taken', () => {
    const own = { name: 'JAVA_TOOL_OPTIONS', value: '-Xmx1g' };
    expect(addition.application({ name: 'app', env: [own] }).env).toContainEqual({ name: 'JDK_JAVA_OPTIONS', value: JAVA });
    const both = addition.application({ name: 'app', env: [own, { name: 'JDK_JAVA_OPTIONS', value: '-Xss1m' }] });
    expect(both.env.map(({ name }) => name)).not.toContain('JDK_JAVA_OPTIONS');
    expect(both.warnings).toEqual([expect.stringContaining(JAVA)]);
  });

  it('is the same for what it has been added to', () => {
    const { env } = addition.application({ name: 'app' });
    expect(addition.application({ name: 'app', env })).toMatchObject({ env: [], warnings: [] });
  });
});

describe('a bundle', () => {
  const certificate = (content: string): string => `-----BEGIN CERTIFICATE-----\n${content}\n-----END CERTIFICATE-----`;

  it('has each certificate once, and nothing else', () => {
    const text = `# a comment\n${certificate('AAAA')}\r\n-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n${certificate('BBBB')}`;
    expect(bundleOf(text, '', certificate('AAAA'))).toEqual([`${certificate('AAAA')}\n`, `${certificate('BBBB')}\n`]);
  });
});

describe('a pod', () => {
  it('gets it by injection, as any other addition', () => {
    const settings: InjectionSettings = {
      image: 'airmesh:1',
      imagePullPolicy: 'IfNotPresent',
      imagePullSecrets: [],
      controllers: ['airmesh:15010'],
      controllerRoots: 'PEM',
      logLevel: 'info',
      concurrency: 2,
      intercept: true,
      authorities: 'company',
      resources: {},
      baseUrls: false,
      placeholderKeys: true,
      program: '1',
    };
    const contribute: Contributor = (_pod, { image, imagePullPolicy, authorities }) => interceptionAddition({ image, imagePullPolicy, ports: [], authorities });
    const pod = { metadata: {}, spec: { containers: [{ name: 'app' }] } };
    const verdict = injectPod(pod, LABELLED, settings, [contribute]);
    if (verdict.kind !== 'injected') throw new Error(verdict.kind);
    expect(verdict.pod.spec.initContainers?.map(({ name }) => name)).toEqual(['airmesh-init', 'airmesh-sidecar']);
    expect(verdict.pod.spec.containers[0]?.env).toContainEqual({ name: 'SSL_CERT_FILE', value: '/etc/airmesh/trust/ca.pem' });
    const again = injectPod(verdict.pod, LABELLED, settings, [contribute]);
    expect(again).toMatchObject({ pod: verdict.pod });
  });
});
