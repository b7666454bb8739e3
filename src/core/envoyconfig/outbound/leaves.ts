import { typed } from '../settings.ts';
import type { Json } from '../settings.ts';
import { hostsWithLeaf } from './settings.ts';
import type { OutboundSettings } from './settings.ts';

/** The file of a host's certificate. Another moved over it is taken up at once, and connections that stand go on. */
export const leafFile = (host: string): string => `leaf-${host}.json`;

/** File name → a certificate and its key, for a folder that only Envoy's user can read. */
export function leaves(settings: OutboundSettings): readonly (readonly [string, Json])[] {
  return hostsWithLeaf(settings).map(({ host, leaf }) => [
    leafFile(host),
    {
      resources: [
        typed('envoy.extensions.transport_sockets.tls.v3.Secret', {
          name: host,
          tls_certificate: { certificate_chain: { inline_string: leaf.certificate }, private_key: { inline_string: leaf.key } },
        }),
      ],
    },
  ]);
}
