import { describe, expect, it } from 'vitest';
import { podAnnotations } from './annotations.ts';
import { MESHES } from './index.ts';
import type { MeshName } from './index.ts';

const PORTS = { outbound: [443, 15_010], inbound: [15_420] };
const MOUNT = '{"name":"airmesh-processor","mountPath":"/run/airmesh"}';
const MOUNTS = 'sidecar.istio.io/userVolumeMount';

describe('what a pod says to its mesh', () => {
  it.each<[MeshName, Record<string, string>]>([
    [
      'istio',
      { 'traffic.sidecar.istio.io/excludeOutboundPorts': '443,15010', 'traffic.sidecar.istio.io/excludeInboundPorts': '15420', [MOUNTS]: `[${MOUNT}]` },
    ],
    [
      'kuma',
      {
        'traffic.kuma.io/exclude-outbound-ports': '443,15010',
        'traffic.kuma.io/exclude-inbound-ports': '15420',
        'kuma.io/container-patches': 'airmesh-processor',
      },
    ],
    [
      'consul',
      { 'consul.hashicorp.com/transparent-proxy-exclude-outbound-ports': '443,15010', 'consul.hashicorp.com/transparent-proxy-exclude-inbound-ports': '15420' },
    ],
    ['linkerd', { 'config.linkerd.io/skip-outbound-ports': '443,15010', 'config.linkerd.io/skip-inbound-ports': '15420' }],
  ])('%s', (name, annotations) => {
    expect(podAnnotations(MESHES[name], PORTS, {})).toEqual({ ok: true, value: annotations });
    expect(podAnnotations(MESHES[name], PORTS, annotations)).toEqual({ ok: true, value: annotations });
  });

  it.each([
    ['3306, 443', '3306,443,15010'],
    ['', '443,15010'],
    ['8000-8080,', '8000-8080,443,15010'],
  ])('joins the ports %j', (present, joined) => {
    const name = 'config.linkerd.io/skip-outbound-ports';
    expect(podAnnotations(MESHES.linkerd, PORTS, { [name]: present })).toMatchObject({ value: { [name]: joined } });
  });

  it.each([
    ['an array', '[{"name":"certs","mountPath":"/certs"}]', `[{"name":"certs","mountPath":"/certs"},${MOUNT}]`],
    ['an object', '{"certs":{"mountPath":"/certs"}}', '{"certs":{"mountPath":"/certs"},"airmesh-processor":{"mountPath":"/run/airmesh"}}'],
    ['one of ours that leads elsewhere', '[{"name":"airmesh-processor","mountPath":"/tmp"}]', `[${MOUNT}]`],
    ['nothing', '', `[${MOUNT}]`],
  ])('joins mounts in %s', (_what, present, joined) => {
    expect(podAnnotations(MESHES.istio, PORTS, { [MOUNTS]: present })).toMatchObject({ value: { [MOUNTS]: joined } });
  });

  it.each(['[', '7', 'null', '"x"'])('cannot join mounts that are none: %s', (present) => {
    expect(podAnnotations(MESHES.istio, PORTS, { [MOUNTS]: present })).toEqual({ ok: false, error: expect.stringContaining(MOUNTS) });
  });
});
