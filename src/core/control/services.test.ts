import { describe, expect, it } from 'vitest';
import { endpointAddresses, serviceAddresses, serviceOf } from './services.ts';

it.each([
  ['vllm.models.svc', 'vllm', 'models', 'vllm.models'],
  ['vllm.models.svc.cluster.local', 'vllm', 'models', 'vllm.models'],
  ['vllm', 'vllm', 'shop', 'vllm.shop'],
  ['vllm-0.vllm.models.svc', 'vllm', 'models', 'vllm-0.vllm.models'],
])('%s is service %s of %s', (host, service, namespace, name) => {
  expect(serviceOf(host, 'shop', 'cluster.local')).toEqual({ service, namespace, name });
});

it.each(['api.openai.com', 'vllm.models', '10.0.0.1', 'fd00::1', 'vllm.models.svc.other.domain', 'models.svc'])('%s is none', (host) => {
  expect(serviceOf(host, 'shop', 'cluster.local')).toBeUndefined();
});

describe('addresses', () => {
  it('of a service are all that reach it', () => {
    expect(
      serviceAddresses({
        spec: { clusterIPs: ['10.96.0.7', 'fd00::7'], externalIPs: ['192.0.2.1'] },
        status: { loadBalancer: { ingress: [{ ip: '192.0.2.9' }, {}] } },
      }),
    ).toEqual(['10.96.0.7', 'fd00::7', '192.0.2.1', '192.0.2.9']);
    expect(serviceAddresses({ spec: { clusterIPs: ['None'] } })).toEqual([]);
    // An ExternalName has none.
    expect(serviceAddresses({ spec: {} })).toEqual([]);
  });

  it('of what stands behind it are those of its endpoints', () => {
    expect(endpointAddresses({ addressType: 'IPv4', endpoints: [{ addresses: ['10.1.0.1'] }, { addresses: ['10.1.0.2'] }] })).toEqual(['10.1.0.1', '10.1.0.2']);
    expect(endpointAddresses({ addressType: 'FQDN', endpoints: [{ addresses: ['db.example'] }] })).toEqual([]);
    expect(endpointAddresses({ addressType: 'IPv6' })).toEqual([]);
  });
});
